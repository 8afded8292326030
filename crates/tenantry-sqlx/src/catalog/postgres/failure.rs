//! What can go wrong with the server, in words that say what to do.

use std::{error::Error, time::Duration};

use sqlx::postgres::PgDatabaseError;
use tenantry_core::CatalogError;
use thiserror::Error;

use super::place::Place;

impl Place {
    /// A failure of the database.
    pub(super) fn failed(&self, error: sqlx::Error) -> CatalogError {
        if let sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) = error {
            return self.corrupt(error.to_string());
        }
        let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        self.unavailable(match (code.as_str(), error) {
            (INVALID_PASSWORD | INVALID_AUTHORIZATION, source) => {
                Failure::Role { role: self.role().to_owned(), source }
            }
            (INVALID_CATALOG_NAME, source) => Failure::Database { database: self.database().to_owned(), source },
            (INSUFFICIENT_PRIVILEGE, source) => Failure::Privilege { role: self.role().to_owned(), source },
            (UNDEFINED_TABLE | INVALID_SCHEMA_NAME, _) => Failure::Empty,
            (UNDEFINED_COLUMN, _) => Failure::Foreign,
            (LOCK_NOT_AVAILABLE, source) => Failure::Locked { waited: self.timeout, source },
            (READ_ONLY, source) => Failure::ReadOnly { source },
            (DISK_FULL, source) => Failure::Full { source },
            (TOO_MANY_CONNECTIONS, source) => Failure::Crowded { source },
            (DATA_CORRUPTED | INDEX_CORRUPTED, _) => {
                return self.corrupt("a page of it cannot be read; restore a backup");
            }
            (ADMIN_SHUTDOWN | CRASH_SHUTDOWN | CANNOT_CONNECT_NOW, source) | ("", source @ sqlx::Error::Io(_)) => {
                Failure::Away { source }
            }
            ("", sqlx::Error::PoolTimedOut) => Failure::Silent { waited: self.timeout },
            ("", source @ sqlx::Error::Tls(_)) => Failure::Tls { source },
            (_, other) => return self.unavailable(other),
        })
    }

    /// The store does not do what was asked, for this reason.
    pub(super) fn unavailable(&self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> CatalogError {
        CatalogError::Unavailable { place: self.to_string(), source: cause.into() }
    }

    /// The store has something in it that a catalog does not have.
    pub(super) fn corrupt(&self, detail: impl Into<String>) -> CatalogError {
        CatalogError::Corrupt { place: self.to_string(), detail: detail.into() }
    }
}

/// Why the catalog is not available, where there is more to say than PostgreSQL says.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// Nobody answers there, or not for long.
    #[error("the server is away; see whether it runs, and whether it is there that the URL says")]
    Away { source: sqlx::Error },
    /// The server has no connection left.
    #[error("the server has no connection left; raise its max_connections, or see who has them")]
    Crowded { source: sqlx::Error },
    /// There is no such database.
    #[error("there is no database {database}; create it, or check the URL")]
    Database { database: String, source: sqlx::Error },
    /// The database has no catalog.
    #[error("the database has no catalog in it; check the URL, or create a tenant to start anew")]
    Empty,
    /// The tables are of something else.
    #[error("the database has a table tenantry.catalog of something else; give the catalog a database of its own")]
    Foreign,
    /// The disk is full.
    #[error("the server's disk is full")]
    Full { source: sqlx::Error },
    /// Somebody else holds the lock.
    #[error("another session has kept the catalog locked for {waited:?}; see which one in pg_stat_activity")]
    Locked { waited: Duration, source: sqlx::Error },
    /// The tables are from a later version.
    #[error("it was written by a newer version of Tenantry (tables {found}, this one knows {known}); update it")]
    Newer { found: i64, known: i64 },
    /// A parameter that sqlx would ignore.
    #[error("the URL has the parameter {key:?}, which is not known")]
    Parameter { key: String },
    /// The role may not do it.
    #[error(
        "the role {role} may not do that; it needs USAGE on the schema tenantry and rights on its tables, or CREATE on \
         the database to make them"
    )]
    Privilege { role: String, source: sqlx::Error },
    /// The server is a standby.
    #[error("the server is read-only, a standby perhaps; the catalog has to be written on its primary")]
    ReadOnly { source: sqlx::Error },
    /// The server does not let the role in.
    #[error("the server does not let the role {role} in; check the user and the password in the URL")]
    Role { role: String, source: sqlx::Error },
    /// The URL names something else.
    #[error("the URL does not begin with postgres://")]
    Scheme,
    /// The server does not answer.
    #[error("the server has not answered for {waited:?}; see whether it can be reached, and what it is doing")]
    Silent { waited: Duration },
    /// There is no encrypted connection.
    #[error(
        "there is no encrypted connection; see sslmode in the URL, and whether sqlx was built with one of its features for TLS"
    )]
    Tls { source: sqlx::Error },
    /// The URL cannot be read.
    #[error("the URL is not like postgres://user:password@host:5432/database")]
    Url { source: sqlx::Error },
}

/// Whether somebody else has made the same thing just now.
pub(super) fn is_race(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    code.is_some_and(|error| [UNIQUE_VIOLATION, DUPLICATE_SCHEMA, DUPLICATE_TABLE].contains(&error.code()))
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const INVALID_AUTHORIZATION: &str = "28000";
const INVALID_PASSWORD: &str = "28P01";
const INVALID_CATALOG_NAME: &str = "3D000";
const INVALID_SCHEMA_NAME: &str = "3F000";
const INSUFFICIENT_PRIVILEGE: &str = "42501";
const UNDEFINED_COLUMN: &str = "42703";
const UNDEFINED_TABLE: &str = "42P01";
const DUPLICATE_SCHEMA: &str = "42P06";
const DUPLICATE_TABLE: &str = "42P07";
const UNIQUE_VIOLATION: &str = "23505";
const READ_ONLY: &str = "25006";
const DISK_FULL: &str = "53100";
const TOO_MANY_CONNECTIONS: &str = "53300";
const LOCK_NOT_AVAILABLE: &str = "55P03";
const ADMIN_SHUTDOWN: &str = "57P01";
const CRASH_SHUTDOWN: &str = "57P02";
const CANNOT_CONNECT_NOW: &str = "57P03";
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";
