//! A small schema for tests.

use std::sync::Arc;

use tenantry_sql::{Column, Limits, Name, PostgresFacts, Relation, Rewriter, RowId, SchemaMap, Table, View};

pub(crate) fn rewriter() -> Rewriter {
    let table = |name: &str, number, columns: &[&str], row_id| {
        let columns = columns.iter().map(|name| Column { name: Name::from(*name), generated: false }).collect();
        Arc::new(Table {
            name: name.into(),
            number,
            columns,
            row_id,
            auto_increment: false,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            postgres: PostgresFacts::default(),
        })
    };
    let view = |name: &str, columns: Option<&[&str]>, body: &str| {
        let columns = columns.map(|columns| columns.iter().map(|name| Name::from(*name)).collect());
        Relation::View(Arc::new(View { name: name.into(), columns, body: body.to_owned() }))
    };
    let schema = SchemaMap::new(
        1,
        [
            Relation::Tenant(table("users", 1, &["id", "name", "grp"], RowId::Column("id".into()))),
            Relation::Tenant(table("orders", 2, &["id", "uid", "amount"], RowId::Column("id".into()))),
            Relation::Tenant(table("log", 3, &["at", "line"], RowId::Hidden)),
            Relation::Tenant(table("settings", 4, &["key", "value"], RowId::None)),
            Relation::Global(table("countries", 5, &["code", "name"], RowId::Hidden)),
            view("big", None, "SELECT * FROM orders WHERE amount > 10"),
            view("named", Some(&["a", "b"]), "WITH users AS (SELECT * FROM orders) SELECT id, uid FROM users"),
            view("outer_big", None, "SELECT id FROM big"),
        ],
    );
    Rewriter::new(Arc::new(schema), Limits::default())
}
