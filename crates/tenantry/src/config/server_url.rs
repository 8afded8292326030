//! The URL of a server's database, which may have a password in it.

use std::fmt;

use serde::{Deserialize, Serialize};
#[cfg(feature = "postgres")]
use sqlx::postgres::PgConnectOptions;
#[cfg(feature = "postgres")]
use tenantry_sqlx::unknown_parameter;
use url::Url;

#[cfg(feature = "postgres")]
use super::error::ConfigError;

/// The URL of a database, such as `postgres://user:password@host:5432/database`. Neither its text nor its `Debug` has the
/// password; without one in the URL, `PGPASSWORD` or `~/.pgpass` has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl(Url);

impl TryFrom<String> for ServerUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Self::parse(&text),
            // Without what follows the scheme: there may be a password.
            _ => Err("url is not like postgres://user:password@host:5432/database".to_owned()),
        }
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.to_string()
    }
}

impl ServerUrl {
    /// The URL as it was written, for whoever connects.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Reads a URL of PostgreSQL. The error does not repeat it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_like(text, "postgres://user:password@host:5432/database")
    }

    /// Reads a URL that should look like `like`. The error does not repeat it.
    pub(super) fn parse_like(text: &str, like: &str) -> Result<Self, String> {
        Url::parse(text).map(Self).map_err(|error| format!("url is not like {like}: {error}"))
    }
}

/// How to connect to the database that the key `key` names.
#[cfg(feature = "postgres")]
pub(crate) fn connect_options(key: &str, url: &ServerUrl) -> Result<PgConnectOptions, ConfigError> {
    let invalid = |why: String| ConfigError::Invalid {
        place: "the configuration".to_owned(),
        problems: vec![format!("{key}: {url} {why}")],
    };
    if let Some(unknown) = unknown_parameter(url.expose()) {
        return Err(invalid(format!("has the parameter \"{unknown}\", which is not known")));
    }
    // The error of sqlx may repeat a part of the URL, the password for instance.
    url.expose().parse().map_err(|_| invalid("has a parameter whose value cannot be".to_owned()))
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        // It cannot be set where there is no host; then there is none.
        url.set_password(None).ok();
        url.set_query(None);
        let shown = self.0.query_pairs().filter(|(key, _)| SHOWN.contains(&&**key));
        let pairs: Vec<_> = shown.map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url.fmt(f)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parameters that are no secret.
const SHOWN: [&str; 8] = ["application_name", "dbname", "host", "hostaddr", "port", "sslmode", "sslrootcert", "user"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_password() {
        for (url, shown) in [
            ("postgres://ann:hush@db:5433/tenants", "postgres://ann@db:5433/tenants"),
            ("postgres://ann:h%40ush@db/tenants?sslmode=require", "postgres://ann@db/tenants?sslmode=require"),
            ("postgres://db/tenants?user=ann&password=hush", "postgres://db/tenants?user=ann"),
            ("postgres:///tenants?host=/run&p%61ssword=hush", "postgres:///tenants?host=%2Frun"),
        ] {
            let parsed = ServerUrl::parse(url).unwrap();
            assert_eq!(parsed.expose(), url);
            assert_eq!((parsed.to_string(), format!("{parsed:?}")), (shown.to_owned(), shown.to_owned()));
        }
        let error = ServerUrl::parse("postgres://ann:hu/sh@db/tenants").unwrap_err();
        assert_eq!(error, "url is not like postgres://user:password@host:5432/database: invalid port number");
    }
}
