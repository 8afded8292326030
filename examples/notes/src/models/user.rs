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

/// The hash of no password.
const NO_PASSWORD: &str = "";

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

/// A user, with what opens the account.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    /// Whose it is.
    #[sqlx(flatten)]
    pub user: User,
    /// The hash in the PHC string format, or nothing where somebody has no
    /// password here.
    pub password_hash: String,
}

impl Account {
    /// The hash that a password can be compared with.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        self.has_password().then_some(&self.password_hash)
    }

    fn has_password(&self) -> bool {
        self.password_hash != NO_PASSWORD
    }
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
        let registration = Self::without_password(email, name)?;
        if password.chars().count() < MIN_PASSWORD {
            return Err(Invalid(format!("A password needs at least {MIN_PASSWORD} characters.")));
        }
        Ok(registration)
    }

    /// Checks what a directory says of somebody, whose password stays there.
    pub fn without_password(email: &str, name: &str) -> Result<Self, Invalid> {
        let email = required("Your email address", email, MAX_EMAIL)?;
        let is_address = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        if !is_address || email.contains(char::is_whitespace) {
            return Err(Invalid(format!("“{email}” is not an email address.")));
        }
        let name = required("Your name", name, MAX_NAME)?;
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

/// The account of somebody whom a directory vouches for, which is made when
/// there is none. Whoever made the one that is there need not have been the one
/// whose address it has: its password is none any more, which ends all sessions
/// that were begun with it.
pub async fn take_over(db: &Db, registration: &Registration) -> sqlx::Result<Option<Account>> {
    let found = match find_by_email(db, &registration.email).await? {
        Some(found) => Some(found),
        None => match create(db, registration, NO_PASSWORD).await? {
            Some(user) => Some(Account { user, password_hash: NO_PASSWORD.to_owned() }),
            // Another request was faster.
            None => find_by_email(db, &registration.email).await?,
        },
    };
    match found {
        Some(found) if found.has_password() => {
            sqlx::query_as(
                "UPDATE users SET name = $1, password_hash = $2 WHERE id = $3
                 RETURNING id, email, name, is_admin, created_at, password_hash",
            )
            .bind(&registration.name)
            .bind(NO_PASSWORD)
            .bind(found.user.id)
            .fetch_optional(db)
            .await
        }
        found => Ok(found),
    }
}

/// The account with this id.
pub async fn find(db: &Db, id: i64) -> sqlx::Result<Option<Account>> {
    sqlx::query_as("SELECT id, email, name, is_admin, created_at, password_hash FROM users WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The account with this email address.
pub async fn find_by_email(db: &Db, email: &str) -> sqlx::Result<Option<Account>> {
    sqlx::query_as(dialect::ACCOUNT).bind(email.trim()).fetch_optional(db).await
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
