//! Whatever the text, the verifier answers.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// Words and signs that mean something to SQLite or to the verifier.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "SELECT", "VALUES", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "AS", "WITH", "RECURSIVE", "UNION ALL", "GROUP BY",
    "HAVING", "ORDER BY", "LIMIT", "OFFSET", "WINDOW", "OVER", "FILTER", "PARTITION BY", "ROWS", "JOIN", "LEFT", "FULL",
    "NATURAL", "ON", "USING", "INSERT INTO", "REPLACE", "UPDATE", "SET", "DELETE FROM", "RETURNING", "ON CONFLICT",
    "DO NOTHING", "DO UPDATE SET", "CASE", "WHEN", "THEN", "ELSE", "END", "CAST", "COLLATE", "EXISTS", "BETWEEN", "IS",
    "NULL", "ISNULL", "LIKE", "ESCAPE", "RAISE", "IGNORE", "INDEXED BY", "CREATE", "TRIGGER", "VIRTUAL TABLE", "TABLE",
    "CHECK", "DEFAULT", "GENERATED ALWAYS", "REFERENCES", "AFTER", "BEGIN", "EXPLAIN", "PRAGMA", "ATTACH", "VACUUM",
    "main", "users", "notes", "u", "id", "_tenant", "NEW", "OLD", "count", "json_each", "CURRENT_TIME",
    "\"users\"", "'users'", "[users]", "`users`", "\"\"", "''", "\"\"\"\"", "[]", "'", "\"", "[", "x'00'", "x'0", "0x",
    "?9", "?1", "?", "?0", ":a", "$a::b(c)", "@", "#1", "1", "1.5e3", "1_000", "1e", ".", ",", ";", "(", ")", "*", "+",
    "-", "->", "->>", "||", "|", "=", "==", "!=", "!", "<>", "<<", "~", "--", "/*", "*/", "\n", " ", "\0", "\u{feff}",
    "\u{e9}", "\u{1f600}", "{users}", "{logs+}", "{new users}",
];

const SEEDS: &[&str] = &[
    "WITH c(x) AS (SELECT id FROM {users} AS u) SELECT u.*, count(*) FILTER (WHERE 1) OVER (w ROWS 1 PRECEDING) \
     FROM {users} AS u LEFT JOIN {logs+} AS l ON u.id IN c WINDOW w AS (ORDER BY 1) LIMIT 1 OFFSET 2",
    "INSERT INTO main.users AS x (id, _tenant) VALUES (CASE 1 WHEN 2 THEN 3 END, ?9) ON CONFLICT (_tenant, id) WHERE 1 \
     DO UPDATE SET (id, name) = (1, 2) WHERE 1 RETURNING id AS y",
    "UPDATE OR FAIL main.users SET name = 'a' || \"b\" FROM main.countries AS c WHERE users._tenant = ?9 AND (c.code = 1)",
    "DELETE FROM main.users AS u WHERE u._tenant = ?9 AND (NOT id BETWEEN 1 AND CAST(2 AS VARCHAR(3, 4)))",
    "CREATE TRIGGER t AFTER UPDATE OF id ON notes WHEN NEW.id BEGIN SELECT RAISE(ABORT, 'x') FROM {new users} AS u; \
     DELETE FROM users WHERE users._tenant = NEW._tenant; END",
    "CREATE TABLE t (a INTEGER PRIMARY KEY CHECK (a > 1), b TEXT REFERENCES x(y) ON DELETE CASCADE) STRICT",
];

fn verify_all(text: &str) {
    let schema = schema();
    let of_statements = [TENANT, TenantTerm::New, TenantTerm::Old].map(|tenant| verify(text, &schema, tenant));
    for result in of_statements.into_iter().chain([verify_trigger(text, &schema)]) {
        if let Err(refused) = result {
            assert_eq!(refused.code, Code::Unverified, "{text:?}");
        }
    }
}

/// Replaces a stretch of the text by some words, characters whole.
fn mutated(text: &str, at: usize, length: usize, words: &[&str]) -> String {
    let characters: Vec<char> = text.chars().collect();
    let start = at % (characters.len() + 1);
    let end = (start + length).min(characters.len());
    let before: String = characters[..start].iter().collect();
    let after: String = characters[end..].iter().collect();
    format!("{before}{}{after}", words.join(" "))
}

proptest! {
    #[test]
    fn mutated_statements_do_not_panic(
        seed in select(SEEDS),
        edits in vec((0..500_usize, 0..30_usize, vec(select(WORDS), 0..4)), 1..5),
    ) {
        let text = edits.iter().fold(scoped(seed), |text, (at, length, words)| mutated(&text, *at, *length, words));
        verify_all(&scoped(&text));
    }

    #[test]
    fn words_in_any_order_do_not_panic(words in vec(select(WORDS), 0..30)) {
        verify_all(&scoped(&words.join(" ")));
        verify_all(&words.concat());
    }

    #[test]
    fn any_text_does_not_panic(text in ".{0,60}") {
        verify_all(&text);
        verify_all(&format!("SELECT {text}"));
    }
}
