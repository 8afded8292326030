//! What the application needs to know before it starts.

use std::fmt;
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use argon2::password_hash::rand_core::{OsRng, RngCore};

use crate::dialect;

const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

/// The settings an operator chooses, as opposed to those an administrator
/// changes in the running application.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address the server listens on.
    pub listen: SocketAddr,
    /// The database, for example `sqlite://notes.db`.
    pub database_url: String,
    /// The key from which session cookies and form tokens are signed.
    pub secret: Secret,
}

impl Config {
    /// Reads `NOTES_LISTEN`, `DATABASE_URL` and `NOTES_SECRET`.
    pub fn from_env() -> anyhow::Result<Self> {
        let listen = env_or("NOTES_LISTEN", DEFAULT_LISTEN)
            .parse()
            .context("NOTES_LISTEN is not an address such as 127.0.0.1:3000")?;
        let secret = match std::env::var("NOTES_SECRET") {
            Ok(text) => Secret::new(text).context("NOTES_SECRET")?,
            Err(_) => {
                tracing::warn!("NOTES_SECRET is not set: everybody is signed out by a restart");
                Secret::random()
            }
        };
        Ok(Self { listen, database_url: env_or("DATABASE_URL", dialect::DEFAULT_URL), secret })
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

fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
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
