//! Statements that run as they are written, when the schema changes under them.
//!
//! On a database of the tenant's own, `*` stands for whatever columns there are, and that database may be migrated while its
//! tenant is served. What a connection has prepared before is not of the same columns any more.
//!
//! * PostgreSQL refuses it, and has done nothing then. The connection forgets what it has prepared, and a statement that runs
//!   by itself is run once more. Within a transaction the application is told, and may begin it again.
//! * SQLite prepares it anew while it runs, and sqlx goes on with the columns that it knew: values would get the names of
//!   others. So a statement with a `*` in it is not kept prepared, and in the same breath the connection looks whether the
//!   schema is another one.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{Scopable, moved::reads, statement::Ready};

/// What a statement becomes that runs as it is written.
pub(super) fn as_written<DB: Scopable>(
    text: SqlStr,
    arguments: Option<DB::Arguments>,
    persistent: bool,
    on_pool: bool,
) -> Ready<DB> {
    if DB::REFUSES_STALE || !has_star(text.as_str()) {
        return Ready::as_written(text, arguments, persistent);
    }
    // A transaction that reads before it writes cannot write any more when somebody else has written since. It has looked when
    // it began.
    let looks = on_pool || reads(text.as_str());
    let ready = Ready::as_written(text, arguments, false);
    if looks { ready.after(LOOK) } else { ready }
}

/// What a transaction begins with on SQLite: with a look, and then the statement that it was to begin with.
pub(crate) fn beginning(statement: Option<&SqlStr>) -> SqlStr {
    let begin = statement.map_or("BEGIN", SqlStr::as_str);
    AssertSqlSafe(format!("{LOOK}{begin}")).into_sql_str()
}

/// Whether what a statement gives may depend on which columns a table has.
fn has_star(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| !text[..at].ends_with('('))
}

/// Gives nothing, and makes SQLite compare the schema that it knows with the one that there is.
const LOOK: &str = "SELECT 1 FROM main.sqlite_schema LIMIT 0; ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_columns_unless_rows_are_counted() {
        assert!(has_star("SELECT * FROM t") && has_star("SELECT count(*), t.* FROM t") && has_star("é*"));
        assert!(!has_star("SELECT count(*) FROM t") && !has_star(""));
    }
}
