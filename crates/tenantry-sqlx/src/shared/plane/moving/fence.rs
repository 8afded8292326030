//! The mark on rows that have been moved: triggers that refuse every change of them.

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_sql::{Quoted, TENANT};

use crate::{
    native::{MOVED, MOVED_MESSAGE},
    shared::{keeper::Keeper, plane::objects, provision::tenants_tables, store},
};

/// In a database of a tenant's own: whose rows are marked.
pub(super) const ALL: i64 = 0;

/// Whether the rows of a tenant are marked, in the shared tables of a database.
pub(in crate::shared) async fn is_marked(
    database: &str,
    tenant: i64,
    connection: &mut SqliteConnection,
) -> Result<bool, sqlx::Error> {
    is_there(database, format!("{MOVED}{tenant}_*"), connection).await
}

/// Whether the rows of any tenant in the shared tables are.
pub(in crate::shared) async fn is_any_marked(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    is_there("main", format!("{MOVED}*"), connection).await
}

async fn is_there(database: &str, trigger: String, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let text = format!("SELECT EXISTS (SELECT 1 FROM {database}.sqlite_schema WHERE type = 'trigger' AND name GLOB ?)");
    sqlx::query_scalar(AssertSqlSafe(text)).bind(trigger).fetch_one(connection).await
}

/// Marks those of a tenant in the shared tables, in the transaction that is open. A migration would forget them, so that
/// none runs.
pub(super) async fn mark(keeper: &Keeper, tenant: i64, owner: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let schema = keeper.current();
    for table in tenants_tables(schema.schema()) {
        for (at, (event, row)) in EVENTS.into_iter().enumerate() {
            let name = format!("{MOVED}{tenant}_{}_{at}", table.number);
            let when = format!("WHEN {row}.{TENANT} = {tenant}");
            create(&name, event, table.name.as_str(), &when, owner).await?;
        }
    }
    let text = "DELETE FROM main._tenantry_tenants WHERE id = ?";
    sqlx::query(text).bind(tenant).execute(owner).await.map(drop)
}

/// Marks all of a database of a tenant's own.
pub(super) async fn mark_all(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let tables = objects::own("main", connection).await?;
    for (number, table) in tables.iter().filter(|object| object.kind == "table").enumerate() {
        for (at, (event, _)) in EVENTS.into_iter().enumerate() {
            create(&format!("{MOVED}{ALL}_{number}_{at}"), event, &table.name, "", connection).await?;
        }
    }
    Ok(())
}

/// Forgets that a tenant has had rows in the shared tables.
pub(super) async fn unmark(keeper: &Keeper, tenant: i64) -> Result<(), sqlx::Error> {
    let mut owner = keeper.owner().await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *owner).await?;
    drop_marks(tenant, &mut owner).await?;
    sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
    owner.put_back();
    Ok(())
}

/// Lets a tenant change its rows in the shared tables again, if they are marked.
pub(super) async fn restore(keeper: &Keeper, tenant: i64) -> Result<(), sqlx::Error> {
    let mut owner = keeper.owner().await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *owner).await?;
    if drop_marks(tenant, &mut owner).await? > 0 {
        store::register(tenant, &mut owner).await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
    owner.put_back();
    Ok(())
}

/// The same in a database of a tenant's own.
pub(super) async fn unmark_all(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    drop_marks(ALL, connection).await?;
    sqlx::raw_sql("COMMIT").execute(connection).await.map(drop)
}

/// Takes the marks away, in the transaction that is open, and says how many there were.
async fn drop_marks(tenant: i64, connection: &mut SqliteConnection) -> Result<usize, sqlx::Error> {
    let text = "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND name GLOB ?";
    let query = sqlx::query_scalar(text).bind(format!("{MOVED}{tenant}_*"));
    let marks: Vec<String> = query.fetch_all(&mut *connection).await?;
    for mark in &marks {
        let text = format!("DROP TRIGGER main.{}", Quoted::new(mark));
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
    }
    Ok(marks.len())
}

async fn create(
    name: &str,
    event: &str,
    table: &str,
    when: &str,
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let (name, table) = (Quoted::new(name), Quoted::new(table));
    let text = format!(
        "CREATE TRIGGER main.{name} BEFORE {event} ON {table} {when} \
         BEGIN SELECT RAISE(ABORT, '{MOVED_MESSAGE}'); END"
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await.map(drop)
}

/// What may change a row, and which one it is that is changed.
const EVENTS: [(&str, &str); 3] = [("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")];
