//! What the shared tables should be, given the application's own.
//!
//! Each has the tenant in front: as a column, and in every key and index. What cannot be kept apart per tenant is refused.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tenantry_sql::{Code, Name, Quoted, RESERVED_PREFIX, Refused, SHARED_SCHEMA, TENANT};

use super::{
    followed::Followed,
    foreign,
    model::{Column, Constraint, Index, Model, Security, Sequence, Table, Trigger},
    numbering,
    numbering::Numbered,
};

/// The name of the one policy that a shared table has.
pub(super) const POLICY: &str = "_tenant";

/// The default of the tenant column, and what the policy compares it with, as the server prints it.
pub(super) const CURRENT: &str = "(current_setting('tenantry.tenant'::text))::bigint";

/// What there is to know besides the application's schema.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) followed: &'a [Followed],
    pub(super) extensions: &'a HashSet<String>,
    /// Sequences that each tenant has of its own.
    pub(super) numbered: &'a [Numbered],
}

impl Surroundings<'_> {
    /// The shared schema that belongs to the application's.
    pub(super) fn shape(&self, logical: &Model) -> Result<Model, Refused> {
        let mut shape = Model::default();
        for (name, table) in &logical.tables {
            check_table(name, table)?;
            let mut shared = self.table(name, table)?;
            shared.triggers = self.triggers(name, logical, &shared);
            shape.tables.insert(name.clone(), shared);
        }
        for (name, sequence) in &logical.sequences {
            check_name("sequence", name)?;
            let is_replaced = sequence.is_identity && self.numbered(name).is_some();
            let shared = if is_replaced { numbering::only_marks(sequence) } else { sequence.clone() };
            shape.sequences.insert(name.clone(), Sequence { grants: vec!["USAGE".to_owned()], ..shared });
        }
        Ok(shape)
    }

    fn table(&self, name: &str, table: &Table) -> Result<Table, Refused> {
        let global = self.is_global(name);
        let shift = i16::from(!global);
        let mut columns = BTreeMap::new();
        if !global {
            columns.insert(1, tenant_column());
        }
        for (number, column) in &table.columns {
            check_name("column", &column.name)?;
            columns.insert(number.saturating_add(shift), shared_column(name, column, self.numbered)?);
        }
        let mut constraints = BTreeMap::new();
        for (constraint_name, constraint) in &table.constraints {
            check_name("constraint", constraint_name)?;
            constraints.insert(constraint_name.clone(), self.constraint(name, constraint_name, constraint)?);
        }
        let mut indexes = BTreeMap::new();
        for (index_name, index) in &table.indexes {
            check_name("index", index_name)?;
            let shared = if global { index.clone() } else { self.index(index_name, index)? };
            indexes.insert(index_name.clone(), shared);
        }
        let has_key = table.constraints.values().any(|constraint| constraint.kind == "p");
        if let Some(number) = self.number(name).filter(|_| !global && !has_key) {
            // A tenant's rows are found together.
            let tail = Some(format!("{TENANT})"));
            let index = Index { method: "btree".to_owned(), unique: false, valid: true, tail };
            indexes.insert(format!("{TENANT}_{number}"), index);
        }
        let privileges: &[&str] = if global { &["SELECT"] } else { &["DELETE", "INSERT", "SELECT", "UPDATE"] };
        Ok(Table {
            columns,
            width: table.width.saturating_add(shift),
            constraints,
            indexes,
            security: if global { Security::default() } else { security() },
            grants: privileges.iter().map(|privilege| (*privilege).to_owned()).collect::<BTreeSet<_>>(),
            ..table.clone()
        })
    }

    fn constraint(&self, table: &str, name: &str, constraint: &Constraint) -> Result<Constraint, Refused> {
        let construct = || format!("constraint {} of {}", Quoted::new(name), Quoted::new(table));
        let global = self.is_global(table);
        if constraint.whole_row {
            return Err(Refused::new(Code::Constraint, construct()).hint("name the columns that it is about"));
        }
        let text = match constraint.kind.as_str() {
            "f" => match &constraint.foreign {
                Some(foreign) => {
                    let key = foreign::Key { constraint, foreign, of_global: global };
                    key.shared(self.is_global(&foreign.parent))
                        .map_err(|hint| Refused::new(Code::Constraint, construct()).hint(hint))?
                }
                None => return Err(Refused::new(Code::Constraint, construct())),
            },
            "x" if !global => {
                self.check_method(constraint.method.as_deref().unwrap_or_default(), construct)?;
                prefixed(&constraint.text, &format!("{TENANT} WITH =, "))
            }
            "p" | "u" if !global => prefixed(&constraint.text, &format!("{TENANT}, ")),
            _ => constraint.text.clone(),
        };
        Ok(Constraint { text, ..constraint.clone() })
    }

    fn index(&self, name: &str, index: &Index) -> Result<Index, Refused> {
        let construct = || format!("index {}", Quoted::new(name));
        self.check_method(&index.method, construct)?;
        let Some(tail) = &index.tail else { return Err(Refused::new(Code::Constraint, construct())) };
        Ok(Index { tail: Some(format!("{TENANT}, {tail}")), ..index.clone() })
    }

    /// Whether the tenant can be put in front in an index that works so.
    fn check_method(&self, method: &str, construct: impl Fn() -> String) -> Result<(), Refused> {
        let refused = || Refused::new(Code::Constraint, format!("{} by {method}", construct()));
        let extension = match method {
            "btree" => return Ok(()),
            "gin" => "btree_gin",
            "gist" => "btree_gist",
            _ => return Err(refused().hint("use btree; an index by this method cannot have the tenant in front")),
        };
        match self.extensions.contains(extension) {
            true => Ok(()),
            false => Err(refused().hint(format!("first run CREATE EXTENSION IF NOT EXISTS {extension}"))),
        }
    }

    fn is_global(&self, table: &str) -> bool {
        self.of(table).is_some_and(|followed| followed.global)
    }

    fn number(&self, table: &str) -> Option<i64> {
        self.of(table).map(|followed| followed.number)
    }

    fn numbered(&self, sequence: &str) -> Option<&Numbered> {
        self.numbered.iter().find(|own| own.is(sequence))
    }

    /// What gives the identities of a shared table their numbers.
    fn triggers(&self, name: &str, logical: &Model, shared: &Table) -> BTreeMap<String, Trigger> {
        let mut triggers = BTreeMap::new();
        for (sequence, of) in &logical.sequences {
            let is_own = of.is_identity && of.owner_table.as_deref() == Some(name);
            let Some(own) = self.numbered(sequence).filter(|_| is_own) else { continue };
            let column = shared.columns.iter().find(|(_, column)| Some(&column.name) == of.owner_column.as_ref());
            if let Some((number, column)) = column {
                triggers.extend([own.trigger(*number, &column.name)]);
            }
        }
        triggers
    }

    fn of(&self, table: &str) -> Option<&Followed> {
        self.followed.iter().find(|followed| followed.logical.as_deref() == Some(table))
    }
}

