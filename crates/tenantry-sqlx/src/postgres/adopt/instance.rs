//! Where an instance has its rows.

use std::{fmt, path::PathBuf, str::FromStr};

use sqlx::postgres::PgConnectOptions;

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
/// # Ok::<(), sqlx::Error>(())
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
    type Err = sqlx::Error;

    fn from_str(text: &str) -> Result<Self, sqlx::Error> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(text.parse()?))),
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
