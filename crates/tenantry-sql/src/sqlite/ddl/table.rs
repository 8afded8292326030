//! `CREATE TABLE`: the tenant first, the row id a column, every key prefixed by the tenant (Lemma 4).

use super::{
    Change, ChangeKind, Conversion, Step,
    definition::{ColumnDef, ColumnRule, ColumnRuleKind, Constraint, ConstraintKind, CreateTable, Term},
    expression, key,
    words::Words,
};
use crate::{Ident, Name, ROW_ID, Refused, RowId, Span, TENANT, Table};

pub(super) fn create(
    table: &CreateTable,
    span: Span,
    words: &Words<'_>,
    conversion: &Conversion<'_>,
) -> Result<Change, Refused> {
    conversion.in_main(&table.table, words.text)?;
    let name = &table.table.name.name;
    if table.if_not_exists && conversion.schema.relation(name).is_some() {
        return Ok(Change::new(ChangeKind::Nothing, []));
    }
    let is_global = conversion.globals.contains(name);
    for expr in expressions(table) {
        let has = |name: &Name| is_global || table.columns.iter().any(|column| column.name.name == *name);
        expression::check(expr, words.text, has)?;
    }
    let facts = table.facts(if is_global { 0 } else { conversion.next_number }, words)?;
    let keys = table.foreign_keys();
    if is_global {
        for (declared, foreign) in keys.iter().zip(&facts.foreign_keys) {
            let at = key::at(words.text, declared.reference.parent.span);
            key::check_global(foreign, &facts, conversion).map_err(at)?;
        }
        let kind = ChangeKind::CreateTable { table: Box::new(facts), is_global };
        return Ok(Change::run(kind, words.at(span)));
    }
    let mut constraints = Vec::new();
    for (declared, foreign) in keys.iter().zip(&facts.foreign_keys) {
        let parent = key::parent(foreign, &facts, conversion);
        let parent = parent.map_err(key::at(words.text, declared.reference.parent.span))?;
        constraints.push(key::constraint(declared.name.map(|name| &name.name), foreign, &parent));
    }
    let mut steps = vec![Step::Run(Printer { table, facts: &facts, words }.print(constraints))];
    steps.extend(key::create_triggers(&facts, conversion)?);
    steps.extend(key::create_triggers_on(&facts, conversion)?);
    Ok(Change::new(ChangeKind::CreateTable { table: Box::new(facts), is_global }, steps))
}

/// The expressions of a definition that may name columns. Defaults may not: a word there is a string.
fn expressions(table: &CreateTable) -> impl Iterator<Item = &crate::ir::Expr> {
    let of_columns = table.columns.iter().flat_map(column_expressions);
    of_columns.chain(table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Check(expr) => Some(expr),
        ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. } | ConstraintKind::ForeignKey { .. } => None,
    }))
}

/// The expressions of a column.
pub(super) fn column_expressions(column: &ColumnDef) -> impl Iterator<Item = &crate::ir::Expr> {
    column.rules.iter().filter_map(|rule| match &rule.kind {
        ColumnRuleKind::Check(expr) | ColumnRuleKind::Generated(expr) => Some(expr),
        ColumnRuleKind::Default(default) if default.word.is_none() => Some(&default.expr),
        _ => None,
    })
}

struct Printer<'a> {
    table: &'a CreateTable,
    facts: &'a Table,
    words: &'a Words<'a>,
}

