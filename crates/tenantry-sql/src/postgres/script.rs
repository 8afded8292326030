//! Scripts, statement by statement.

use pg_query::protobuf::RawStmt;

use super::tokens::unreadable;
use crate::{Code, Refused};

/// The statements of a script, without the semicolons between them.
///
/// # Errors
///
/// A refusal, if the script cannot be read.
pub(crate) fn statements(script: &str) -> Result<Vec<&str>, Refused> {
    let tree = pg_query::parse(script, 0).map_err(|error| unreadable(&error))?.protobuf;
    let each = tree.stmts.iter().map(|RawStmt { stmt: _, stmt_location, stmt_len }| {
        let start = usize::try_from(*stmt_location).ok()?;
        // The last one may end with the script, and then says no length.
        let end = match usize::try_from(*stmt_len).ok()? {
            0 => script.len(),
            length => start + length,
        };
        script.get(start..end).map(str::trim)
    });
    each.collect::<Option<_>>().ok_or_else(|| Refused::new(Code::Statement, "a script whose statements are not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_split_where_its_statements_end() {
        assert_eq!(statements(" ;; -- nothing\n").unwrap(), Vec::<&str>::new());
        let script = "-- a\nCREATE TABLE t (a text DEFAULT ';'); SELECT $$;$$ ;\n\tDELETE FROM é";
        let expected = ["CREATE TABLE t (a text DEFAULT ';')", "SELECT $$;$$", "DELETE FROM é"];
        assert_eq!(statements(script).unwrap(), expected);
        assert!(statements("SELECT 'x").is_err());
    }
}
