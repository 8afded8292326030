//! What has to be said differently to SQLite and to PostgreSQL: here to
//! PostgreSQL.

use crate::db::Tx;

/// The database of those who name none.
pub(crate) const DEFAULT_URL: &str = "postgres://localhost/notes";

/// Compares with a pattern, whatever the case.
pub(crate) const LIKE: &str = "ILIKE";

/// Says of a pattern that a backslash takes the next character literally, which
/// is so unless something else is said.
pub(crate) const ESCAPE: &str = "";

/// The account with an email address, whatever its case.
pub(crate) const ACCOUNT: &str =
    "SELECT id, email, name, is_admin, created_at, password_hash FROM users WHERE lower(email) = lower($1)";

/// Gives a note another title and text, and notes when.
pub(crate) const CHANGE_NOTE: &str =
    "UPDATE notes SET title = $1, body = $2, updated_at = CURRENT_TIMESTAMP WHERE id = $3";

/// The months with new notes.
pub(crate) const PER_MONTH: &str = "
    WITH months AS (
        SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, count(*) AS notes
          FROM notes
         GROUP BY 1
    )
    SELECT month, notes, CAST(sum(notes) OVER (ORDER BY month) AS BIGINT) AS so_far
      FROM months
     ORDER BY month";

/// The notes of the last day, with their authors.
pub(crate) const LAST_DAY: &str =
    "SELECT title, author FROM note_overview WHERE created_at > CURRENT_TIMESTAMP - INTERVAL '1 day' ORDER BY id";

/// Begins a transaction that sees everything as it was at one moment.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Whether a text has a character that the database does not take, which is the
/// one with the number zero.
pub(crate) fn is_about_a_character(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == CHARACTER_NOT_IN_REPERTOIRE)
}

const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";

/// Makes a transaction wait for others that write, where its statements depend
/// on each other. The one row that every site has stands for the site.
pub(crate) async fn take_turns(tx: &mut Tx) -> sqlx::Result<()> {
    sqlx::query("SELECT id FROM settings WHERE id = 1 FOR UPDATE").execute(&mut **tx).await?;
    Ok(())
}
