//! `[catalog]`: where the tenants are registered.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_sqlx::{FollowOptions, OpenOptions};

use super::value;

/// `[catalog]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
#[non_exhaustive]
pub struct CatalogSection {
    /// The file. `url = "sqlite://…"` says the same.
    pub path: PathBuf,
    /// How often it is asked for changes that other processes made.
    #[serde(with = "value::duration")]
    pub poll: Duration,
    /// How long an operation waits for a lock that another process holds.
    #[serde(with = "value::duration")]
    pub busy_timeout: Duration,
}

impl Default for CatalogSection {
    fn default() -> Self {
        Self { path: "tenantry.db".into(), poll: FollowOptions::POLL, busy_timeout: OpenOptions::BUSY_TIMEOUT }
    }
}

/// The keys as they are written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    path: Option<PathBuf>,
    url: Option<String>,
    #[serde(with = "value::duration")]
    poll: Duration,
    #[serde(with = "value::duration")]
    busy_timeout: Duration,
}

impl Default for Raw {
    fn default() -> Self {
        let CatalogSection { poll, busy_timeout, .. } = CatalogSection::default();
        Self { path: None, url: None, poll, busy_timeout }
    }
}

impl TryFrom<Raw> for CatalogSection {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let path = match (raw.path, raw.url) {
            (Some(path), None) => path,
            (None, Some(url)) => path_of(&url)?,
            (None, None) => Self::default().path,
            (Some(_), Some(_)) => return Err("path and url say the same thing; keep one of them".to_owned()),
        };
        Ok(Self { path, poll: raw.poll, busy_timeout: raw.busy_timeout })
    }
}

fn path_of(url: &str) -> Result<PathBuf, String> {
    // Without what follows the scheme: a URL may have a password in it.
    let (scheme, rest) = url.split_once(':').ok_or("url has no scheme; write sqlite://tenantry.db, or use path")?;
    match scheme {
        "sqlite" if rest.contains('?') => Err("url has parameters, which have keys of their own here".to_owned()),
        "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
            "" | ":memory:" => Err("url names no file; the catalog has to outlive the process".to_owned()),
            path => Ok(path.into()),
        },
        "postgres" | "postgresql" => {
            Err("a catalog in PostgreSQL is not in this version; use path = \"tenantry.db\"".to_owned())
        }
        other => Err(format!("url has the scheme {other:?}, and only sqlite is in this version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        assert_eq!(path_of("sqlite://tenantry.db"), Ok("tenantry.db".into()));
        assert_eq!(path_of("sqlite:///srv/tenantry.db"), Ok("/srv/tenantry.db".into()));
        assert_eq!(path_of("sqlite:tenantry.db"), Ok("tenantry.db".into()));
        for wrong in ["sqlite::memory:", "sqlite://", "sqlite://a.db?mode=ro", "tenantry.db", "mysql://localhost/a"] {
            assert!(path_of(wrong).is_err(), "{wrong}");
        }
        let postgres = path_of("postgres://admin:secret@db/tenants").unwrap_err();
        assert_eq!(postgres, "a catalog in PostgreSQL is not in this version; use path = \"tenantry.db\"");
    }
}
