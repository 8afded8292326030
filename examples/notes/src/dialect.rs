//! What has to be said differently to SQLite and to PostgreSQL: here to SQLite.

use crate::db::Tx;

/// The database of those who name none.
pub(crate) const DEFAULT_URL: &str = "sqlite://notes.db";

/// Compares with a pattern, whatever the case.
pub(crate) const LIKE: &str = "LIKE";

/// Says of a pattern that a backslash takes the next character literally.
pub(crate) const ESCAPE: &str = r" ESCAPE '\'";

/// The account with an email address, whatever its case.
pub(crate) const ACCOUNT: &str =
    "SELECT id, email, name, is_admin, created_at, password_hash FROM users WHERE email = $1";

/// Gives a note another title and text. The trigger `notes_touch` notes when.
pub(crate) const CHANGE_NOTE: &str = "UPDATE notes SET title = $1, body = $2 WHERE id = $3";

/// The months with new notes.
pub(crate) const PER_MONTH: &str = "
    WITH months AS (
        SELECT strftime('%Y-%m', created_at) AS month, count(*) AS notes
          FROM notes
         GROUP BY 1
    )
    SELECT month, notes, sum(notes) OVER (ORDER BY month) AS so_far
      FROM months
     ORDER BY month";

/// The notes of the last day, with their authors.
pub(crate) const LAST_DAY: &str =
    "SELECT title, author FROM note_overview WHERE created_at > datetime('now', '-1 day') ORDER BY id";

/// Begins a transaction that sees everything as it was at one moment.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN";

/// Whether a text has a character that the database does not take. SQLite takes
/// all.
pub(crate) fn is_about_a_character(_: &sqlx::Error) -> bool {
    false
}

/// Makes a transaction wait for others that write, where its statements depend
/// on each other. There is nothing to do: SQLite has one that writes at a time.
pub(crate) async fn take_turns(_: &mut Tx) -> sqlx::Result<()> {
    Ok(())
}
