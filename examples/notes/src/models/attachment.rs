//! Files that belong to a note. Their contents are elsewhere, under a key.

use argon2::password_hash::rand_core::{OsRng, RngCore};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use super::{Invalid, required};
use crate::db::Db;
use crate::dialect;

const MAX_NAME: usize = 120;

/// A file as it is shown.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Attachment {
    /// Identifies the file.
    pub id: i64,
    /// The note it belongs to.
    pub note_id: i64,
    /// What it was called where it came from.
    pub name: String,
    /// Its length in bytes.
    pub size: i64,
    /// Where its contents are.
    #[serde(skip)]
    pub object_key: String,
    /// When it was attached.
    pub created_at: DateTime<Utc>,
}

/// The name of a file, once it was found acceptable.
#[derive(Clone, Debug)]
pub struct FileName(String);

impl FileName {
    /// Checks what a browser calls a file.
    pub fn new(name: &str) -> Result<Self, Invalid> {
        let name = required("The name of the file", name, MAX_NAME)?;
        match name.contains(char::is_control) {
            true => Err(Invalid("The name of the file has a character that cannot be shown.".to_owned())),
            false => Ok(Self(name)),
        }
    }
}

/// A key for the contents of a new file of a note. No other file has had it.
#[must_use]
pub fn new_key(note_id: i64) -> String {
    format!("{note_id}/{:016x}", OsRng.next_u64())
}

/// The files of a note, oldest first.
pub async fn list(db: &Db, note_id: i64) -> sqlx::Result<Vec<Attachment>> {
    sqlx::query_as(
        "SELECT id, note_id, name, size, object_key, created_at FROM attachments WHERE note_id = $1 ORDER BY id",
    )
    .bind(note_id)
    .fetch_all(db)
    .await
}

/// The file with this id.
pub async fn find(db: &Db, id: i64) -> sqlx::Result<Option<Attachment>> {
    sqlx::query_as("SELECT id, note_id, name, size, object_key, created_at FROM attachments WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// Notes whose contents are where, and tells whether the note exists.
pub async fn create(db: &Db, note_id: i64, name: &FileName, size: u64, object_key: &str) -> sqlx::Result<bool> {
    let mut tx = db.begin().await?;
    dialect::take_turns(&mut tx).await?;
    let created = sqlx::query(
        "INSERT INTO attachments (note_id, name, size, object_key) SELECT id, $1, $2, $3 FROM notes WHERE id = $4",
    )
    .bind(&name.0)
    .bind(i64::try_from(size).unwrap_or(i64::MAX))
    .bind(object_key)
    .bind(note_id)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(created.rows_affected() > 0)
}

/// Deletes a file, but for its contents.
pub async fn delete(db: &Db, id: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM attachments WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(FileName::new("May 2024 – “final”.pdf").is_ok());
        for name in ["", "  ", "a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert!(FileName::new(name).is_err(), "{name}");
        }
    }
}
