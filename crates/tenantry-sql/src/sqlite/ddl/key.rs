//! Foreign keys: prefixed by the tenant (Lemma 4), with triggers for the actions that would take the tenant away.

use super::{Conversion, Step, words::listed};
use crate::{Action, Code, ForeignKey, Name, Refused, Relation, Span, TENANT, Table};

/// What a foreign key refers to.
#[derive(Debug)]
pub(super) enum Parent {
    /// A table that all tenants read.
    Global,
    /// These columns of a tenant's table, and whether the table exists.
    Tenant { columns: Vec<Name>, exists: bool },
}

/// What a foreign key of `child` refers to.
pub(super) fn parent(key: &ForeignKey, child: &Table, conversion: &Conversion<'_>) -> Result<Parent, Refused> {
    let name = &key.parent;
    let found = match conversion.schema.relation(name) {
        _ if *name == child.name => Some(child),
        Some(Relation::Tenant(table)) => Some(&**table),
        Some(Relation::Global(_)) => return Ok(Parent::Global),
        Some(Relation::View(_)) => return Err(refuse(key).hint("refer to a table, not to a view")),
        None if conversion.globals.contains(name) => return Ok(Parent::Global),
        None => None,
    };
    let columns = match (key.parent_columns.as_slice(), found) {
        ([], Some(table)) => table.primary_key.as_slice(),
        (named, _) => named,
    };
    if columns.len() == key.columns.len() {
        return Ok(Parent::Tenant { columns: columns.to_vec(), exists: found.is_some() });
    }
    Err(refuse(key).hint(match (columns, found) {
        ([], None) => format!("name the columns of {0}, or create {0} first", name.quoted()),
        ([], Some(_)) => format!("name the columns of {}, which has no primary key", name.quoted()),
        _ => "refer to as many columns as there are".to_owned(),
    }))
}

/// A global table cannot refer to what a single tenant has.
pub(super) fn check_global(key: &ForeignKey, child: &Table, conversion: &Conversion<'_>) -> Result<(), Refused> {
    if key.parent == child.name {
        return Ok(());
    }
    match conversion.schema.relation(&key.parent) {
        Some(Relation::Global(_)) => Ok(()),
        None if conversion.globals.contains(&key.parent) => Ok(()),
        _ => Err(refuse(key).hint("a table that belongs to all tenants cannot refer to one that belongs to each")),
    }
}

fn refuse(key: &ForeignKey) -> Refused {
    Refused::new(Code::Constraint, format!("the foreign key to {}", key.parent.quoted()))
}

/// The constraint as it is in the shared table.
pub(super) fn constraint(name: Option<&Name>, key: &ForeignKey, parent: &Parent) -> String {
    let name = name.map(|name| format!("CONSTRAINT {} ", name.quoted())).unwrap_or_default();
    let (child, of) = (listed(&key.columns), key.parent.quoted());
    let (on_delete, on_update) = (action(&key.on_delete, parent), action(&key.on_update, parent));
    let on_delete = on_delete.map(|action| format!(" ON DELETE {action}")).unwrap_or_default();
    let on_update = on_update.map(|action| format!(" ON UPDATE {action}")).unwrap_or_default();
    let deferred = if key.deferred { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
    let columns = match parent {
        Parent::Global if key.parent_columns.is_empty() => format!("({child}) REFERENCES {of}"),
        Parent::Global => format!("({child}) REFERENCES {of} ({})", listed(&key.parent_columns)),
        Parent::Tenant { columns, .. } => {
            format!("(\"{TENANT}\", {child}) REFERENCES {of} (\"{TENANT}\", {})", listed(columns))
        }
    };
    format!("{name}FOREIGN KEY {columns}{on_delete}{on_update}{deferred}")
}

/// The action as it is in the shared table. Those that set columns would set the tenant column as well.
fn action(action: &Action, parent: &Parent) -> Option<&'static str> {
    match (action, parent) {
        (Action::Nothing, _) | (Action::SetNull | Action::SetDefault(_), Parent::Tenant { .. }) => None,
        (Action::Restrict, _) => Some("RESTRICT"),
        (Action::Cascade, _) => Some("CASCADE"),
        (Action::SetNull, Parent::Global) => Some("SET NULL"),
        (Action::SetDefault(_), Parent::Global) => Some("SET DEFAULT"),
    }
}

/// Creates the triggers of a table's own foreign keys, where there is a table to put them on.
pub(super) fn create_triggers(child: &Table, conversion: &Conversion<'_>) -> Result<Vec<Step>, Refused> {
    let mut steps = Vec::new();
    for (at, key) in child.foreign_keys.iter().enumerate() {
        if let Parent::Tenant { columns, exists: true } = parent(key, child, conversion)? {
            steps.extend(triggers(child, at, key, &columns)?);
        }
    }
    Ok(steps)
}

/// Does to the rows that refer to a table what its foreign keys do when the table is dropped: no trigger fires then, and
/// nothing happens while foreign keys are switched off.
pub(super) fn release(of: &Table, conversion: &Conversion<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (child, _, key) in references(of, conversion).filter(|(child, ..)| child.number != of.number) {
        if let Action::SetNull | Action::SetDefault(_) = key.on_delete {
            let (parent, table) = (of.name.quoted(), child.name.quoted());
            let sets = sets(key, &key.on_delete);
            let refers = key.columns.iter().zip(referred(key, of));
            let refers: String = refers
                .map(|(column, of)| format!(" AND {parent}.{} = {table}.{}", of.quoted(), column.quoted()))
                .collect();
            steps.push(Step::Run(format!(
                "UPDATE \"main\".{table} SET {sets} WHERE (SELECT foreign_keys FROM pragma_foreign_keys) AND EXISTS \
                 (SELECT 1 FROM \"main\".{parent} WHERE {parent}.\"{TENANT}\" = {table}.\"{TENANT}\"{refers})"
            )));
        }
    }
    steps
}

