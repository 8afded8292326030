//! Bad luck on shared tables: futures that are dropped, panics, locks, full disks, files that are none of ours.
//!
//! After each of them the next tenant on the same connection must not notice.

mod connections;
mod files;
mod migrations;
mod transactions;

use std::{future::poll_fn, pin::pin, str::FromStr, task::Poll, time::Duration};

use futures_util::TryStreamExt;
use sqlx::{
    ConnectOptions, Connection, Row, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedPool, SqliteOptions};

use crate::scoped::{Deployment, NOTES};

const ACME: i64 = 1;
const GLOBEX: i64 = 2;

/// One connection, and no patience.
fn narrow(options: &mut SqliteOptions) {
    options.connections_max = 1;
    options.acquire_timeout = Duration::from_millis(1500);
    options.busy_timeout = Duration::from_millis(100);
}

async fn narrow_deployment() -> Deployment {
    let deployment = Deployment::with(narrow);
    deployment.migrate(&[NOTES]).await.unwrap();
    deployment
}

/// A connection that goes past the scoping, to look and to disturb.
async fn raw(deployment: &Deployment) -> SqliteConnection {
    let url = format!("sqlite://{}", deployment.folder.path().join("shared.db").display());
    let options = SqliteConnectOptions::from_str(&url).unwrap().journal_mode(SqliteJournalMode::Wal);
    options.busy_timeout(Duration::from_secs(5)).connect().await.unwrap()
}

/// Polls a future some times and drops it. Gives its output if it was done before.
pub(crate) async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What SQLite and sqlx say of the past of a connection.
async fn numbers(pool: &ScopedPool<Sqlite>) -> [i64; 4] {
    let text = "SELECT changes(), last_insert_rowid()";
    let (mut row, mut done) = (None, None);
    let mut steps = sqlx::raw_sql(text).fetch_many(pool);
    while let Some(step) = steps.try_next().await.unwrap() {
        match step {
            sqlx::Either::Left(result) => done = Some(result),
            sqlx::Either::Right(found) => row = Some(found),
        }
    }
    let (row, done) = (row.unwrap(), done.unwrap());
    [row.get(0), row.get(1), i64::try_from(done.rows_affected()).unwrap(), done.last_insert_rowid()]
}

/// That a tenant on the pool's connection finds it as new, can write, and what it writes is kept.
async fn is_clean(deployment: &Deployment, tenant: i64, next: &mut i64) {
    within(deployment.scope(tenant), async {
        let pool = &deployment.pool;
        assert_eq!(numbers(pool).await, [0; 4]);
        let inserted = sqlx::query("INSERT INTO notes (title) VALUES ('clean')").execute(pool).await.unwrap();
        assert_eq!((inserted.rows_affected(), inserted.last_insert_rowid()), (1, *next));
        *next += 1;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(pool).await.unwrap();
        assert_eq!(count, *next - 1);
    })
    .await;
    let mut raw = raw(deployment).await;
    let text = "SELECT count(*) FROM notes WHERE _tenant = ?";
    let kept: i64 = sqlx::query_scalar(text).bind(tenant).fetch_one(&mut raw).await.unwrap();
    assert_eq!(kept, *next - 1, "what was written is committed");
}

async fn titles(deployment: &Deployment, tenant: i64) -> Vec<String> {
    let text = "SELECT title FROM notes ORDER BY id";
    within(deployment.scope(tenant), async { sqlx::query_scalar(text).fetch_all(&deployment.pool).await.unwrap() })
        .await
}

async fn insert(pool: &ScopedPool<Sqlite>, title: &str) -> Result<i64, sqlx::Error> {
    let inserted = sqlx::query("INSERT INTO notes (title) VALUES (?)").bind(title).execute(pool).await?;
    Ok(inserted.last_insert_rowid())
}

