//! Figures about everything that is stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row as _};

use crate::db::{Db, Row};
use crate::dialect;

/// How many of the longest notes are listed.
const LONGEST: i64 = 5;

/// All figures together.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Stats {
    /// When they were right.
    pub as_of: DateTime<Utc>,
    /// How many there are of each kind.
    pub totals: Totals,
    /// Everybody, the busiest writer first.
    pub per_user: Vec<UserNotes>,
    /// Every tag in use, the most used first.
    pub per_tag: Vec<TagNotes>,
    /// Every month with a new note, oldest first.
    pub per_month: Vec<MonthNotes>,
    /// The longest notes.
    pub longest: Vec<LongNote>,
    /// Notes with more comments than notes with comments have on average.
    pub discussed: Vec<DiscussedNote>,
    /// The names of those who wrote nothing yet.
    pub without_notes: Vec<String>,
}

/// How many there are of each kind.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Totals {
    /// Accounts.
    pub users: i64,
    /// Notes.
    pub notes: i64,
    /// Tags in use.
    pub tags: i64,
    /// Comments.
    pub comments: i64,
}

/// What one user contributed.
#[derive(Clone, Debug, Deserialize, FromRow, Serialize)]
pub struct UserNotes {
    /// The place among the writers; equal numbers share a place.
    pub place: i64,
    /// The account.
    pub user_id: i64,
    /// The user's name.
    pub name: String,
    /// The notes they wrote.
    pub notes: i64,
    /// The comments they wrote.
    pub comments: i64,
}

/// How much a tag is used.
#[derive(Clone, Debug, Deserialize, FromRow, Serialize)]
pub struct TagNotes {
    /// The tag.
    pub name: String,
    /// The notes that carry it.
    pub notes: i64,
    /// The people who used it.
    pub authors: i64,
}

/// What came in a month.
#[derive(Clone, Debug, Deserialize, FromRow, Serialize)]
pub struct MonthNotes {
    /// As in `2024-03`.
    pub month: String,
    /// The notes written in it.
    pub notes: i64,
    /// The notes written until its end.
    pub so_far: i64,
}

/// A note by its length.
#[derive(Clone, Debug, Deserialize, FromRow, Serialize)]
pub struct LongNote {
    /// The note.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// The characters of its text.
    pub length: i64,
}

/// A note by its comments.
#[derive(Clone, Debug, Deserialize, FromRow, Serialize)]
pub struct DiscussedNote {
    /// The note.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// The number of its comments.
    pub comments: i64,
}

/// Collects all figures, as they were at one moment.
pub async fn collect(db: &Db) -> sqlx::Result<Stats> {
    let mut tx = db.begin_with(dialect::BEGIN_SNAPSHOT).await?;
    let totals = sqlx::query(TOTALS).try_map(|row: Row| read_totals(&row)).fetch_one(&mut *tx).await?;
    let stats = Stats {
        as_of: Utc::now(),
        totals,
        per_user: sqlx::query_as(PER_USER).fetch_all(&mut *tx).await?,
        per_tag: sqlx::query_as(PER_TAG).fetch_all(&mut *tx).await?,
        per_month: sqlx::query_as(dialect::PER_MONTH).fetch_all(&mut *tx).await?,
        longest: sqlx::query_as(LONGEST_NOTES).bind(LONGEST).fetch_all(&mut *tx).await?,
        discussed: sqlx::query_as(DISCUSSED).fetch_all(&mut *tx).await?,
        without_notes: sqlx::query_scalar(WITHOUT_NOTES).fetch_all(&mut *tx).await?,
    };
    tx.commit().await?;
    Ok(stats)
}

const TOTALS: &str = "
    SELECT (SELECT count(*) FROM users) AS users,
           (SELECT count(*) FROM notes) AS notes,
           (SELECT count(DISTINCT tag_id) FROM note_tags) AS tags,
           (SELECT count(*) FROM comments) AS comments";

const PER_USER: &str = "
    SELECT rank() OVER (ORDER BY count(notes.id) DESC) AS place,
           users.id AS user_id,
           users.name,
           count(notes.id) AS notes,
           (SELECT count(*) FROM comments WHERE comments.user_id = users.id) AS comments
      FROM users
      LEFT JOIN notes ON notes.user_id = users.id
     GROUP BY users.id, users.name
     ORDER BY place, users.name, users.id";

const PER_TAG: &str = "
    SELECT tags.name,
           count(*) AS notes,
           count(DISTINCT notes.user_id) AS authors
      FROM tags
      JOIN note_tags ON note_tags.tag_id = tags.id
      JOIN notes ON notes.id = note_tags.note_id
     GROUP BY tags.id, tags.name
     ORDER BY notes DESC, tags.name";

const LONGEST_NOTES: &str = "
    SELECT id, title, CAST(length(body) AS BIGINT) AS length
      FROM notes
     WHERE body <> ''
     ORDER BY length(body) DESC, id
     LIMIT $1";

const DISCUSSED: &str = "
    WITH counts AS (
        SELECT note_id, count(*) AS comments FROM comments GROUP BY note_id
    )
    SELECT notes.id, notes.title, count(comments.id) AS comments
      FROM notes
      JOIN comments ON comments.note_id = notes.id
     GROUP BY notes.id, notes.title
    HAVING count(comments.id) > (SELECT avg(comments) FROM counts)
     ORDER BY comments DESC, notes.id";

const WITHOUT_NOTES: &str = "
    SELECT name
      FROM users
     WHERE NOT EXISTS (SELECT 1 FROM notes WHERE notes.user_id = users.id)
     ORDER BY name";

fn read_totals(row: &Row) -> sqlx::Result<Totals> {
    Ok(Totals {
        users: row.try_get("users")?,
        notes: row.try_get("notes")?,
        tags: row.try_get("tags")?,
        comments: row.try_get("comments")?,
    })
}
