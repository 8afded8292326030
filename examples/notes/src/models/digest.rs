//! What was written within a day, in few words.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::Db;
use crate::dialect;

/// How many digests are shown.
const SHOWN: i64 = 30;

/// A digest as it is shown.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Digest {
    /// Identifies the digest.
    pub id: i64,
    /// How many notes were written.
    pub notes: i64,
    /// A line for each of them.
    pub text: String,
    /// The end of the day it is about.
    pub created_at: DateTime<Utc>,
}

/// Writes a digest of the last twenty-four hours.
pub async fn write(db: &Db) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let notes: Vec<(String, String)> = sqlx::query_as(dialect::LAST_DAY).fetch_all(&mut *tx).await?;
    let lines: Vec<String> = notes.iter().map(|(title, author)| format!("“{title}” by {author}")).collect();
    sqlx::query("INSERT INTO digests (notes, text) VALUES ($1, $2)")
        .bind(i64::try_from(lines.len()).unwrap_or(i64::MAX))
        .bind(lines.join("\n"))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// The last digests, newest first.
pub async fn list(db: &Db) -> sqlx::Result<Vec<Digest>> {
    sqlx::query_as("SELECT id, notes, text, created_at FROM digests ORDER BY id DESC LIMIT $1")
        .bind(SHOWN)
        .fetch_all(db)
        .await
}
