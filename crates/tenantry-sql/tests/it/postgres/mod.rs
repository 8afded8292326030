//! Statements for PostgreSQL.

mod any_text;
mod catalogs;
mod changes;
mod groups;
#[cfg(feature = "mutants")]
mod mutants;
mod reads;
mod refusals;
mod rows;
mod settings;
mod types;
mod writes;

use std::sync::Arc;

use tenantry_sql::{
    Action, Column, Dialect, ForeignKey, Limits, Name, PostgresFacts, Relation, Rewriter, RowId, SchemaMap, Table,
    Type, View,
};

/// Checks what a statement becomes. In what is expected `{t}` is the leaf of `t`, `[t]` the shared table, `GUARD(t)` its guard,
/// and `$T` the tenant.
#[track_caller]
fn becomes(text: &str, expected: &str) {
    let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    let tenant = plan.tenant.map(|number| format!("${number}::bigint")).unwrap_or_default();
    let mut expected = expected.to_owned();
    for name in ["users", "orders", "docs", "lines", "countries", "u", "o", "d"] {
        let guard = format!(r#""{name}"."_tenant" = $T"#);
        let physical = format!(r#""tenantry_shared"."{name}""#);
        let columns = match rewriter().schema().table(&Name::exact(name)) {
            Some(table) => {
                let columns: Vec<_> = table.columns.iter().map(|column| column.name.quoted().to_string()).collect();
                columns.join(", ")
            }
            None => String::new(),
        };
        expected = expected
            .replace(&format!("{{{name}}}"), &format!("(SELECT {columns} FROM {physical} WHERE {guard})"))
            .replace(&format!("GUARD({name})"), &guard)
            .replace(&format!("[{name}]"), &physical);
    }
    assert_eq!(&*plan.text, expected.replace("$T", &tenant), "\n{text}");
}

/// Checks that a statement is refused with a code.
#[track_caller]
fn refused(code: &str, text: &str) {
    match rewriter().scope(text) {
        Ok(plan) => panic!("{text}\nbecame {}", plan.text),
        Err(refused) => assert_eq!(refused.code.as_str(), code, "{text}\n{refused}"),
    }
}

fn rewriter() -> Rewriter {
    let schema = SchemaMap::new(
        1,
        [
            Relation::Tenant(Arc::new(table("users", 1, &["id", "name", "grp"]))),
            Relation::Tenant(Arc::new(table("orders", 2, &["id", "uid", "amount"]))),
            Relation::Tenant(Arc::new(table("Odd", 3, &["Id", "a\"b"]))),
            Relation::Tenant(Arc::new(documents())),
            Relation::Tenant(Arc::new(audited())),
            Relation::Tenant(Arc::new(lines())),
            Relation::Global(Arc::new(table("countries", 7, &["code", "name"]))),
            view("big", "SELECT * FROM orders WHERE amount > 10"),
        ],
    );
    let types = [("mood", &[][..]), ("address", &["street", "city"])].map(|(name, fields)| Type {
        name: Name::exact(name),
        fields: fields.iter().map(|field| Name::exact(*field)).collect(),
    });
    let schema = schema.with_types(types).with_extensions(["pg_trgm", "citext", "uuid-ossp"]);
    Rewriter::new(Arc::new(schema), Limits::default()).dialect(Dialect::Postgres)
}

fn table(name: &str, number: i64, columns: &[&str]) -> Table {
    let columns = columns.iter().map(|name| Column { name: Name::exact(*name), generated: false }).collect();
    Table {
        name: Name::exact(name),
        number,
        columns,
        row_id: RowId::None,
        auto_increment: false,
        primary_key: vec![Name::exact("id")],
        foreign_keys: Vec::new(),
        postgres: PostgresFacts { constraints: vec![Name::exact(format!("{name}_pkey"))], ..PostgresFacts::default() },
    }
}

/// A table with columns of types that cannot be compared, or have parts.
fn documents() -> Table {
    let mut table = table("docs", 4, &["id", "body", "mood", "home"]);
    table.postgres.incomparable.push(Name::exact("body"));
    table
}

fn audited() -> Table {
    let mut table = table("audited", 5, &["id"]);
    table.postgres.row_triggers = true;
    table
}

/// A table that refers to another one, with a primary key of two columns.
fn lines() -> Table {
    let mut table = table("lines", 6, &["doc", "at", "words"]);
    table.primary_key = vec![Name::exact("doc"), Name::exact("at")];
    table.foreign_keys.push(ForeignKey {
        columns: vec![Name::exact("doc")],
        parent: Name::exact("docs"),
        parent_columns: Vec::new(),
        on_delete: Action::Cascade,
        on_update: Action::Nothing,
        deferred: false,
        of_column: false,
    });
    table
}

fn view(name: &str, body: &str) -> Relation {
    Relation::View(Arc::new(View { name: Name::exact(name), columns: None, body: body.to_owned() }))
}