/// The foreign keys that refer to a table, with the tables that have them and their places there.
fn references<'a>(
    of: &'a Table,
    conversion: &Conversion<'a>,
) -> impl Iterator<Item = (&'a Table, usize, &'a ForeignKey)> {
    let mut children: Vec<_> = conversion.schema.relations().filter_map(Relation::tenant).collect();
    children.sort_by_key(|child| child.number);
    children.into_iter().flat_map(move |child| {
        // A table that gets its name just now is known by its old one.
        let child = if child.number == of.number { of } else { child };
        let keys = child.foreign_keys.iter().enumerate().filter(|(_, key)| key.parent == of.name);
        keys.map(move |(at, key)| (child, at, key))
    })
}

/// The columns that a foreign key to a table refers to.
fn referred<'a>(key: &'a ForeignKey, of: &'a Table) -> &'a [Name] {
    if key.parent_columns.is_empty() { &of.primary_key } else { &key.parent_columns }
}

/// Creates the triggers on a table that other tables referred to before it came to be, or to have this name.
pub(super) fn create_triggers_on(of: &Table, conversion: &Conversion<'_>) -> Result<Vec<Step>, Refused> {
    let mut steps = Vec::new();
    for (child, at, key) in references(of, conversion) {
        steps.extend(triggers(child, at, key, referred(key, of))?);
    }
    Ok(steps)
}

/// Drops the triggers of a table's foreign keys, which may be on other tables.
pub(super) fn drop_triggers(child: &Table) -> impl Iterator<Item = Step> {
    child.foreign_keys.iter().enumerate().flat_map(move |(at, key)| {
        let events = [(&key.on_delete, "delete"), (&key.on_update, "update")];
        let set = events.into_iter().filter(|(action, _)| matches!(action, Action::SetNull | Action::SetDefault(_)));
        set.map(move |(_, event)| Step::Run(format!("DROP TRIGGER IF EXISTS {}", trigger_name(child, at, event))))
    })
}

fn trigger_name(child: &Table, at: usize, event: &str) -> String {
    format!("\"main\".\"_tenantry_fk_{}_{}_{event}\"", child.number, at + 1)
}

/// The triggers that do what `SET NULL` and `SET DEFAULT` would. They come after the row is gone or changed, as the actions
/// do: before that, they would change a row that refers to itself while it is being deleted.
fn triggers(child: &Table, at: usize, key: &ForeignKey, columns: &[Name]) -> Result<Vec<Step>, Refused> {
    let mut steps = Vec::new();
    let create = |event, on, when, action| {
        let name = trigger_name(child, at, event);
        let (of, update) = (key.parent.quoted(), update(child, key, columns, action)?);
        Ok(Step::Run(format!("CREATE TRIGGER IF NOT EXISTS {name} AFTER {on} ON {of}{when} BEGIN {update}; END")))
    };
    if matches!(key.on_delete, Action::SetNull | Action::SetDefault(_)) {
        steps.push(create("delete", "DELETE".to_owned(), String::new(), &key.on_delete)?);
    }
    if matches!(key.on_update, Action::SetNull | Action::SetDefault(_)) {
        let changed: Vec<_> = columns.iter().map(|of| format!("OLD.{0} IS NOT NEW.{0}", of.quoted())).collect();
        let (on, when) = (format!("UPDATE OF {}", listed(columns)), format!(" WHEN {}", changed.join(" OR ")));
        steps.push(create("update", on, when, &key.on_update)?);
    }
    Ok(steps)
}

fn update(child: &Table, key: &ForeignKey, columns: &[Name], action: &Action) -> Result<String, Refused> {
    if child.name.is("old") || child.name.is("new") {
        return Err(refuse(key).hint("call the table otherwise than NEW and OLD"));
    }
    let (table, sets) = (child.name.quoted(), sets(key, action));
    // The parent's column comes first, for its collation counts.
    let refers = key.columns.iter().zip(columns);
    let refers = refers.map(|(column, of)| format!(" AND OLD.{} = {table}.{}", of.quoted(), column.quoted()));
    let refers: String = refers.collect();
    Ok(format!("UPDATE {table} SET {sets} WHERE {table}.\"{TENANT}\" = OLD.\"{TENANT}\"{refers}"))
}

/// The columns of a foreign key set to `NULL` or to their defaults.
fn sets(key: &ForeignKey, action: &Action) -> String {
    let sets = key.columns.iter().enumerate().map(|(at, column)| {
        let value = match action {
            Action::SetDefault(defaults) => defaults.get(at).map_or("NULL", String::as_str),
            Action::Nothing | Action::Restrict | Action::Cascade | Action::SetNull => "NULL",
        };
        format!("{} = {value}", column.quoted())
    });
    sets.collect::<Vec<_>>().join(", ")
}

/// Says where the foreign key stands.
pub(super) fn at(text: &str, span: Span) -> impl Fn(Refused) -> Refused {
    move |refused| refused.at(text, span)
}
