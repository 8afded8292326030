//! What the application needs to know before it starts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use argon2::password_hash::rand_core::{OsRng, RngCore};

use crate::dialect;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
const DEFAULT_FILES: &str = "files";
const DEFAULT_JOBS: &str = "sqlite://jobs.db";

/// The settings an operator chooses, as opposed to those an administrator
/// changes in the running application.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address the server listens on.
    pub listen: SocketAddr,
    /// The database, for example `sqlite://notes.db`.
    pub database_url: String,
    /// The folder with the files that are attached to notes.
    pub files: PathBuf,
    /// The database of SQLite's with the jobs that wait to be done.
    pub jobs_url: String,
    /// Who may sign in without having signed up.
    pub ldap: Ldap,
    /// The key from which session cookies and form tokens are signed.
    pub secret: Secret,
}

impl Config {
    /// What holds where an operator chooses nothing.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            database_url: dialect::DEFAULT_URL.to_owned(),
            files: DEFAULT_FILES.into(),
            jobs_url: DEFAULT_JOBS.to_owned(),
            ldap: Ldap::default(),
            secret,
        }
    }

    /// Reads `NOTES_LISTEN`, `DATABASE_URL`, `NOTES_FILES`, `NOTES_JOBS`,
    /// `NOTES_SECRET`, and what begins with `NOTES_LDAP`.
    pub fn from_env() -> anyhow::Result<Self> {
        let secret = match env("NOTES_SECRET") {
            Some(text) => Secret::new(text).context("NOTES_SECRET")?,
            None => {
                tracing::warn!("NOTES_SECRET is not set: everybody is signed out by a restart");
                Secret::random()
            }
        };
        let mut config = Self::new(secret);
        if let Some(listen) = env("NOTES_LISTEN") {
            config.listen = listen.parse().context("NOTES_LISTEN is not an address such as 127.0.0.1:3000")?;
        }
        config.database_url = env("DATABASE_URL").unwrap_or(config.database_url);
        config.files = env("NOTES_FILES").map_or(config.files, Into::into);
        config.jobs_url = env("NOTES_JOBS").unwrap_or(config.jobs_url);
        config.ldap = Ldap::from_env();
        Ok(config)
    }
}

/// A server that speaks LDAP, and how people are found there.
#[derive(Clone, Default)]
pub struct Ldap {
    /// `ldap://host` or `ldaps://host`; where it is empty, there is no server.
    pub url: String,
    /// The entry below which people are.
    pub base: String,
    /// Who searches; nobody in particular, if it is empty.
    pub bind_dn: String,
    /// The password of `bind_dn`.
    pub bind_password: String,
}

impl Ldap {
    fn from_env() -> Self {
        let [url, base, bind_dn, bind_password] = ["URL", "BASE", "BIND_DN", "BIND_PASSWORD"]
            .map(|name| env(&format!("NOTES_LDAP_{name}")).unwrap_or_default());
        Self { url, base, bind_dn, bind_password }
    }
}

impl fmt::Debug for Ldap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ldap").field("url", &self.url).field("base", &self.base).finish_non_exhaustive()
    }
}

/// The application's one secret key.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The fewest bytes a key may have.
    pub const MIN_LENGTH: usize = 32;

    /// Takes a key of at least [`Secret::MIN_LENGTH`] bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> anyhow::Result<Self> {
        let bytes = bytes.into();
        ensure!(bytes.len() >= Self::MIN_LENGTH, "a secret needs at least {} bytes", Self::MIN_LENGTH);
        Ok(Self(bytes))
    }

    /// Makes a key nobody knows.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = vec![0; 64];
        OsRng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Secret::new("too short").is_err());
        assert!(Secret::new("x".repeat(Secret::MIN_LENGTH)).is_ok());
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
