//! Whatever the text, nothing panics, and what passes was verified.

use proptest::prelude::*;

use tenantry_sql::Code;

use super::rewriter;

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "users",
    "orders",
    "u",
    "*",
    ",",
    "(",
    ")",
    "=",
    "1",
    "'a'",
    "$1",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "AS",
    "WITH",
    "RECURSIVE",
    "UNION",
    "VALUES",
    "TABLE",
    "ORDER",
    "BY",
    "GROUP",
    "LIMIT",
    "public",
    ".",
    "id",
    "name",
    "count",
    "EXISTS",
    "IN",
    "NOT",
    "AND",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "LATERAL",
    "::",
    "int",
    "ARRAY",
    "[",
    "]",
    "--",
    "/*",
    "*/",
    "'",
    "\"",
    "$$",
    "\\",
    "U&\"",
    "é",
    ";",
    "NULL",
    "OVER",
    "FOR",
    "UPDATE",
    "ONLY",
    "DISTINCT",
    "EXCEPT",
    "ROW",
    "DROP",
    "COMMIT",
    "DELETE",
    "INSERT",
    "INTO",
    "SET",
    "RETURNING",
    "E'",
    "\n",
    "_tenant",
    "ctid",
    "MERGE",
    "MATCHED",
    "BY SOURCE",
    "TRUNCATE",
    "TABLESAMPLE",
    "system",
    "(1)",
    "pg_class",
    "information_schema",
    "tables",
    "CONFLICT",
    "CONSTRAINT",
    "users_pkey",
    "DO",
    "NOTHING",
    "SHOW",
    "timezone",
    "mood",
    "home",
    "street",
    "docs",
    "old",
    "excluded",
    "CYCLE",
];

/// Beginnings of statements that words are put after, so that more of them can be read.
const BEGINNINGS: &[&str] = &[
    "SELECT * FROM users u WHERE",
    "SELECT u.name FROM users u GROUP BY id,",
    "SELECT (",
    "UPDATE users SET name =",
    "UPDATE users u SET name = 'x' FROM orders WHERE",
    "DELETE FROM users WHERE id IN (SELECT",
    "DELETE FROM users RETURNING",
    "INSERT INTO users",
    "INSERT INTO users (id)",
    "INSERT INTO users (id) VALUES (1) ON CONFLICT",
    "MERGE INTO users USING orders ON users.id = uid WHEN",
    "MERGE INTO users USING orders ON",
    "WITH d AS (DELETE FROM users RETURNING *)",
    "TRUNCATE",
    "SET",
];

proptest! {
    #[test]
    fn no_words_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..25), tight: bool) {
        let text = words.join(if tight { "" } else { " " });
        drop(rewriter().scope(&text));
        drop(rewriter().scope(&format!("SELECT {text}")));
    }

    #[test]
    fn what_the_rules_accept_is_verified(
        beginning in prop::sample::select(BEGINNINGS),
        words in prop::collection::vec(prop::sample::select(WORDS), 0..8),
    ) {
        let text = format!("{beginning} {}", words.join(" "));
        if let Err(refused) = rewriter().scope(&text) {
            prop_assert_ne!(refused.code, Code::Unverified, "{}\n{}", text, refused);
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,60}") {
        drop(rewriter().scope(&text));
        drop(rewriter().scope(&format!("SELECT {text} FROM users")));
    }
}

#[test]
fn no_cut_of_a_statement_panics() {
    let text = r#"WITH c(x) AS (SELECT "id" FROM users u WHERE name = 'é\d' OR E'\'' = $$a$$) SELECT count(*) FILTER (WHERE c.x > $1) OVER w, CASE x WHEN 1 THEN ARRAY[1]::int[] END FROM c LEFT JOIN LATERAL (TABLE orders) o ON true WINDOW w AS (ORDER BY x) /* é */"#;
    rewriter().scope(text).unwrap();
    for (at, _) in text.char_indices() {
        drop(rewriter().scope(&text[..at]));
        drop(rewriter().scope(&text[at..]));
    }
}
