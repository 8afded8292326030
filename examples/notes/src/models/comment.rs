//! What people say about a note.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use super::user::User;
use super::{Invalid, required};
use crate::db::Db;

const MAX_BODY: usize = 5_000;

/// A comment as it is shown.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Comment {
    /// Identifies the comment.
    pub id: i64,
    /// The note it is about.
    pub note_id: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// The writer's name.
    pub author: String,
    /// Plain text.
    pub body: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

impl Comment {
    /// Whether `user` may delete the comment.
    #[must_use]
    pub fn may_be_deleted_by(&self, user: &User) -> bool {
        user.is_admin || user.id == self.user_id
    }
}

/// The text of a comment, once it was found acceptable.
#[derive(Clone, Debug)]
pub struct Remark(String);

impl Remark {
    /// Checks the text of a comment.
    pub fn new(body: &str) -> Result<Self, Invalid> {
        required("A comment", &body.replace("\r\n", "\n"), MAX_BODY).map(Self)
    }
}

/// The comments on a note, oldest first.
pub async fn list(db: &Db, note_id: i64) -> sqlx::Result<Vec<Comment>> {
    sqlx::query_as(
        "SELECT c.id, c.note_id, c.user_id, u.name AS author, c.body, c.created_at
           FROM comments AS c
           JOIN users AS u ON u.id = c.user_id
          WHERE c.note_id = $1
          ORDER BY c.id",
    )
    .bind(note_id)
    .fetch_all(db)
    .await
}

/// The comment with this id.
pub async fn find(db: &Db, id: i64) -> sqlx::Result<Option<Comment>> {
    sqlx::query_as(
        "SELECT c.id, c.note_id, c.user_id, u.name AS author, c.body, c.created_at
           FROM comments AS c
           JOIN users AS u ON u.id = c.user_id
          WHERE c.id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await
}

/// Stores a comment. There is none if the note does not exist.
pub async fn create(db: &Db, author: &User, note_id: i64, remark: &Remark) -> sqlx::Result<Option<Comment>> {
    sqlx::query_as(
        "INSERT INTO comments (note_id, user_id, body)
         SELECT id, $1, $2 FROM notes WHERE id = $3
         RETURNING id, note_id, user_id,
                   (SELECT name FROM users WHERE id = user_id) AS author,
                   body, created_at",
    )
    .bind(author.id)
    .bind(&remark.0)
    .bind(note_id)
    .fetch_optional(db)
    .await
}

/// Deletes a comment.
pub async fn delete(db: &Db, id: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM comments WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}