/// A transaction with a savepoint: all of it is kept or nothing.
async fn transaction(pool: &ScopedPool<Sqlite>) {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO notes (title) VALUES ('a'), ('b')").execute(&mut *transaction).await.unwrap();
    let mut savepoint = transaction.begin().await.unwrap();
    sqlx::query("INSERT INTO notes (title) VALUES ('c')").execute(&mut *savepoint).await.unwrap();
    savepoint.commit().await.unwrap();
    let mut savepoint = transaction.begin().await.unwrap();
    sqlx::query("DELETE FROM notes").execute(&mut *savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    let rows = sqlx::query("SELECT * FROM notes").fetch_all(&mut *transaction).await.unwrap();
    assert!(rows.len() >= 3);
    sqlx::query("UPDATE notes SET touched = 1").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// What a private database of the same application says, step by step.
#[tokio::test]
async fn ids_and_counts_after_bad_luck_are_those_of_a_private_database() {
    let deployment = narrow_deployment().await;
    let mut private = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(NOTES).execute(&mut private).await.unwrap();
    // The numbers of the migrations are nobody's: a new connection begins with none.
    let bytes = private.serialize(None).await.unwrap();
    let mut private = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    private.deserialize(None, bytes, false).await.unwrap();
    let mut of_globex = 0;
    let counts = "SELECT changes(), last_insert_rowid()";
    within(deployment.scope(ACME), async {
        for round in 0..4 {
            {
                let mut connection = deployment.pool.acquire().await.unwrap();
                for text in [
                    "INSERT INTO users (email) VALUES (hex(randomblob(8))), (hex(randomblob(8)))",
                    "SELECT count(*) FROM users",
                    "UPDATE users SET email = email || 'x'",
                    "INSERT INTO users (id, email) VALUES (1, 'taken')",
                    "INSERT OR IGNORE INTO notes (id, title) VALUES (1, 'x'), (1, 'y')",
                    "INSERT INTO notes (title) VALUES ('x'), ('')",
                    "INSERT INTO notes (title) VALUES ('x')",
                    "DELETE FROM users WHERE id = (SELECT max(id) FROM users)",
                    "REPLACE INTO tags VALUES ('third')",
                ] {
                    let ours = sqlx::query(text).execute(&mut connection).await;
                    let theirs = sqlx::query(text).execute(&mut private).await;
                    match (ours, theirs) {
                        (Ok(ours), Ok(theirs)) => assert_eq!(
                            (ours.rows_affected(), ours.last_insert_rowid()),
                            (theirs.rows_affected(), theirs.last_insert_rowid()),
                            "{round} {text}"
                        ),
                        (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
                        (ours, theirs) => panic!("{round} {text}: {ours:?} {theirs:?}"),
                    }
                    let ours: (i64, i64) = sqlx::query_as(counts).fetch_one(&mut connection).await.unwrap();
                    let theirs: (i64, i64) = sqlx::query_as(counts).fetch_one(&mut private).await.unwrap();
                    assert_eq!(ours, theirs, "{round} {text}");
                }
                let mut transaction = connection.begin().await.unwrap();
                sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut *transaction).await.unwrap();
                drop(transaction);
                let mut transaction = private.begin().await.unwrap();
                sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut *transaction).await.unwrap();
                drop(transaction);
            }
            // A private pool's connection, given back and taken by nobody else, would be a new one here.
            let bytes = private.serialize(None).await.unwrap();
            private = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            private.deserialize(None, bytes, false).await.unwrap();
            within(deployment.scope(GLOBEX), async {
                assert_eq!(numbers(&deployment.pool).await, [0; 4]);
                let mut transaction = deployment.pool.begin().await.unwrap();
                sqlx::query("INSERT INTO notes (title) VALUES ('x'), ('y'), ('z')")
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                transaction.commit().await.unwrap();
                of_globex += 3;
            })
            .await;
            assert_eq!(titles(&deployment, GLOBEX).await.len(), of_globex);
            assert_eq!(numbers(&deployment.pool).await, [0; 4]);
        }
    })
    .await;
}
