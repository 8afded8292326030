//! `[catalog]`: where the tenants are registered.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_sqlx::{FollowOptions, OpenOptions};

use super::{server_url::ServerUrl, value};

/// `[catalog]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct CatalogSection {
    /// Where it is: `path = "…"`, or `url = "…"`.
    pub place: CatalogPlace,
    /// How often it is asked for changes that other processes made.
    pub poll: Duration,
    /// How long an operation waits for a lock that another process holds, and for an answer of a server.
    pub busy_timeout: Duration,
}

/// Where the catalog is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogPlace {
    /// In a SQLite file. `url = "sqlite://…"` says the same as its path.
    File(PathBuf),
    /// In a database of a PostgreSQL server.
    Server(ServerUrl),
}

impl CatalogPlace {
    /// The key that says where it is.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::File(_) => "catalog.path",
            Self::Server(_) => "catalog.url",
        }
    }
}

impl Default for CatalogSection {
    fn default() -> Self {
        Self {
            place: CatalogPlace::File("tenantry.db".into()),
            poll: FollowOptions::POLL,
            busy_timeout: OpenOptions::BUSY_TIMEOUT,
        }
    }
}

/// The keys as they are written.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
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

impl From<CatalogSection> for Raw {
    fn from(section: CatalogSection) -> Self {
        let (path, url) = match section.place {
            CatalogPlace::File(path) => (Some(path), None),
            CatalogPlace::Server(url) => (None, Some(url.to_string())),
        };
        Self { path, url, poll: section.poll, busy_timeout: section.busy_timeout }
    }
}

impl TryFrom<Raw> for CatalogSection {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let place = match (raw.path, raw.url) {
            (Some(path), None) => CatalogPlace::File(path),
            (None, Some(url)) => place_of(&url)?,
            (None, None) => Self::default().place,
            (Some(_), Some(_)) => return Err("path and url say the same thing; keep one of them".to_owned()),
        };
        Ok(Self { place, poll: raw.poll, busy_timeout: raw.busy_timeout })
    }
}

fn place_of(url: &str) -> Result<CatalogPlace, String> {
    // Without what follows the scheme: a URL may have a password in it.
    let (scheme, rest) = url.split_once(':').ok_or("url has no scheme; write sqlite://tenantry.db, or use path")?;
    match scheme {
        "sqlite" if rest.contains('?') => Err("url has parameters, which have keys of their own here".to_owned()),
        "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
            "" | ":memory:" => Err("url names no file; the catalog has to outlive the process".to_owned()),
            path => Ok(CatalogPlace::File(path.into())),
        },
        "postgres" | "postgresql" => ServerUrl::parse(url).map(CatalogPlace::Server),
        other => Err(format!("url has the scheme {other:?}; it is one of sqlite, postgres")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        let file = |path: &str| Ok(CatalogPlace::File(path.into()));
        assert_eq!(place_of("sqlite://tenantry.db"), file("tenantry.db"));
        assert_eq!(place_of("sqlite:///srv/tenantry.db"), file("/srv/tenantry.db"));
        assert_eq!(place_of("sqlite:tenantry.db"), file("tenantry.db"));
        for wrong in ["sqlite::memory:", "sqlite://", "sqlite://a.db?mode=ro", "tenantry.db", "mysql://localhost/a"] {
            assert!(place_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn or_databases_of_a_server() {
        let place = place_of("postgres://ann:hush@db/tenants").unwrap();
        assert!(matches!(&place, CatalogPlace::Server(url) if url.expose() == "postgres://ann:hush@db/tenants"));
        assert_eq!(place.key(), "catalog.url");
        let section = CatalogSection { place, ..CatalogSection::default() };
        let written = toml::to_string(&section).unwrap();
        assert_eq!(written.lines().next(), Some("url = \"postgres://ann@db/tenants\""));
    }
}
