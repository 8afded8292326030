//! Hashing and checking passwords.

use anyhow::anyhow;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::task::spawn_blocking;

/// Memory in KiB. Enough to make guessing costly, little enough that a small
/// server survives a Monday morning; raise both for anything precious.
const MEMORY: u32 = 4096;
const PASSES: u32 = 1;
const LANES: u32 = 1;

/// The hash of a password, to be stored.
pub(crate) async fn hash(password: String) -> anyhow::Result<String> {
    spawn_blocking(move || hash_now(&password)).await?
}

/// Whether `password` belongs to `hash`. Where there is no hash, because there
/// is no such account, the answer takes as long as where there is one.
pub(crate) async fn verify(password: String, hash: Option<String>) -> anyhow::Result<bool> {
    spawn_blocking(move || match hash {
        Some(hash) => verify_now(&password, &hash),
        None => hash_now(&password).map(|_| false),
    })
    .await?
}

fn hash_now(password: &str) -> anyhow::Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = hasher()?
        .hash_password(password.as_bytes(), &salt)
        .map_err(|error| anyhow!("cannot hash a password: {error}"))?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> anyhow::Result<bool> {
    let hash = PasswordHash::new(hash).map_err(|error| anyhow!("a stored hash is broken: {error}"))?;
    Ok(hasher()?.verify_password(password.as_bytes(), &hash).is_ok())
}

fn hasher() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None)
        .map_err(|error| anyhow!("the parameters for hashing are wrong: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_passes() {
        let stored = hash("correct horse".to_owned()).await.unwrap();
        let right = verify("correct horse".to_owned(), Some(stored.clone()));
        assert!(right.await.unwrap());
        let wrong = verify("battery staple".to_owned(), Some(stored));
        assert!(!wrong.await.unwrap());
        let nobody = verify("correct horse".to_owned(), None);
        assert!(!nobody.await.unwrap());
    }
}
