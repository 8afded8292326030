//! Where a store is: in a file, or on a server.

use std::path::PathBuf;

use super::server_url::ServerUrl;

/// Where a store is: `path = "…"`, or `url = "…"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a SQLite file. `url = "sqlite://…"` says the same as its path.
    File(PathBuf),
    /// In a database of a PostgreSQL server.
    Server(ServerUrl),
}

impl Place {
    /// The key that says where it is, of the two that can.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::File(_) => "path",
            Self::Server(_) => "url",
        }
    }

    /// The file, if it is one.
    pub(super) const fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// What the two keys say; nothing when none of them is written. `others` are the schemes that the key takes beside these.
    pub(super) fn of(path: Option<PathBuf>, url: Option<&str>, others: &[&str]) -> Result<Option<Self>, String> {
        match (path, url) {
            (Some(path), None) => Ok(Some(Self::File(path))),
            (None, Some(url)) => Self::of_url(url, others).map(Some),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err("path and url say the same thing; keep one of them".to_owned()),
        }
    }

    /// The two keys that say it.
    pub(super) fn keys(self) -> (Option<PathBuf>, Option<String>) {
        match self {
            Self::File(path) => (Some(path), None),
            Self::Server(url) => (None, Some(url.to_string())),
        }
    }

    fn of_url(url: &str, others: &[&str]) -> Result<Self, String> {
        // Without what follows the scheme: a URL may have a password in it.
        let (scheme, rest) = url.split_once(':').ok_or("url has no scheme; write sqlite://file.db, or use path")?;
        match scheme {
            "sqlite" if rest.contains('?') => Err("url has parameters, which have keys of their own here".to_owned()),
            "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
                "" | ":memory:" => Err("url names no file; what is stored has to outlive the process".to_owned()),
                path => Ok(Self::File(path.into())),
            },
            "postgres" | "postgresql" => ServerUrl::parse(url).map(Self::Server),
            other => {
                let known = [&["sqlite", "postgres"], others].concat().join(", ");
                Err(format!("url has the scheme {other:?}; it is one of {known}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        let file = |path: &str| Ok(Place::File(path.into()));
        assert_eq!(Place::of_url("sqlite://tenantry.db", &[]), file("tenantry.db"));
        assert_eq!(Place::of_url("sqlite:///srv/tenantry.db", &[]), file("/srv/tenantry.db"));
        assert_eq!(Place::of_url("sqlite:tenantry.db", &[]), file("tenantry.db"));
        for wrong in ["sqlite::memory:", "sqlite://", "sqlite://a.db?mode=ro", "tenantry.db", "mysql://localhost/a"] {
            assert!(Place::of_url(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn or_databases_of_a_server() {
        let place = Place::of_url("postgres://ann:hush@db/tenants", &[]).unwrap();
        assert!(matches!(&place, Place::Server(url) if url.expose() == "postgres://ann:hush@db/tenants"));
        assert_eq!(place.key(), "url");
        assert_eq!(place.keys(), (None, Some("postgres://ann@db/tenants".to_owned())));
    }
}
