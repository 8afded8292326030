//! The tables of Tenantry in a shared database: the schema as the application knows it, and which tenants there are.

use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, SqliteConnection};

use super::template::{Answer, Object, Value};
use crate::native;

/// The number that a new layout of the tables of Tenantry gets.
const LAYOUT: i64 = 1;

/// The tables, besides those with ids and those with the answers about the schema.
const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS "main"."_tenantry_meta" (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    layout  INTEGER NOT NULL,
    version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS "main"."_tenantry_master" (
    "at" INTEGER PRIMARY KEY, "type" TEXT, "name" TEXT, "tbl_name" TEXT, "rootpage" INTEGER, "sql" TEXT
);
CREATE TABLE IF NOT EXISTS "main"."_tenantry_tenants" (
    id INTEGER PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS "main"."_tenantry_adoptions" (
    tenant      INTEGER PRIMARY KEY,
    source      TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    schema      INTEGER NOT NULL,
    run         INTEGER NOT NULL,
    finished    INTEGER NOT NULL
);
"#;

/// A table as its ids are given out.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Numbered {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) id_column: Option<String>,
    pub(super) auto_increment: bool,
}

/// Makes the tables that are missing.
pub(super) async fn create(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for table in native::TABLES.iter().chain([&TABLES]) {
        sqlx::raw_sql(*table).execute(&mut *connection).await?;
    }
    for (pragma, columns) in tenantry_sql::PRAGMAS {
        let columns: String = columns.iter().map(|column| format!(", {}", tenantry_sql::Quoted::new(column))).collect();
        let text = format!(
            "CREATE TABLE IF NOT EXISTS \"main\".\"_tenantry_{pragma}\" (\"at\" INTEGER PRIMARY KEY, \"of\" TEXT{columns})"
        );
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
    }
    let text = "INSERT OR IGNORE INTO main._tenantry_meta (one, layout, version) VALUES (1, ?, 0)";
    sqlx::query(text).bind(LAYOUT).execute(&mut *connection).await?;
    Ok(())
}

/// Which layout the tables of Tenantry have; nothing when there are none.
pub(super) async fn layout(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = '_tenantry_meta')")
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT layout FROM main._tenantry_meta").fetch_optional(connection).await
}

/// Whether all tables are there: those that an earlier version did not have are made where they are missing.
pub(super) async fn is_complete(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = '_tenantry_adoptions')")
        .fetch_one(connection)
        .await
}

/// The layout that this version of Tenantry works with.
pub(super) const fn layout_known() -> i64 {
    LAYOUT
}

/// The version of the schema.
pub(super) async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT version FROM main._tenantry_meta").fetch_one(connection).await
}

/// The objects of the application's schema.
pub(super) async fn objects(connection: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    let text = "SELECT type, name, tbl_name, rootpage, sql FROM main._tenantry_master ORDER BY \"at\"";
    sqlx::query_as(text).fetch_all(connection).await
}

/// The tenants' tables by number.
pub(super) async fn numbered(connection: &mut SqliteConnection) -> Result<Vec<Numbered>, sqlx::Error> {
    let text = "SELECT number, name, id_column, auto_increment FROM main._tenantry_tables ORDER BY number";
    sqlx::query_as(text).fetch_all(connection).await
}

/// The tenants that have rows here.
pub(super) async fn tenants(connection: &mut SqliteConnection) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM main._tenantry_tenants ORDER BY id").fetch_all(connection).await
}

/// Whether a tenant has rows here.
pub(super) async fn has_tenant(tenant: i64, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT EXISTS (SELECT 1 FROM main._tenantry_tenants WHERE id = ?)";
    sqlx::query_scalar(text).bind(tenant).fetch_one(connection).await
}

/// Notes that a tenant has rows here, and says whether that was news.
pub(super) async fn register(tenant: i64, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let text = "INSERT OR IGNORE INTO main._tenantry_tenants (id) VALUES (?)";
    Ok(sqlx::query(text).bind(tenant).execute(connection).await?.rows_affected() > 0)
}

/// Writes which tables have which numbers.
pub(super) async fn write_numbered(
    connection: &mut SqliteConnection,
    numbered: &[Numbered],
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("DELETE FROM main._tenantry_tables").execute(&mut *connection).await?;
    for table in numbered {
        let text = "INSERT INTO main._tenantry_tables (number, name, id_column, auto_increment) VALUES (?, ?, ?, ?)";
        let insert = sqlx::query(text).bind(table.number).bind(&table.name).bind(&table.id_column);
        insert.bind(table.auto_increment).execute(&mut *connection).await?;
    }
    // A number may be given again.
    let forget = "DELETE FROM main._tenantry_sequence WHERE number NOT IN (SELECT number FROM main._tenantry_tables)";
    sqlx::raw_sql(forget).execute(connection).await?;
    Ok(())
}

/// Writes the application's schema, under a new version.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    objects: &[Object],
    answers: &[Answer],
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("DELETE FROM main._tenantry_master").execute(&mut *connection).await?;
    for object in objects {
        let text = "INSERT INTO main._tenantry_master (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)";
        let insert = sqlx::query(text).bind(&object.kind).bind(&object.name).bind(&object.tbl_name);
        insert.bind(object.rootpage).bind(&object.sql).execute(&mut *connection).await?;
    }
    for (pragma, columns) in tenantry_sql::PRAGMAS {
        let clear = AssertSqlSafe(format!("DELETE FROM main.\"_tenantry_{pragma}\""));
        sqlx::raw_sql(clear).execute(&mut *connection).await?;
        for answer in answers.iter().filter(|answer| answer.pragma == *pragma) {
            insert_answer(connection, answer, columns).await?;
        }
    }
    sqlx::raw_sql("UPDATE main._tenantry_meta SET version = version + 1").execute(connection).await?;
    Ok(())
}

async fn insert_answer(
    connection: &mut SqliteConnection,
    answer: &Answer,
    columns: &[&str],
) -> Result<(), sqlx::Error> {
    let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new("INSERT INTO main.\"_tenantry_");
    insert.push(answer.pragma).push("\" (\"of\"");
    for column in columns {
        insert.push(", ").push(tenantry_sql::Quoted::new(column));
    }
    insert.push(") VALUES (").push_bind(&answer.of);
    for value in &answer.values {
        insert.push(", ");
        match value {
            Value::Null => insert.push("NULL"),
            Value::Integer(number) => insert.push_bind(*number),
            Value::Text(text) => insert.push_bind(text),
        };
    }
    insert.push(")");
    insert.build().execute(connection).await?;
    Ok(())
}
