//! Statements for PostgreSQL.

mod any_text;
#[cfg(feature = "mutants")]
mod mutants;
mod reads;
mod refusals;
mod writes;

use std::sync::Arc;

use tenantry_sql::{Column, Dialect, Limits, Name, Relation, Rewriter, RowId, SchemaMap, Table, View};

fn rewriter() -> Rewriter {
    let table = |name: &str, number, columns: &[&str]| {
        let columns = columns.iter().map(|name| Column { name: Name::exact(*name), generated: false }).collect();
        Arc::new(Table {
            name: Name::exact(name),
            number,
            columns,
            row_id: RowId::None,
            auto_increment: false,
            primary_key: vec![Name::exact("id")],
            foreign_keys: Vec::new(),
        })
    };
    let view = |name: &str, body: &str| {
        Relation::View(Arc::new(View { name: Name::exact(name), columns: None, body: body.to_owned() }))
    };
    let schema = SchemaMap::new(
        1,
        [
            Relation::Tenant(table("users", 1, &["id", "name", "grp"])),
            Relation::Tenant(table("orders", 2, &["id", "uid", "amount"])),
            Relation::Tenant(table("Odd", 3, &["Id", "a\"b"])),
            Relation::Global(table("countries", 4, &["code", "name"])),
            view("big", "SELECT * FROM orders WHERE amount > 10"),
        ],
    );
    Rewriter::new(Arc::new(schema), Limits::default()).dialect(Dialect::Postgres)
}
