//! What the oracle asks of shared tables, for shared sides that keep them in one file of SQLite as Tenantry does.
//!
//! Meant for a connection of its own that nobody scopes: it must see what is in the tables, and not what the machinery
//! under test says is in them. Open it on the same file; it sees what has been committed.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use sqlx::SqliteConnection;

use crate::{Digest, RowId, Schema, State, Value, run, standard::quoted};

/// The column that holds the tenant.
const TENANT: &str = "_tenant";
/// The column that holds the row id of a table that does not show it.
const ROW_ID: &str = "_tenant_rowid";

/// All rows of a tenant.
///
/// # Errors
///
/// Those of the database.
pub async fn state(connection: &mut SqliteConnection, schema: &Schema, tenant: i64) -> Result<State, sqlx::Error> {
    let mut state = BTreeMap::new();
    for table in &schema.tables {
        let row_id = match &table.row_id {
            RowId::Column(column) => Some(quoted(column)),
            RowId::Hidden => Some(quoted(ROW_ID)),
            RowId::None => None,
        };
        let columns: Vec<_> =
            row_id.into_iter().chain(table.columns.iter().map(|column| quoted(&column.name))).collect();
        let (columns, name) = (columns.join(", "), quoted(&table.name));
        let text = format!("SELECT {columns} FROM main.{name} WHERE {TENANT} = ?");
        let mut rows = rows(connection, &text, &[Value::Integer(tenant)]).await?;
        rows.sort();
        state.insert(table.name.clone(), rows);
    }
    Ok(State(state))
}

/// A digest of everything that is not this tenant's: the rows of other tenants in all tables, and the whole of tables that
/// have no tenants. Of the tables that Tenantry keeps for itself it looks at those with tenants.
///
/// # Errors
///
/// Those of the database.
pub async fn others(connection: &mut SqliteConnection, tenant: i64) -> Result<Digest, sqlx::Error> {
    let text = "SELECT m.name, EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = '_tenant')
                FROM sqlite_schema m WHERE type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                ORDER BY m.name";
    let mut digest = BTreeMap::new();
    for row in rows(connection, text, &[]).await? {
        let [Value::Text(name), Value::Integer(has_tenants)] = row.as_slice() else { continue };
        let (whole, table) = (*has_tenants == 0, quoted(name));
        if whole && name.starts_with(TENANT) {
            continue;
        }
        let (condition, arguments) =
            if whole { ("true", vec![]) } else { ("_tenant IS NOT ?", vec![Value::Integer(tenant)]) };
        let mut rows = rows(connection, &format!("SELECT * FROM main.{table} WHERE {condition}"), &arguments).await?;
        rows.sort();
        let mut hasher = DefaultHasher::new();
        rows.hash(&mut hasher);
        digest.insert(name.clone(), hasher.finish());
    }
    Ok(Digest(digest))
}

async fn rows(
    connection: &mut SqliteConnection,
    text: &str,
    arguments: &[Value],
) -> Result<Vec<Vec<Value>>, sqlx::Error> {
    run::fetch(connection, text, arguments).await?.iter().map(Value::row).collect()
}