impl Printer<'_> {
    fn print(&self, foreign_keys: Vec<String>) -> String {
        let mut parts = vec![format!("\"{TENANT}\" INTEGER NOT NULL")];
        match &self.facts.row_id {
            RowId::Column(key) => {
                let column = self.table.columns.iter().find(|column| column.name.name == *key);
                parts.push(self.row_id(key.as_str(), column));
            }
            RowId::Hidden => parts.push(self.row_id(ROW_ID, None)),
            RowId::None => {}
        }
        let others = self.table.columns.iter().filter(|column| !self.is_row_id(&column.name.name));
        parts.extend(others.map(|column| self.column(column)));
        for column in &self.table.columns {
            parts.extend(column.rules.iter().filter_map(|rule| self.column_key(column, rule)));
        }
        parts.extend(self.table.constraints.iter().filter_map(|constraint| self.constraint(constraint)));
        // SQLite checks the key first that was declared last, and a private database checks the row id before all others.
        if let Some(id) = self.facts.id_column() {
            parts.push(format!("PRIMARY KEY (\"{TENANT}\", {}){}", Name::from(id).quoted(), self.row_id_conflict()));
        }
        parts.extend(foreign_keys);
        let if_not_exists = if self.table.if_not_exists { "IF NOT EXISTS " } else { "" };
        let strict = if self.table.strict { "STRICT, " } else { "" };
        let (name, parts) = (self.facts.name.quoted(), parts.join(", "));
        format!("CREATE TABLE {if_not_exists}\"main\".{name} ({parts}) {strict}WITHOUT ROWID")
    }

    fn is_row_id(&self, name: &Name) -> bool {
        matches!(&self.facts.row_id, RowId::Column(key) if key == name)
    }

    /// The column that is filled in when a row is inserted without it, when a private database would choose its row id.
    fn row_id(&self, name: &str, column: Option<&ColumnDef>) -> String {
        let (id, number) = (Name::from(name), self.facts.number);
        let id = id.quoted();
        let rules = column.into_iter().flat_map(|column| &column.rules);
        // A default of the application's is never used for a row id, and NULL never stays. Checks come before the named
        // one, whose name would be theirs as well.
        let kept = rules.filter(|rule| matches!(rule.kind, ColumnRuleKind::Check(_) | ColumnRuleKind::Collate));
        let kept: String = kept.map(|rule| self.words.after_space(Some(rule.span))).collect();
        format!(
            "{id} INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT (_tenantry_next_id({number})){kept} \
             CONSTRAINT \"_tenantry_row_id\" CHECK (typeof({id}) = 'integer')"
        )
    }

    /// The `ON CONFLICT` clause of the application's primary key, if that is the row id.
    fn row_id_conflict(&self) -> String {
        if self.facts.row_id == RowId::Hidden {
            return String::new();
        }
        let rules = self.table.columns.iter().flat_map(|column| &column.rules);
        let of_column = rules.filter_map(|rule| match rule.kind {
            ColumnRuleKind::PrimaryKey { conflict, .. } => Some(conflict),
            _ => None,
        });
        let of_table = self.table.constraints.iter().filter_map(|constraint| match constraint.kind {
            ConstraintKind::PrimaryKey { conflict, .. } => Some(conflict),
            _ => None,
        });
        self.words.after_space(of_column.chain(of_table).next().flatten())
    }

    /// A column without its keys.
    fn column(&self, column: &ColumnDef) -> String {
        let declared = self.words.after_space(column.declared.map(|declared| declared.span));
        let rules: String = column.rules.iter().filter_map(|rule| kept(rule, self.words)).collect();
        // What SQLite implies for the primary key of a STRICT table, and for no UNIQUE.
        let is_key = self.facts.primary_key.contains(&column.name.name);
        let has_not_null = column.rules.iter().any(|rule| matches!(rule.kind, ColumnRuleKind::NotNull));
        let implied = self.table.strict && is_key && !has_not_null && self.facts.row_id != RowId::None;
        let implied = if implied { " NOT NULL" } else { "" };
        format!("{}{declared}{rules}{implied}", column.name.name.quoted())
    }

    /// `UNIQUE` and `PRIMARY KEY` of a column, as constraints of the table.
    fn column_key(&self, column: &ColumnDef, rule: &ColumnRule) -> Option<String> {
        let column = &column.name.name;
        let (primary, term, conflict) = match rule.kind {
            ColumnRuleKind::PrimaryKey { .. } if self.is_row_id(column) => return None,
            ColumnRuleKind::PrimaryKey { descending, conflict, .. } => {
                let direction = if descending { " DESC" } else { "" };
                (true, format!("{}{direction}", column.quoted()), conflict)
            }
            ColumnRuleKind::Unique { conflict } => (false, column.quoted().to_string(), conflict),
            _ => return None,
        };
        Some(self.key(rule.name.as_ref(), primary, &term, conflict))
    }

    /// A constraint, prefixed by the tenant if it is a key. Foreign keys are printed elsewhere.
    fn constraint(&self, constraint: &Constraint) -> Option<String> {
        let name = constraint.name.as_ref();
        match &constraint.kind {
            ConstraintKind::PrimaryKey { .. } if matches!(self.facts.row_id, RowId::Column(_)) => None,
            ConstraintKind::PrimaryKey { terms, conflict, .. } => {
                Some(self.key(name, true, &terms_of(terms, self.words), *conflict))
            }
            ConstraintKind::Unique { terms, conflict } => {
                Some(self.key(name, false, &terms_of(terms, self.words), *conflict))
            }
            ConstraintKind::Check(_) => Some(self.words.at(constraint.span)),
            ConstraintKind::ForeignKey { .. } => None,
        }
    }

    /// A primary key of a table that has a row id besides is but unique, and may be `NULL`.
    fn key(&self, name: Option<&Ident>, primary: bool, terms: &str, conflict: Option<Span>) -> String {
        let name = name.map(|name| format!("CONSTRAINT {} ", name.name.quoted())).unwrap_or_default();
        let kind = if primary && self.facts.row_id == RowId::None { "PRIMARY KEY" } else { "UNIQUE" };
        format!("{name}{kind} (\"{TENANT}\", {terms}){}", self.words.after_space(conflict))
    }
}

/// What of a column's definition stays where it is, after a space.
pub(super) fn kept(rule: &ColumnRule, words: &Words<'_>) -> Option<String> {
    match rule.kind {
        ColumnRuleKind::NotNull
        | ColumnRuleKind::Null
        | ColumnRuleKind::Check(_)
        | ColumnRuleKind::Default(_)
        | ColumnRuleKind::Collate
        | ColumnRuleKind::Generated(_) => Some(words.after_space(Some(rule.span))),
        ColumnRuleKind::PrimaryKey { .. }
        | ColumnRuleKind::Unique { .. }
        | ColumnRuleKind::References(_)
        | ColumnRuleKind::Deferred(_) => None,
    }
}

/// The terms of a key or an index, as they are written.
pub(super) fn terms_of(terms: &[Term], words: &Words<'_>) -> String {
    terms.iter().map(|term| words.at(term.span)).collect::<Vec<_>>().join(", ")
}
