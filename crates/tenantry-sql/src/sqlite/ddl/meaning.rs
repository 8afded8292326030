//! What a definition means, as a list of facts: two definitions that differ in white space, quotes, comments or the order
//! of constraints have the same.

use std::collections::HashSet;

use sqlite3_parser::dialect::TokenType as T;

use super::definition::{ColumnRule, ColumnRuleKind, ConstraintKind, CreateTable, Defines, Definition};
use super::words::Words;
use crate::{
    Action, ForeignKey, Limits, Name, Refused, RowId, Span,
    sqlite::{
        lower,
        tokens::{dequoted, tokens},
    },
};

/// The facts that a definition states, sorted. `names` are those of the schema: quotes and upper case do not matter there.
///
/// Names of constraints are none of them: they are seen in messages alone.
///
/// # Errors
///
/// A refusal, if the definition cannot be read.
pub fn meaning(definition: &str, names: &HashSet<Name>, limits: &Limits) -> Result<Vec<String>, Refused> {
    let Definition { kind, comments, .. } = lower::parse_definition(definition, limits)?;
    let reader = Reader { words: Words { text: definition, comments: &comments }, names };
    match kind {
        Defines::Table(table) => reader.table(&table),
        _ => Ok(vec![normal(definition, names)?]),
    }
}

struct Reader<'a> {
    words: Words<'a>,
    names: &'a HashSet<Name>,
}

impl Reader<'_> {
    fn table(&self, table: &CreateTable) -> Result<Vec<String>, Refused> {
        let facts = table.facts(0, &self.words)?;
        let mut said = vec![match &facts.row_id {
            RowId::Column(column) => format!("the row id is {}", folded(column)),
            RowId::Hidden => "the row id is hidden".to_owned(),
            RowId::None => "WITHOUT ROWID".to_owned(),
        }];
        said.extend(table.strict.then(|| "STRICT".to_owned()));
        said.extend(facts.auto_increment.then(|| "AUTOINCREMENT".to_owned()));
        said.extend(facts.foreign_keys.iter().map(foreign_key));
        for (at, column) in (1..).zip(&table.columns) {
            let declared = column.declared.map(|declared| self.text(declared.span)).transpose()?.unwrap_or_default();
            said.push(format!("column {at} is {} {declared}", folded(&column.name.name)).trim_end().to_owned());
            for rule in &column.rules {
                said.extend(self.rule(&folded(&column.name.name), rule)?);
            }
        }
        for constraint in &table.constraints {
            said.extend(match &constraint.kind {
                ConstraintKind::PrimaryKey { terms, conflict, .. } => {
                    let terms = terms.iter().map(|term| self.text(term.span)).collect::<Result<Vec<_>, _>>()?;
                    Some(self.key("PRIMARY KEY", &terms.join(", "), *conflict)?)
                }
                ConstraintKind::Unique { terms, conflict } => {
                    let terms = terms.iter().map(|term| self.text(term.span)).collect::<Result<Vec<_>, _>>()?;
                    Some(self.key("UNIQUE", &terms.join(", "), *conflict)?)
                }
                ConstraintKind::Check(expr) => Some(self.check(expr.span)?),
                ConstraintKind::ForeignKey { .. } => None,
            });
        }
        said.sort();
        Ok(said)
    }

    fn rule(&self, column: &str, rule: &ColumnRule) -> Result<Option<String>, Refused> {
        Ok(match &rule.kind {
            ColumnRuleKind::PrimaryKey { descending, conflict, .. } => {
                let direction = if *descending { " desc" } else { "" };
                Some(self.key("PRIMARY KEY", &format!("{column}{direction}"), *conflict)?)
            }
            ColumnRuleKind::Unique { conflict } => Some(self.key("UNIQUE", column, *conflict)?),
            ColumnRuleKind::Check(expr) => Some(self.check(expr.span)?),
            ColumnRuleKind::NotNull | ColumnRuleKind::Default(_) | ColumnRuleKind::Collate => {
                Some(format!("column {column}: {}", self.unnamed(rule)?))
            }
            ColumnRuleKind::Generated(_) => {
                let text = self.unnamed(rule)?;
                let text = text.strip_prefix("generated always ").unwrap_or(&text);
                Some(format!("column {column}: {}", text.strip_suffix(" virtual").unwrap_or(text)))
            }
            // Foreign keys are facts already.
            ColumnRuleKind::References(_) | ColumnRuleKind::Deferred(_) | ColumnRuleKind::Null => None,
        })
    }

    fn key(&self, kind: &str, terms: &str, conflict: Option<Span>) -> Result<String, Refused> {
        let conflict = conflict.map(|conflict| self.text(conflict)).transpose()?.unwrap_or_default();
        Ok(format!("{kind} ({terms}) {conflict}").trim_end().to_owned())
    }

    fn check(&self, expr: Span) -> Result<String, Refused> {
        let text = self.text(expr)?;
        let inner = text.strip_prefix("( ").and_then(|text| text.strip_suffix(" )")).unwrap_or(&text);
        Ok(format!("CHECK ({inner})"))
    }

    /// A rule without the name before it.
    fn unnamed(&self, rule: &ColumnRule) -> Result<String, Refused> {
        let start = rule.name.as_ref().map_or(rule.span.start, |name| name.span.end);
        self.text(Span::new(start, rule.span.end))
    }

    fn text(&self, span: Span) -> Result<String, Refused> {
        normal(&self.words.at(span), self.names)
    }
}

