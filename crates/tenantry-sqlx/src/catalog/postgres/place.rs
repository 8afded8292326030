//! Where the catalog is: an URL, without what is secret in it.

use std::{fmt, str::FromStr, time::Duration};

use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use tenantry_core::CatalogError;

use super::failure::Failure;
use crate::parameters::unknown_parameter;

/// Where the catalog is. What is shown of it has no password.
#[derive(Clone)]
pub(super) struct Place {
    options: PgConnectOptions,
    pub(super) timeout: Duration,
}

impl Place {
    /// The place that a URL names. The error does not repeat the URL.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, CatalogError> {
        let wrong = |failure: Failure| CatalogError::Unavailable {
            place: "in PostgreSQL".to_owned(),
            source: Box::new(failure),
        };
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(wrong(Failure::Scheme));
        }
        // sqlx would log a key that it does not know together with its value, a password perhaps.
        if let Some(key) = unknown_parameter(url) {
            return Err(wrong(Failure::Parameter { key: key.to_owned() }));
        }
        let options = PgConnectOptions::from_str(url).map_err(|source| wrong(Failure::Url { source }))?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("tenantry catalog"),
        };
        // The poll would fill every debug log.
        Ok(Self { options: options.disable_statement_logging(), timeout })
    }

    /// How to connect to it.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Waits for an operation, but not for ever: a server that is cut off says nothing.
    pub(super) async fn within<T>(
        &self,
        operation: impl Future<Output = Result<T, CatalogError>>,
    ) -> Result<T, CatalogError> {
        // Longer than for a lock, so that the server is the one to say that it is the lock.
        match tokio::time::timeout(self.timeout.saturating_add(SLACK), operation).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.unavailable(Failure::Silent { waited: self.timeout })),
        }
    }

    /// The role that is used.
    pub(super) fn role(&self) -> &str {
        self.options.get_username()
    }

    /// The name of the database; without one in the URL it is that of the role.
    pub(super) fn database(&self) -> &str {
        self.options.get_database().unwrap_or_else(|| self.role())
    }
}

/// How much longer than for a lock an operation waits for the server.
const SLACK: Duration = Duration::from_secs(1);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, database, port) = (self.role(), self.database(), self.options.get_port());
        match self.options.get_socket() {
            Some(socket) => write!(f, "postgres://{role}@{}:{port}/{database}", socket.display()),
            None => write!(f, "postgres://{role}@{}:{port}/{database}", self.options.get_host()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn what_is_shown_has_no_password() {
        for url in [
            "postgres://ann:hush@db.example:5433/tenants",
            "postgresql://ann:hush@db.example:5433/tenants?sslmode=disable",
            "postgres://ann@db.example:5433/tenants?password=hush",
        ] {
            let place = Place::new(url, Duration::ZERO).unwrap();
            assert_eq!(place.to_string(), "postgres://ann@db.example:5433/tenants");
            assert_eq!(format!("{place:?}"), place.to_string());
        }
    }

    #[test]
    fn a_wrong_url_is_not_repeated() {
        for (url, reason) in [
            ("mysql://ann:hush@db/tenants", "the URL does not begin with postgres://"),
            ("postgres://ann:hush@db:port/tenants", "the URL is not like postgres://user:password@host:5432/database"),
            ("postgres://ann@db/tenants?pasword=hush", "the URL has the parameter \"pasword\", which is not known"),
        ] {
            let error = Place::new(url, Duration::ZERO).unwrap_err();
            let told = format!("{error} {error:?} {}", error.source().unwrap());
            assert!(told.contains(reason) && !told.contains("hush"), "{told}");
        }
    }
}
