//! The PostgreSQL database of an instance, as of one moment. Nothing of it is changed.

use sqlx::{PgConnection, postgres::PgConnectOptions};
use thiserror::Error;

use super::{
    agreement::{self, Facts},
    instance::Instance,
    rows::{Place, Rows, Sum},
    sequences::{self, Counted},
    session,
};

/// Why a database cannot be read as that of an instance.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Nobody answers, or not to this role.
    #[error("{source_url} cannot be reached: {error}; see whether the server runs, and whether the URL is right")]
    Unreachable {
        /// The database, without the password.
        source_url: String,
        /// Why.
        error: sqlx::Error,
    },
    /// The server is too old.
    #[error("{source_url} is on PostgreSQL {version}; 12 or newer can be read")]
    Version {
        /// The database, without the password.
        source_url: String,
        /// What the server is.
        version: String,
    },
    /// It is a shared database of Tenantry.
    #[error("{0} is a shared database of Tenantry, not that of an instance; name the database that the instance used")]
    Ours(String),
    /// It has no tables.
    #[error("{0} has no tables in its schema public; name the database that the instance uses")]
    NoTables(String),
    /// The role may not read everything.
    #[error(
        "the role cannot read all of {source_url}: {message}; as the owner of it: GRANT USAGE ON SCHEMA public TO <role>; \
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO <role>; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO <role>"
    )]
    Denied {
        /// The database, without the password.
        source_url: String,
        /// What the server says.
        message: String,
    },
    /// The server says something else.
    #[error("{source_url} cannot be read: {error}")]
    Database {
        /// The database, without the password.
        source_url: String,
        /// What the server says.
        error: sqlx::Error,
    },
}

/// A database that is being read.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) connection: PgConnection,
    url: String,
}

impl Server {
    /// Connects, and looks at the database as it is now, whatever is written to it later.
    pub(super) async fn open(options: &PgConnectOptions) -> Result<Self, ServerError> {
        let url = Instance::Postgres(Box::new(options.clone())).to_string();
        let connected = session::connect(options).await;
        let connection = connected.map_err(|error| ServerError::Unreachable { source_url: url.clone(), error })?;
        let mut server = Self { connection, url };
        match server.look().await {
            Ok(None) => Ok(server),
            Ok(Some(refused)) => Err(refused),
            Err(error) => Err(server.failed(error)),
        }
    }

    /// Why the database is none of an instance, if so.
    async fn look(&mut self) -> Result<Option<ServerError>, sqlx::Error> {
        // Rows that a policy hides are an error, and not left out.
        let begin = "SET row_security = off; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        sqlx::raw_sql(begin).execute(&mut self.connection).await?;
        let text = "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
                           to_regclass('tenantry.meta') IS NOT NULL";
        let (number, version, is_ours): (i32, String, bool) =
            sqlx::query_as(text).fetch_one(&mut self.connection).await?;
        let url = || self.url.clone();
        if number < 120_000 {
            return Ok(Some(ServerError::Version { source_url: url(), version }));
        }
        if is_ours {
            return Ok(Some(ServerError::Ours(url())));
        }
        let text = "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('public') \
                                   AND relkind IN ('r', 'p') AND relname <> '_sqlx_migrations')";
        let has_tables: bool = sqlx::query_scalar(text).fetch_one(&mut self.connection).await?;
        Ok(if has_tables { None } else { Some(ServerError::NoTables(url())) })
    }

    /// The schema.
    pub(super) async fn facts(&mut self) -> Result<Facts, ServerError> {
        let facts = agreement::facts(&mut self.connection).await;
        facts.map_err(|error| self.failed(error))
    }

    /// Which migrations have run, if that is noted.
    pub(super) async fn migrations(&mut self) -> Result<Option<Vec<String>>, ServerError> {
        let migrations = agreement::migrations("public", &mut self.connection).await;
        migrations.map_err(|error| self.failed(error))
    }

    /// The rows of a table, counted and summed up.
    pub(super) async fn sum(&mut self, rows: &Rows) -> Result<Sum, ServerError> {
        let sum = Sum::of(rows, Place::Public, &mut self.connection).await;
        sum.map_err(|error| self.failed(error))
    }

    /// How far the sequences have counted.
    pub(super) async fn counted(&mut self) -> Result<Vec<Counted>, ServerError> {
        let counted = sequences::counted(&mut self.connection).await.map_err(|error| self.failed(error))?;
        match counted.iter().find(|counted| !counted.is_readable) {
            None => Ok(counted),
            Some(hidden) => Err(ServerError::Denied {
                source_url: self.url.clone(),
                message: format!("permission denied for sequence {}", hidden.name),
            }),
        }
    }

    /// What an error of the server says about the source.
    pub(super) fn failed(&self, error: sqlx::Error) -> ServerError {
        let source_url = self.url.clone();
        match &error {
            // 42501: insufficient_privilege.
            sqlx::Error::Database(database) if database.code().as_deref() == Some("42501") => {
                ServerError::Denied { source_url, message: database.message().to_owned() }
            }
            _ => ServerError::Database { source_url, error },
        }
    }
}
