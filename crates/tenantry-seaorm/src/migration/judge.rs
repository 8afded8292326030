//! Whether a statement of a migration means the same for each tenant.

use tenantry_sqlx::recorder::Ran;
use thiserror::Error;

/// Why a migration cannot be run for all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Why {
    #[error("its name does not begin with a time, as m20260102_030405_name does; name it so")]
    Name,
    #[error("it comes after one whose name has the same time or a later one; sort them")]
    Order,
    #[error("it reads rows, which are other ones for each tenant ({0}); write it as one statement that changes them")]
    Reads(String),
    #[error(
        "it asks for the rows that it changed, whose ids are other ones for each tenant ({0}); use exec_without_returning, \
         and name the ids"
    )]
    Returns(String),
    #[error("it undoes what it did ({0}); leave that out")]
    Undoes(String),
}

/// Whether a statement means the same for each tenant.
pub(super) fn judge(ran: &Ran) -> Result<(), Why> {
    let words = words(&ran.text);
    let has = |sought: &str| words.iter().any(|word| word.eq_ignore_ascii_case(sought));
    let is_of_schema = |word: &&str| {
        let word = word.to_ascii_lowercase();
        let schema = ["sqlite_master", "sqlite_schema", "information_schema"].contains(&word.as_str());
        schema || ["pragma_", "pg_"].iter().any(|start| word.starts_with(start))
    };
    match ran.changes {
        false if has("rollback") => Err(Why::Undoes(ran.text.clone())),
        false if has("from") && !words.iter().any(is_of_schema) => Err(Why::Reads(ran.text.clone())),
        true if has("returning") => Err(Why::Returns(ran.text.clone())),
        _ => Ok(()),
    }
}

/// A statement of PostgreSQL, which does not say whether it may have changed the database. What only reads is not needed by
/// the tenants.
#[cfg(all(feature = "postgres", unix))]
pub(super) fn on_server(ran: Ran) -> Ran {
    let words = words(&ran.text);
    let has = |sought: &str| words.iter().any(|word| word.eq_ignore_ascii_case(sought));
    let changes = match words.first().map(|word| word.to_ascii_lowercase()).as_deref() {
        Some("begin" | "savepoint" | "release" | "rollback" | "show" | "values" | "table") => false,
        // A function may change something, unless it is one that only tells: whether it is allowed is for whoever runs it.
        Some("select") if !has("from") => !words[1..].iter().all(|word| TELLING.contains(&&*word.to_ascii_lowercase())),
        Some("select") => false,
        Some("with") => ["insert", "update", "delete", "merge"].into_iter().any(has),
        _ => true,
    };
    Ran { changes, ..ran }
}

/// What a question without `FROM` may be about.
#[cfg(all(feature = "postgres", unix))]
const TELLING: [&str; 7] = ["pg_catalog", "version", "current_schema", "current_database", "now", "as", "1"];

/// The words of a statement, quoted names among them, without strings and comments.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let up_to = |end: &str| rest[1..].find(end).map_or(rest.len(), |at| 1 + at + end.len());
        let length = match first {
            '-' if rest.starts_with("--") => up_to("\n"),
            '/' if rest.starts_with("/*") => up_to("*/"),
            '\'' => up_to("'"),
            '"' | '`' => up_to(&rest[..1]),
            '[' => up_to("]"),
            '$' => dollar_quote(rest).map_or(1, |quote| {
                quote.len()
                    + rest[quote.len()..].find(quote).map_or_else(|| rest.len() - quote.len(), |at| at + quote.len())
            }),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        if is_word(first) || matches!(first, '"' | '`' | '[') {
            words.push(word.trim_matches(|c| !is_word(c)));
        }
        rest = after;
    }
    words
}

/// `$$` or `$word$`, if the text begins with it.
fn dollar_quote(text: &str) -> Option<&str> {
    let end = text[1..].find(|c: char| !c.is_alphanumeric() && c != '_')? + 1;
    (text[end..].starts_with('$') && !text[1..].starts_with(|c: char| c.is_ascii_digit())).then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_rows_is_refused() {
        let judged = |text: &str, changes| judge(&Ran { text: text.to_owned(), changes });
        for (text, changes) in [
            ("SELECT COUNT(*) > 0 FROM sqlite_master WHERE type = 'table'", false),
            ("SELECT COUNT(*) > 0 AS \"has_column\" FROM pragma_table_info('x')", false),
            ("SELECT sqlite_version()", false),
            ("PRAGMA foreign_keys = OFF", false),
            ("BEGIN", false),
            ("INSERT INTO x VALUES ('returning it''s from')", true),
            ("INSERT INTO x SELECT * FROM y", true),
            ("SELECT COUNT(*) > 0 AS \"has_table\" FROM \"information_schema\".\"tables\"", false),
            ("SELECT COUNT(*) > 0 FROM \"pg_indexes\"", false),
            ("CREATE FUNCTION f() RETURNS int AS $$ INSERT INTO x VALUES (1) RETURNING id $$ LANGUAGE sql", true),
            ("SELECT $a$from $$ cake$a$, $1", false),
        ] {
            assert_eq!(judged(text, changes), Ok(()), "{text}");
        }
        for reads in [
            "SELECT id, 'sqlite_master' FROM cake",
            "-- it's sqlite_master\nSELECT 1 FROM \"cake\"",
            "/* pragma_x's */ WITH x AS (SELECT * FROM [cake]) SELECT 'a''b' from x",
            "SELECT \"it's\" FROM `cake`",
        ] {
            assert_eq!(judged(reads, false), Err(Why::Reads(reads.to_owned())));
        }
        let returns = "INSERT INTO cake (name) VALUES ('x') RETURNING \"id\"";
        assert_eq!(judged(returns, true), Err(Why::Returns(returns.to_owned())));
        let undoes = "-- never mind\nrollback TO x";
        assert_eq!(judged(undoes, false), Err(Why::Undoes(undoes.to_owned())));
        assert_eq!(judged("SELECT COUNT(*) > 0 FROM \"sqlite_master\" WHERE \"type\" = 'x'", false), Ok(()));
    }
}
