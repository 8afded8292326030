//! Whatever the text, nothing panics, and what passes was verified.

use proptest::prelude::*;

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
];

proptest! {
    #[test]
    fn no_words_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..25), tight: bool) {
        let text = words.join(if tight { "" } else { " " });
        drop(rewriter().scope(&text));
        drop(rewriter().scope(&format!("SELECT {text}")));
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
