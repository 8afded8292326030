//! The tenant's own database.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{Done, Outcome, Schema, State, Value, noise::Insert, run};

/// How many operations of SQLite's machine go by between two looks at the budget.
const STRIDE: i32 = 1000;
/// How many such looks a statement gets: about a second.
const BUDGET: u64 = 20_000;

/// A private database in memory.
#[derive(Debug)]
pub struct Private {
    connection: SqliteConnection,
    /// How much has been spent on the current statement.
    spent: Arc<AtomicU64>,
}

impl Private {
    /// A new database, with these tables and rows.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn open(ddl: &[impl AsRef<str>], rows: &[Insert]) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        for statement in ddl {
            sqlx::raw_sql(AssertSqlSafe(statement.as_ref())).execute(&mut connection).await?;
        }
        for insert in rows {
            run::fetch(&mut connection, &insert.text(), &insert.values).await?;
        }
        let spent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&spent);
        connection
            .lock_handle()
            .await?
            .set_progress_handler(STRIDE, move || counter.fetch_add(1, Ordering::Relaxed) < BUDGET);
        Ok(Self { connection, spent })
    }

    /// Makes SQLite choose otherwise wherever it is free to choose: the order of rows that nobody ordered, and the plan.
    pub(crate) async fn disturb(&mut self, schema: &Schema) -> Result<(), sqlx::Error> {
        let mut text = "PRAGMA reverse_unordered_selects = ON; ANALYZE;".to_owned();
        for (at, table) in schema.tables.iter().enumerate() {
            // Tables that are large pretend to be small, and the other way round.
            let rows = if at % 2 == 0 { 1_000_000 } else { 2 };
            let name = table.name.replace('\'', "''");
            text += &format!("DELETE FROM sqlite_stat1 WHERE tbl = '{name}';");
            text += &format!("INSERT INTO sqlite_stat1 VALUES ('{name}', NULL, '{rows}');");
        }
        text += "ANALYZE sqlite_schema;";
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut self.connection).await?;
        Ok(())
    }

    /// The connection itself.
    pub const fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Runs a statement. One that takes too long is interrupted.
    pub async fn run(&mut self, text: &str, arguments: &[Value]) -> Outcome {
        self.spent.store(0, Ordering::Relaxed);
        let outcome = Outcome::of(&mut self.connection, text, arguments).await;
        self.spent.store(0, Ordering::Relaxed);
        outcome
    }

    /// Runs a statement that can be taken back, until [`Private::keep`] is called.
    pub(crate) async fn attempt(&mut self, text: &str, arguments: &[Value]) -> Outcome {
        self.must("SAVEPOINT _oracle").await;
        self.run(text, arguments).await
    }

    /// Takes an attempt back.
    pub(crate) async fn undo(&mut self) {
        self.must("ROLLBACK TO _oracle").await;
        self.must("RELEASE _oracle").await;
    }

    /// Keeps an attempt. Constraints that were put off may still be broken.
    pub(crate) async fn keep(&mut self) -> Option<Outcome> {
        match self.run("RELEASE _oracle", &[]).await {
            Outcome::Done(_) => None,
            failed => {
                self.undo().await;
                Some(failed)
            }
        }
    }

    /// If it fails, the next comparison says so.
    async fn must(&mut self, text: &str) {
        self.run(text, &[]).await;
    }

    /// All rows of all tables.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn state(&mut self, schema: &Schema) -> Result<State, sqlx::Error> {
        let mut state = BTreeMap::new();
        self.spent.store(0, Ordering::Relaxed);
        for table in &schema.tables {
            let rows = run::fetch(&mut self.connection, &table.select_all(), &[]).await?;
            let mut rows = rows.iter().map(Value::row).collect::<Result<Vec<_>, _>>()?;
            rows.sort();
            state.insert(table.name.clone(), rows);
        }
        Ok(State(state))
    }
}

/// The rows in an order of their own, for comparing them as a bag.
pub(crate) fn bag(done: &Done) -> Vec<Vec<Value>> {
    let mut rows = done.rows.clone();
    rows.sort();
    rows
}
