//! The notes themselves.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use super::user::User;
use super::{Invalid, required, tag};
use crate::db::{Builder, Db, Select};
use crate::dialect::{self, ESCAPE, LIKE};

const MAX_TITLE: usize = 200;
const MAX_BODY: usize = 100_000;

/// A note as it is shown.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Note {
    /// Identifies the note, even after it is gone.
    pub id: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// The writer's name.
    pub author: String,
    /// One line.
    pub title: String,
    /// Plain text.
    pub body: String,
    /// In alphabetical order.
    #[sqlx(try_from = "String")]
    pub tags: TagNames,
    /// How many comments it has.
    pub comment_count: i64,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When its title or text last changed.
    pub updated_at: DateTime<Utc>,
}

impl Note {
    /// Whether `user` may change or delete the note.
    #[must_use]
    pub fn may_be_changed_by(&self, user: &User) -> bool {
        user.is_admin || user.id == self.user_id
    }
}

/// The names of a note's tags.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct TagNames(pub Vec<String>);

impl From<String> for TagNames {
    fn from(joined: String) -> Self {
        let names = joined.split(',').filter(|name| !name.is_empty());
        Self(names.map(str::to_owned).collect())
    }
}

/// What a writer enters, once it was found acceptable.
#[derive(Clone, Debug)]
pub struct Draft {
    title: String,
    body: String,
    tags: Vec<String>,
}

impl Draft {
    /// Checks a title, a text and a list of tags.
    pub fn new<'a>(title: &str, body: &str, tags: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        if body.chars().count() > MAX_BODY {
            return Err(Invalid(format!("The text must not be longer than {MAX_BODY} characters.")));
        }
        Ok(Self {
            title: required("The title", title, MAX_TITLE)?,
            // Browsers send CRLF; one form of line end keeps lengths honest.
            body: body.replace("\r\n", "\n").trim_end().to_owned(),
            tags: tag::normalise(tags)?,
        })
    }
}

/// Which notes to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those with this text in title, text or a tag.
    pub text: Option<String>,
    /// Only those with this tag.
    pub tag: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// The notes on this page, the one changed last first.
    pub notes: Vec<Note>,
    /// This page's number, from one.
    pub page: i64,
    /// The number of pages, at least one.
    pub pages: i64,
    /// The number of notes on all pages.
    pub total: i64,
}

/// A page of the notes a filter lets through.
pub async fn list(db: &Db, filter: &Filter, page: i64, page_size: i64) -> sqlx::Result<Listing> {
    let mut count = Builder::new("SELECT count(*) FROM notes");
    push_filter(&mut count, filter, "notes");
    let total: i64 = count.build_query_scalar().fetch_one(db).await?;

    let page_size = page_size.max(1);
    let pages = ((total + page_size - 1) / page_size).max(1);
    let page = page.clamp(1, pages);
    let mut select = Builder::new("SELECT * FROM note_overview");
    push_filter(&mut select, filter, "note_overview");
    select.push(" ORDER BY updated_at DESC, id DESC LIMIT ");
    select.push_bind(page_size);
    select.push(" OFFSET ");
    select.push_bind((page - 1) * page_size);
    let notes = select.build_query_as().fetch_all(db).await?;
    Ok(Listing { notes, page, pages, total })
}

/// The note with this id.
pub async fn find(db: &Db, id: i64) -> sqlx::Result<Option<Note>> {
    by_id(id).fetch_optional(db).await
}

/// Stores a new note with its tags.
pub async fn create(db: &Db, author: &User, draft: &Draft) -> sqlx::Result<Note> {
    let mut tx = db.begin().await?;
    dialect::take_turns(&mut tx).await?;
    let id: i64 = sqlx::query_scalar("INSERT INTO notes (user_id, title, body) VALUES ($1, $2, $3) RETURNING id")
        .bind(author.id)
        .bind(&draft.title)
        .bind(&draft.body)
        .fetch_one(&mut *tx)
        .await?;
    tag::replace(&mut tx, id, &draft.tags).await?;
    let note = by_id(id).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(note)
}

/// Changes a note and its tags. There is none if it was deleted meanwhile.
pub async fn update(db: &Db, id: i64, draft: &Draft) -> sqlx::Result<Option<Note>> {
    let mut tx = db.begin().await?;
    dialect::take_turns(&mut tx).await?;
    let changed =
        sqlx::query(dialect::CHANGE_NOTE).bind(&draft.title).bind(&draft.body).bind(id).execute(&mut *tx).await?;
    if changed.rows_affected() == 0 {
        return Ok(None);
    }
    tag::replace(&mut tx, id, &draft.tags).await?;
    tag::sweep(&mut tx).await?;
    let note = by_id(id).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(note))
}

/// Deletes a note with its comments and files, and tells where the contents of
/// these are, which stay.
pub async fn delete(db: &Db, id: i64) -> sqlx::Result<Vec<String>> {
    let mut tx = db.begin().await?;
    dialect::take_turns(&mut tx).await?;
    let object_keys = sqlx::query_scalar("DELETE FROM attachments WHERE note_id = $1 RETURNING object_key")
        .bind(id)
        .fetch_all(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM notes WHERE id = $1").bind(id).execute(&mut *tx).await?;
    tag::sweep(&mut tx).await?;
    tx.commit().await?;
    Ok(object_keys)
}

fn by_id(id: i64) -> Select<'static, Note> {
    sqlx::query_as("SELECT * FROM note_overview WHERE id = $1").bind(id)
}

/// Adds the conditions of `filter` on the notes in `source`.
fn push_filter(query: &mut Builder, filter: &Filter, source: &'static str) {
    query.push(" WHERE 1 = 1");
    if let Some(text) = &filter.text {
        let pattern = like_pattern(text);
        query.push(" AND (");
        push_like(query, "title", &pattern);
        query.push(" OR ");
        push_like(query, "body", &pattern);
        query.push(
            " OR EXISTS (SELECT 1 FROM note_tags JOIN tags ON tags.id = note_tags.tag_id WHERE note_tags.note_id = ",
        );
        query.push(source).push(".id AND ");
        push_like(query, "tags.name", &pattern);
        query.push("))");
    }
    if let Some(tag) = &filter.tag {
        query.push(" AND id IN (SELECT note_id FROM note_tags WHERE tag_id = (SELECT id FROM tags WHERE name = lower(");
        query.push_bind(tag.clone()).push(")))");
    }
}

/// Adds the condition that `column` is like `pattern`.
fn push_like(query: &mut Builder, column: &'static str, pattern: &str) {
    query.push(column).push(" ").push(LIKE).push(" ").push_bind(pattern.to_owned()).push(ESCAPE);
}

/// The LIKE pattern that finds `text` anywhere, taken literally.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_patterns_take_text_literally() {
        assert_eq!(like_pattern("50%_\\x"), r"%50\%\_\\x%");
        assert_eq!(like_pattern("plain"), "%plain%");
    }

    #[test]
    fn drafts_are_checked_and_tidied() {
        let draft = Draft::new(" Title ", "one\r\ntwo\r\n", ["B", "a"]).unwrap();
        assert_eq!(draft.title, "Title");
        assert_eq!(draft.body, "one\ntwo");
        assert_eq!(draft.tags, ["b", "a"]);
        assert!(Draft::new("  ", "", []).is_err());
        assert!(Draft::new(&"x".repeat(MAX_TITLE + 1), "", []).is_err());
    }
}