fn tenant_column() -> Column {
    Column {
        name: TENANT.to_owned(),
        kind: "bigint".to_owned(),
        collation: None,
        not_null: true,
        identity: String::new(),
        generated: String::new(),
        expression: Some(CURRENT.to_owned()),
        storage: None,
        compression: String::new(),
        sequences: Vec::new(),
    }
}

/// A column whose default takes its numbers from the shared sequences, or from the tenant's own.
fn shared_column(table: &str, column: &Column, numbered: &[Numbered]) -> Result<Column, Refused> {
    let mut column = column.clone();
    for sequence in &mut column.sequences {
        let Some(name) = sequence.strip_prefix("'public.") else {
            let construct = format!("default of column {}.{}", Quoted::new(table), Quoted::new(&column.name));
            return Err(Refused::new(Code::SharedState, construct).hint("take the numbers from a sequence in public"));
        };
        let shared = format!("'{SHARED_SCHEMA}.{name}");
        if let Some(expression) = &mut column.expression {
            let own = numbered.iter().find(|own| own.is_literal(sequence));
            *expression = match own {
                Some(own) => expression.replace(&format!("nextval({sequence}::regclass)"), &own.next()),
                None => expression.replace(&format!("{sequence}::regclass"), &format!("{shared}::regclass")),
            };
        }
        *sequence = shared;
    }
    Ok(column)
}

fn security() -> Security {
    let condition = format!("({TENANT} = {CURRENT})");
    let policy = format!("{POLICY}\nfor * t to {{0}} using {condition} check {condition}");
    Security { enabled: true, forced: true, policies: vec![policy] }
}

/// The text with something put in after its first parenthesis.
fn prefixed(text: &str, prefix: &str) -> String {
    text.replacen('(', &format!("({prefix}"), 1)
}

/// Whether tables of this kind can be shared.
fn check_table(name: &str, table: &Table) -> Result<(), Refused> {
    check_name("table", name)?;
    let (what, hint) = match (table.kind.as_str(), table.persistence.as_str()) {
        ("p", _) => ("is partitioned", "make it an ordinary table"),
        ("f", _) => ("is a foreign table", "make it an ordinary table"),
        ("m", _) => ("is a materialized view", "make it a view, or a table that the application fills"),
        (_, "u") => ("is unlogged", "run ALTER TABLE … SET LOGGED"),
        _ if table.inherits => ("inherits, or is inherited from", "give each table all its columns"),
        _ if !table.triggers.is_empty() => ("has triggers", "let the application do what they do"),
        _ if table.rules => ("has rules", "let the application do what they do"),
        _ if table.security != Security::default() => ("has policies", "leave them out: policies keep tenants apart"),
        _ => return Ok(()),
    };
    Err(Refused::new(Code::Ddl, format!("table {}, which {what}", Quoted::new(name))).hint(hint))
}

fn check_name(what: &str, name: &str) -> Result<(), Refused> {
    match Name::exact(name).is_reserved() {
        true => Err(Refused::new(Code::Reserved, format!("{what} {}", Quoted::new(name)))
            .hint(format!("rename it; names that begin with {RESERVED_PREFIX} belong to Tenantry"))),
        false => Ok(()),
    }
}

/// What the application's role may do with the application's own tables, which are empty: look at them. A privilege
/// beyond reading is what makes `information_schema` show their constraints.
pub(super) const ON_LOGICAL_TABLES: &[&str] = &["DELETE", "SELECT"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_comes_first() {
        let key = format!("{TENANT}, ");
        assert_eq!(prefixed("PRIMARY KEY (id)", &key), "PRIMARY KEY (_tenant, id)");
        assert_eq!(
            prefixed("UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (c) DEFERRABLE", &key),
            "UNIQUE NULLS NOT DISTINCT (_tenant, a, b) INCLUDE (c) DEFERRABLE"
        );
    }

    #[test]
    fn a_default_takes_its_numbers_from_the_shared_sequence() {
        let mut column = tenant_column();
        column.expression = Some("nextval('public.\"a''b\"'::regclass)".to_owned());
        column.sequences = vec!["'public.\"a''b\"'".to_owned()];
        let shared = shared_column("t", &column, &[]).unwrap();
        assert_eq!(shared.expression.as_deref(), Some("nextval('tenantry_shared.\"a''b\"'::regclass)"));
        column.sequences = vec!["'tenantry.numbers'".to_owned()];
        assert_eq!(shared_column("t", &column, &[]).unwrap_err().code, Code::SharedState);
    }
}
