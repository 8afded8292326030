//! Shared tables beside private ones, on real SQLite. Until statements are rewritten, they are scoped by hand here.

mod authorizer;
mod differential;
mod errors;
mod ids;
mod last;
mod lifetime;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{Names, RowIds, Session, TABLES, install, translate};

/// The tables of the tests: plain ids, AUTOINCREMENT ids, ids that no column shows.
const NUMBERED: [RowIds<'static>; 3] = [
    RowIds { table: "plain", number: 1, column: "id", auto_increment: false },
    RowIds { table: "auto", number: 2, column: "id", auto_increment: true },
    RowIds { table: "hidden", number: 3, column: "_tenant_rowid", auto_increment: false },
];

const PRIVATE: &str = "
    CREATE TABLE plain (id INTEGER PRIMARY KEY, slug TEXT UNIQUE, n);
    CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT UNIQUE, n);
    CREATE TABLE hidden (slug TEXT UNIQUE, n);";

/// A connection and whom it works for.
struct Shared {
    connection: SqliteConnection,
    session: Arc<Session>,
}

impl Shared {
    async fn new() -> Self {
        Self::open(&SqliteConnectOptions::new().in_memory(true)).await
    }

    async fn open(options: &SqliteConnectOptions) -> Self {
        let mut connection = SqliteConnection::connect_with(options).await.unwrap();
        let session = Arc::new(Session::default());
        install(&mut connection, Arc::clone(&session)).await.unwrap();
        Self { connection, session }
    }

    /// A database with the tables of the tests.
    async fn with_tables() -> Self {
        let mut shared = Self::new().await;
        shared.create().await;
        shared
    }

    async fn create(&mut self) {
        self.session.own();
        for sql in TABLES {
            self.run(sql).await.unwrap();
        }
        for ids in NUMBERED {
            self.create_table(ids, "slug TEXT, n, UNIQUE (_tenant, slug)").await;
        }
        self.session.leave();
    }

    async fn create_table(&mut self, ids: RowIds<'_>, rest: &str) {
        let RowIds { table, number, column, auto_increment } = ids;
        let (definition, auto_increment) = (ids.definition(), i64::from(auto_increment));
        self.run(&format!("INSERT INTO _tenantry_tables VALUES ({number}, '{table}', '{column}', {auto_increment})"))
            .await
            .unwrap();
        self.run(&format!(
            "CREATE TABLE {table} (_tenant INTEGER NOT NULL, {definition}, {rest}, PRIMARY KEY (_tenant, {column})) \
             WITHOUT ROWID"
        ))
        .await
        .unwrap();
        for trigger in ids.triggers() {
            self.run(&trigger).await.unwrap();
        }
    }

    fn enter(&self, tenant: i64) {
        self.session.enter(tenant);
        self.expect(&["plain", "auto", "hidden"]);
    }

    fn expect(&self, tables: &[&str]) {
        self.session.expect(Arc::new(tables.iter().collect::<Names>()));
    }

    /// Runs a statement: rows affected, and the id that sqlx reports.
    async fn run(&mut self, sql: &str) -> Result<(u64, i64), sqlx::Error> {
        run(&mut self.connection, sql).await.map_err(|error| translate(error, &self.session))
    }

    async fn numbers(&mut self, sql: &str) -> Vec<i64> {
        numbers(&mut self.connection, sql).await.map_err(|error| translate(error, &self.session)).unwrap()
    }
}

async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<(u64, i64), sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok((done.rows_affected(), done.last_insert_rowid()))
}

/// The numbers of the first column, NULL being -1.
async fn numbers(connection: &mut SqliteConnection, sql: &str) -> Result<Vec<i64>, sqlx::Error> {
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    Ok(rows.iter().map(|row| row.get::<Option<i64>, _>(0).unwrap_or(-1)).collect())
}

/// The values of the first column.
async fn values(connection: &mut SqliteConnection, sql: &str) -> Vec<Value> {
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The only value.
async fn value(connection: &mut SqliteConnection, sql: &str) -> Value {
    values(connection, sql).await.remove(0)
}

type Value = String;

/// A failure as its reader sees it.
fn told(error: &sqlx::Error) -> String {
    error.to_string()
}