fn folded(name: &Name) -> String {
    name.as_str().to_ascii_lowercase()
}

fn foreign_key(key: &ForeignKey) -> String {
    let list = |names: &[Name]| names.iter().map(folded).collect::<Vec<_>>().join(", ");
    let (columns, parent, of) = (list(&key.columns), folded(&key.parent), list(&key.parent_columns));
    let (on_delete, on_update) = (action(&key.on_delete), action(&key.on_update));
    let deferred = if key.deferred { " deferred" } else { "" };
    format!("FOREIGN KEY ({columns}) REFERENCES {parent} ({of}) ON DELETE {on_delete} ON UPDATE {on_update}{deferred}")
}

const fn action(action: &Action) -> &'static str {
    match action {
        Action::Nothing => "NO ACTION",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        // The defaults are facts about the columns.
        Action::SetDefault(_) => "SET DEFAULT",
    }
}

/// Words with one space between them, in lower case unless that could mean something else.
fn normal(text: &str, names: &HashSet<Name>) -> Result<String, Refused> {
    let words: Vec<_> = tokens(text)?.iter().map(|token| word(&text[token.span.range()], names)).collect();
    let text = words.join(" ");
    // What a trigger does anyway.
    Ok(text.replacen(" for each row ", " ", 1))
}

fn word(token: &str, names: &HashSet<Name>) -> String {
    match token.chars().next() {
        Some('"' | '`' | '[') => {
            let name = dequoted(token);
            let is_plain = || {
                let is_one =
                    tokens(name.as_str()).is_ok_and(|tokens| matches!(&tokens[..], [one] if one.kind == T::TK_ID));
                is_one && !name.as_str().bytes().any(|byte| byte.is_ascii_uppercase())
            };
            if names.contains(&name) || is_plain() { folded(&name) } else { name.quoted().to_string() }
        }
        Some('\'') => token.to_owned(),
        _ => token.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(definition: &str) -> Vec<String> {
        let names = ["Notes", "Title", "id", "user_id"].map(Name::from).into();
        meaning(definition, &names, &Limits::default()).unwrap()
    }

    #[test]
    fn what_is_written_differently_means_the_same() {
        for (one, other) in [
            (
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (title <> ''), UNIQUE (title))",
                "create table [Notes] (\"id\"  integer primary key, -- the id\n `Title` text UNIQUE constraint x not null, \
                 check(\"Title\"<>''))",
            ),
            (
                "CREATE TABLE c (a REFERENCES p (x) ON DELETE CASCADE, b AS (a + 1))",
                "CREATE TABLE c (a, b GENERATED ALWAYS AS (a+1) VIRTUAL, FOREIGN KEY (\"a\") REFERENCES [p] (x) ON DELETE CASCADE)",
            ),
            (
                "CREATE INDEX i ON notes (title) WHERE title>'A'",
                "create index \"i\" on \"Notes\"(Title) where \"title\" > 'A'",
            ),
            ("CREATE VIEW v AS SELECT 1", "CREATE VIEW v AS /* one */ select 1"),
            (
                "CREATE TRIGGER x AFTER INSERT ON notes BEGIN DELETE FROM notes; END",
                "CREATE TRIGGER x after insert on notes FOR EACH ROW begin delete from notes; end",
            ),
        ] {
            assert_eq!(said(one), said(other), "{one}");
        }
    }

    #[test]
    fn what_means_something_else_differs() {
        for (one, other) in [
            ("CREATE TABLE c (a CHECK (a <> 'x'))", "CREATE TABLE c (a CHECK (a <> 'X'))"),
            ("CREATE TABLE c (a CHECK (a <> \"x\"))", "CREATE TABLE c (a CHECK (a <> \"X\"))"),
            ("CREATE TABLE c (a, b)", "CREATE TABLE c (b, a)"),
            ("CREATE TABLE c (a UNIQUE)", "CREATE TABLE c (a)"),
            ("CREATE TABLE c (a UNIQUE ON CONFLICT IGNORE)", "CREATE TABLE c (a UNIQUE)"),
            ("CREATE TABLE c (a INTEGER PRIMARY KEY)", "CREATE TABLE c (a INTEGER PRIMARY KEY DESC)"),
            ("CREATE TABLE c (a INTEGER PRIMARY KEY)", "CREATE TABLE c (a INTEGER PRIMARY KEY AUTOINCREMENT)"),
            ("CREATE TABLE c (a INT PRIMARY KEY)", "CREATE TABLE c (a INT PRIMARY KEY) WITHOUT ROWID"),
            ("CREATE TABLE c (a TEXT)", "CREATE TABLE c (a TEXT) STRICT"),
            ("CREATE TABLE c (a DEFAULT 1)", "CREATE TABLE c (a DEFAULT '1')"),
            ("CREATE TABLE c (a COLLATE NOCASE)", "CREATE TABLE c (a)"),
            ("CREATE TABLE c (a REFERENCES p)", "CREATE TABLE c (a REFERENCES p ON DELETE SET NULL)"),
            ("CREATE INDEX i ON notes (title)", "CREATE UNIQUE INDEX i ON notes (title)"),
        ] {
            assert_ne!(said(one), said(other), "{one}");
        }
    }
}
