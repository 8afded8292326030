//! The people of the organisation.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use super::{Invalid, required};
use crate::db::Db;
use crate::dialect;

const MAX_NAME: usize = 80;
const MAX_EMAIL: usize = 254;
const MIN_PASSWORD: usize = 8;

/// Somebody with an account.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct User {
    /// Identifies the account.
    pub id: i64,
    /// Used to sign in; unique whatever its case.
    pub email: String,
    /// Shown to others.
    pub name: String,
    /// Whether the user may change settings and other people's notes.
    pub is_admin: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// What is needed to check a password.
#[derive(Clone, Debug, FromRow)]
pub struct Credentials {
    /// The account.
    pub id: i64,
    /// The hash in the PHC string format.
    pub password_hash: String,
}

/// A valid application for an account.
#[derive(Clone, Debug)]
pub struct Registration {
    email: String,
    name: String,
}

impl Registration {
    /// Checks what somebody entered to sign up.
    pub fn new(email: &str, name: &str, password: &str) -> Result<Self, Invalid> {
        let email = required("Your email address", email, MAX_EMAIL)?;
        let is_address = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        if !is_address || email.contains(char::is_whitespace) {
            return Err(Invalid(format!("“{email}” is not an email address.")));
        }
        let name = required("Your name", name, MAX_NAME)?;
        if password.chars().count() < MIN_PASSWORD {
            return Err(Invalid(format!("A password needs at least {MIN_PASSWORD} characters.")));
        }
        Ok(Self { email, name })
    }
}

/// Stores a new user, the first of whom becomes administrator.
/// There is none if the email address is taken.
pub async fn create(db: &Db, registration: &Registration, password_hash: &str) -> sqlx::Result<Option<User>> {
    let mut tx = db.begin().await?;
    dialect::take_turns(&mut tx).await?;
    let user = sqlx::query_as(
        "INSERT INTO users (email, name, password_hash, is_admin)
         VALUES ($1, $2, $3, NOT EXISTS (SELECT 1 FROM users))
         ON CONFLICT DO NOTHING
         RETURNING id, email, name, is_admin, created_at",
    )
    .bind(&registration.email)
    .bind(&registration.name)
    .bind(password_hash)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(user)
}

/// The user with this id.
pub async fn find(db: &Db, id: i64) -> sqlx::Result<Option<User>> {
    sqlx::query_as("SELECT id, email, name, is_admin, created_at FROM users WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The account and password hash behind an email address.
pub async fn credentials(db: &Db, email: &str) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as(dialect::CREDENTIALS).bind(email.trim()).fetch_optional(db).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_are_checked() {
        assert!(Registration::new("ada@example.org", "Ada", "long enough").is_ok());
        for (email, name, password) in [
            ("ada", "Ada", "long enough"),
            ("@example.org", "Ada", "long enough"),
            ("a da@example.org", "Ada", "long enough"),
            ("ada@example.org", "  ", "long enough"),
            ("ada@example.org", "Ada", "short"),
        ] {
            assert!(Registration::new(email, name, password).is_err(), "{email}");
        }
    }
}
