//! Where an instance has its rows.

use std::{fmt, path::PathBuf, str::FromStr};

use sqlx::postgres::PgConnectOptions;
use thiserror::Error;

use crate::{adopt::AdoptError, parameters::unknown_parameter};

/// Where an instance has its rows: in a PostgreSQL database, or in a SQLite file.
///
/// Read from a text, what begins with `postgres://` or `postgresql://` is the URL of a database, and anything else the path
/// of a file.
///
/// ```
/// use tenantry_sqlx::adopt::postgres::Instance;
///
/// let instance: Instance = "postgres://ann:hush@db/notes".parse()?;
/// assert_eq!(instance.to_string(), "postgres://ann@db:5432/notes");
/// # Ok::<(), tenantry_sqlx::adopt::postgres::InstanceError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Instance {
    /// A database, as a role that may read all of its tables and sequences.
    Postgres(Box<PgConnectOptions>),
    /// A file.
    Sqlite(PathBuf),
}

impl FromStr for Instance {
    type Err = InstanceError;

    fn from_str(text: &str) -> Result<Self, InstanceError> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => match unknown_parameter(text) {
                // sqlx would log it together with its value, a password perhaps.
                Some(key) => Err(InstanceError::Parameter { key: key.to_owned() }),
                None => Ok(Self::Postgres(Box::new(text.parse().map_err(|_| InstanceError::Url)?))),
            },
            _ => Ok(Self::Sqlite(text.into())),
        }
    }
}

/// Without the password.
impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => file.display().fmt(f),
            Self::Postgres(options) => {
                let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
                write!(f, "postgres://{user}@{host}:{port}/{}", options.get_database().unwrap_or(user))
            }
        }
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text names no database that an instance could be in. The text is not repeated, since a password may be in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InstanceError {
    /// It has a parameter that nobody knows.
    #[error("the URL has the parameter \"{key}\", which is not known")]
    Parameter {
        /// Its name.
        key: String,
    },
    /// It is no URL of a database.
    #[error("the URL is not like postgres://user:password@host:5432/database")]
    Url,
}

impl From<InstanceError> for AdoptError {
    fn from(error: InstanceError) -> Self {
        Self::Database(sqlx::Error::Configuration(error.into()))
    }
}
