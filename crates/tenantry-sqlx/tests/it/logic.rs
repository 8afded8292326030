//! Scripts in the form of sqllogictest, each on a private database and on shared tables with another tenant in them.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use sqlx::{
    AssertSqlSafe, Connection, Either, Executor, Row, SqlSafeStr, Sqlite, SqliteConnection, Statement, TypeInfo,
    ValueRef,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use tempfile::TempDir;
use tenantry_core::{Admission, Mirror, Plans, Scope, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedConnection, ScopedPool, SqliteOptions};

const SCRIPTS: &[&str] = &["aggregates", "changes", "ctes", "ids", "joins", "schema"];

#[tokio::test]
async fn scripts_hold_on_a_private_database() {
    for script in SCRIPTS {
        let mut runner = Runner::new(async || {
            let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
            Ok::<_, sqlx::Error>(Private(SqliteConnection::connect_with(&options).await.unwrap()))
        });
        runner.run_file_async(file(script)).await.unwrap();
    }
}

#[tokio::test]
async fn scripts_hold_on_shared_tables() {
    for script in SCRIPTS {
        let mut runner = Runner::new(async || Ok::<_, sqlx::Error>(Shared::new()));
        runner.run_file_async(file(script)).await.unwrap();
    }
}

fn file(script: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/logic").join(script).with_extension("slt")
}

struct Private(SqliteConnection);

/// Shared tables in which another tenant inserts the same rows, and keeps those that the first one deletes.
struct Shared {
    pool: ScopedPool<Sqlite>,
    scope: Scope,
    neighbour: Scope,
    /// Kept between statements, as a connection of one's own is.
    connection: Option<ScopedConnection<Sqlite>>,
    definitions: Vec<String>,
    _folder: TempDir,
}

impl Shared {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let tenants = [1, 2].map(|id| Tenant::new(TenantId::new(id), format!("t{id}").parse().unwrap()));
        let admission = Admission::new(Arc::new(Mirror::from_iter(tenants)), Plans::default());
        let [scope, neighbour] = [1, 2].map(|id| admission.admit_id(TenantId::new(id)).unwrap());
        let options = SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own"));
        let pool = ScopedPool::sqlite(options, None);
        Self { pool, scope, neighbour, connection: None, definitions: Vec::new(), _folder: folder }
    }

    async fn define(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let with = |more: Option<&str>| {
            let scripts: Vec<_> = self.definitions.iter().map(String::as_str).chain(more).collect();
            let migrations = scripts.into_iter().zip(1..).map(|(script, version)| {
                let script = AssertSqlSafe(script).into_sql_str();
                Migration::new(version, "logic".into(), MigrationType::Simple, script, false)
            });
            Migrator::with_migrations(migrations.collect())
        };
        let migrator = with(Some(text));
        self.pool.migrate(&migrator).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
        self.definitions.push(text.to_owned());
        Ok(())
    }
}

#[async_trait]
impl AsyncDB for Private {
    type Error = sqlx::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, text: &str) -> Result<DBOutput<DefaultColumnType>, sqlx::Error> {
        let columns = (&mut self.0).prepare(AssertSqlSafe(text).into_sql_str()).await?.columns().len();
        output(columns, (&mut self.0).fetch_many(AssertSqlSafe(text).into_sql_str())).await
    }

    async fn shutdown(&mut self) {}
}

#[async_trait]
impl AsyncDB for Shared {
    type Error = sqlx::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, text: &str) -> Result<DBOutput<DefaultColumnType>, sqlx::Error> {
        if ["CREATE", "ALTER", "DROP"].iter().any(|word| text.starts_with(word)) {
            self.define(text).await?;
            return Ok(DBOutput::StatementComplete(0));
        }
        if text.starts_with("INSERT INTO") && !text.contains("SELECT") {
            let insert = sqlx::query(AssertSqlSafe(text)).execute(&self.pool);
            // What the neighbour deletes or not, some of its rows are there already.
            drop(within(self.neighbour.clone(), insert).await);
        }
        within(self.scope.clone(), async {
            let text = AssertSqlSafe(text).into_sql_str();
            let connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.pool.acquire().await?,
            };
            let connection = self.connection.insert(connection);
            let columns = (&mut *connection).prepare(text.clone()).await?.columns().len();
            output(columns, connection.fetch_many(text)).await
        })
        .await
    }

    async fn shutdown(&mut self) {}
}

type Steps<'a> =
    futures_util::stream::BoxStream<'a, Result<Either<sqlx::sqlite::SqliteQueryResult, SqliteRow>, sqlx::Error>>;

async fn output(columns: usize, mut steps: Steps<'_>) -> Result<DBOutput<DefaultColumnType>, sqlx::Error> {
    let (mut rows, mut affected) = (Vec::new(), 0);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(result) => affected = result.rows_affected(),
            Either::Right(row) => rows.push((0..row.columns().len()).map(|at| value(&row, at)).collect()),
        }
    }
    if columns == 0 {
        return Ok(DBOutput::StatementComplete(affected));
    }
    Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text; columns], rows })
}

fn value(row: &SqliteRow, at: usize) -> String {
    let raw = row.try_get_raw(at).unwrap();
    match raw.type_info().name() {
        _ if raw.is_null() => "NULL".to_owned(),
        "INTEGER" => row.get_unchecked::<i64, _>(at).to_string(),
        "REAL" => format!("{:.3}", row.get_unchecked::<f64, _>(at)),
        _ => match row.get_unchecked::<String, _>(at) {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text,
        },
    }
}
