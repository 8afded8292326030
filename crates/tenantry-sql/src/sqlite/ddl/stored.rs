//! Changes of a table's stored text that no statement can make.
//!
//! `ALTER TABLE` adds and drops no constraints, but what it adds and drops in the application's table can be a constraint
//! in the shared one. Whoever runs the change writes the new text with `PRAGMA writable_schema`, as
//! <https://sqlite.org/lang_altertable.html> §7 describes for changes that touch no rows.

use sqlite3_parser::dialect::TokenType as T;

use crate::{
    Code, Name, Refused, Span,
    sqlite::tokens::{Token, dequoted, tokens},
};

/// A change of the stored text of a table of the shared schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The table.
    pub table: Name,
    edit: StoredEdit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum StoredEdit {
    AddConstraint(String),
    DropForeignKeys { column: Name },
}

impl Rewrite {
    /// Adds a constraint.
    pub(super) const fn add_constraint(table: Name, constraint: String) -> Self {
        Self { table, edit: StoredEdit::AddConstraint(constraint) }
    }

    /// Drops the foreign keys that consist of this column and the tenant.
    pub(super) const fn drop_foreign_keys(table: Name, column: Name) -> Self {
        Self { table, edit: StoredEdit::DropForeignKeys { column } }
    }

    /// The new text, from the one that is in `sqlite_schema` for the table.
    ///
    /// # Errors
    ///
    /// A refusal, if `stored` is not the text of a shared table.
    pub fn apply(&self, stored: &str) -> Result<String, Refused> {
        let tokens = tokens(stored)?;
        let parts = parts(&tokens).ok_or_else(|| Refused::new(Code::Unverified, "the stored text of a table"))?;
        match &self.edit {
            StoredEdit::AddConstraint(constraint) => {
                let end = parts.last().map_or(0, |part| part.end);
                let end = tokens.get(end).map_or(0, |token| token.span.start);
                Ok(format!("{}, {constraint}{}", &stored[..end], &stored[end..]))
            }
            StoredEdit::DropForeignKeys { column } => {
                let mut text = stored.to_owned();
                for part in parts.iter().rev() {
                    // The part and the comma before it.
                    let Some(before) = part.start.checked_sub(1) else { continue };
                    if is_foreign_key(&tokens[part.start..part.end], stored, column) {
                        text.replace_range(tokens[before].span.start..tokens[part.end].span.start, "");
                    }
                }
                Ok(text)
            }
        }
    }
}

/// The columns and constraints between the parentheses of a `CREATE TABLE`, as ranges of tokens. All are separated by
/// commas, since they were printed so, and each is followed by a token.
fn parts(tokens: &[Token]) -> Option<Vec<Span>> {
    let open = tokens.iter().position(|token| token.kind == T::TK_LP)?;
    let (mut depth, mut start, mut parts) = (0_usize, open + 1, Vec::new());
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            T::TK_LP => depth += 1,
            T::TK_RP if depth == 1 => {
                parts.push(Span::new(start, at));
                return Some(parts);
            }
            T::TK_RP => depth -= 1,
            T::TK_COMMA if depth == 1 => {
                parts.push(Span::new(start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

fn is_foreign_key(part: &[Token], stored: &str, column: &Name) -> bool {
    let part = match part {
        [constraint, _, rest @ ..] if constraint.kind == T::TK_CONSTRAINT => rest,
        whole => whole,
    };
    let [foreign, _, open, rest @ ..] = part else { return false };
    if foreign.kind != T::TK_FOREIGN || open.kind != T::TK_LP {
        return false;
    }
    let columns = rest.split(|token| token.kind == T::TK_RP).next().unwrap_or_default();
    let names = columns.split(|token| token.kind == T::TK_COMMA).filter_map(<[Token]>::first);
    let mut names = names.map(|token| dequoted(&stored[token.span.range()])).filter(|name| !name.is_reserved());
    names.next().as_ref() == Some(column) && names.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = "CREATE TABLE \"c\" (\"_tenant\" INTEGER NOT NULL, \"a\" DECIMAL(3, 2) CHECK (a IN (1, 2)), b, \
                          PRIMARY KEY (\"_tenant\", \"a\"), FOREIGN KEY (\"_tenant\", \"b\") REFERENCES \"p\" (\"_tenant\", \"x\"), \
                          CONSTRAINT \"k\" FOREIGN KEY (\"_tenant\", \"a\", \"b\") REFERENCES \"p\" (\"_tenant\", \"x\", \"y\")) WITHOUT ROWID";

    #[test]
    fn a_constraint_is_added_at_the_end() {
        let added = Rewrite::add_constraint("c".into(), "UNIQUE (x)".to_owned()).apply(STORED).unwrap();
        assert_eq!(added, STORED.replace(") WITHOUT", ", UNIQUE (x)) WITHOUT"));
    }

    #[test]
    fn foreign_keys_of_just_one_column_are_dropped() {
        let dropped = Rewrite::drop_foreign_keys("c".into(), "B".into()).apply(STORED).unwrap();
        let key = ", FOREIGN KEY (\"_tenant\", \"b\") REFERENCES \"p\" (\"_tenant\", \"x\")";
        assert_eq!(dropped, STORED.replace(key, ""));
        assert_eq!(Rewrite::drop_foreign_keys("c".into(), "a".into()).apply(STORED).unwrap(), STORED);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for stored in ["", "CREATE TABLE", "CREATE TABLE x (a"] {
            let refused = Rewrite::add_constraint("c".into(), String::new()).apply(stored).unwrap_err();
            assert_eq!(refused.code, Code::Unverified, "{stored}");
        }
    }
}
