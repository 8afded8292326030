//! Migration scripts, statement by statement.

use sqlite3_parser::dialect::TokenType as T;

use crate::{
    Refused,
    sqlite::tokens::{Token, tokens},
};

/// The statements of a script, without the semicolons between them.
///
/// A `CREATE TRIGGER` is one statement, semicolons included: it ends as SQLite's own `sqlite3_complete` says, with an `END`
/// between two semicolons.
///
/// # Errors
///
/// A refusal, if the script cannot be read.
pub fn statements(script: &str) -> Result<Vec<&str>, Refused> {
    let tokens = tokens(script)?;
    let mut statements = Vec::new();
    let mut rest = tokens.as_slice();
    while let [first, ..] = rest {
        let end = if is_trigger(rest) { trigger_end(rest) } else { rest.iter().position(is_semicolon) };
        let end = end.unwrap_or(rest.len());
        if let Some(last) = end.checked_sub(1).and_then(|last| rest.get(last)) {
            statements.push(&script[first.span.start..last.span.end]);
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Ok(statements)
}

fn is_semicolon(token: &Token) -> bool {
    token.kind == T::TK_SEMI
}

/// Whether a statement that begins so is a `CREATE TRIGGER`.
fn is_trigger(statement: &[Token]) -> bool {
    let explained = [T::TK_EXPLAIN, T::TK_QUERY, T::TK_PLAN];
    let mut kinds = statement.iter().map(|token| token.kind).skip_while(|kind| explained.contains(kind));
    kinds.next() == Some(T::TK_CREATE)
        && match kinds.next() {
            Some(T::TK_TEMP) => kinds.next() == Some(T::TK_TRIGGER),
            other => other == Some(T::TK_TRIGGER),
        }
}

/// Where the semicolon after the `END` of a trigger is.
fn trigger_end(statement: &[Token]) -> Option<usize> {
    let ends = |window: &[Token]| {
        matches!(window, [before, end, after]
            if is_semicolon(before) && end.kind == T::TK_END && is_semicolon(after))
    };
    statement.windows(3).position(ends).map(|at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn split(script: &str, expected: &[&str]) {
        assert_eq!(statements(script).unwrap(), expected, "{script}");
    }

    #[test]
    fn semicolons_separate() {
        split("", &[]);
        split(" ;; -- nothing\n ;", &[]);
        split("a;b ; c", &["a", "b", "c"]);
        split("select ';' /* ; */ x -- ;\n; select [;]", &["select ';' /* ; */ x", "select [;]"]);
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let trigger = "CREATE TEMP TRIGGER x AFTER INSERT ON t WHEN CASE 1 WHEN 1 THEN 1 END \
                       BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM t; END";
        split(&format!("BEGIN; {trigger}; COMMIT; END"), &["BEGIN", trigger, "COMMIT", "END"]);
        let open = "create trigger x begin select 1; end";
        split(open, &[open]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(statements("select 'x").is_err());
    }
}
