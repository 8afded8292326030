//! What shared tables cost: a scoped statement against one with a condition written by hand, and against a database that
//! holds this tenant's rows alone.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{hint::black_box, path::Path};

use criterion::{Criterion, criterion_group, criterion_main};
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tenantry::within;
use tenantry_benches::{
    step::Prepared,
    tables::{self, ROWS, TENANTS},
};
use tokio::runtime::Runtime;

const READ: &str = "SELECT title, body FROM notes WHERE id = ?";
const BY_HAND: &str = "SELECT title, body FROM by_hand WHERE tenant_id = ?2 AND id = ?1";

fn through_sqlx(c: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().expect("a runtime"), tempfile::tempdir().expect("a folder"));
    let (pool, scope) = runtime.block_on(tables::shared(folder.path())).expect("shared tables");
    let raw = runtime.block_on(open(folder.path())).expect("a pool");
    let mut group = c.benchmark_group("a row by its key, through sqlx");
    let mut id = 0;
    let mut next = move || {
        id = id % ROWS + 1;
        id
    };
    let mut next_by_hand = next;
    group.bench_function("by hand", |b| {
        b.iter(|| {
            let read = sqlx::query_as::<_, (String, String)>(BY_HAND).bind(next_by_hand()).bind(TENANTS / 2);
            black_box(runtime.block_on(read.fetch_one(&raw))).expect("a row")
        });
    });
    group.bench_function("scoped", |b| {
        b.iter(|| {
            let read = sqlx::query_as::<_, (String, String)>(READ).bind(next());
            black_box(runtime.block_on(within(scope.clone(), read.fetch_one(&pool)))).expect("a row")
        });
    });
    group.finish();
}

fn step_alone(c: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().expect("a runtime"), tempfile::tempdir().expect("a folder"));
    let (pool, _) = runtime.block_on(tables::shared(folder.path())).expect("shared tables");
    let scoped = runtime.block_on(pool.plan(READ)).expect("a plan").text.to_string();
    let mut shared = runtime.block_on(connect(&folder.path().join("shared.db"))).expect("a connection");
    let mut private = runtime.block_on(tables::private(&folder.path().join("private.db"))).expect("private tables");
    let mut group = c.benchmark_group("a row by its key, SQLite alone");
    for (name, connection, text) in [
        ("prepare and step, by hand", &mut shared, BY_HAND),
        ("prepare and step, scoped", &mut open_again(&runtime, folder.path()), scoped.as_str()),
        ("prepare and step, private", &mut private, READ),
    ] {
        let mut locked = runtime.block_on(connection.lock_handle()).expect("a handle");
        group.bench_function(name, |b| {
            b.iter(|| black_box(Prepared::new(&mut locked, text).expect("a statement").step(&[7, TENANTS / 2])));
        });
        let mut prepared = Prepared::new(&mut locked, text).expect("a statement");
        let mut id = 0;
        group.bench_function(name.replace("prepare and step", "step"), |b| {
            b.iter(|| {
                id = id % ROWS + 1;
                black_box(prepared.step(&[id, TENANTS / 2]))
            });
        });
    }
    group.finish();
}

fn open_again(runtime: &Runtime, folder: &Path) -> SqliteConnection {
    runtime.block_on(connect(&folder.join("shared.db"))).expect("a connection")
}

async fn connect(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await
}

async fn open(folder: &Path) -> Result<SqlitePool, sqlx::Error> {
    // Without a question to the connection before each use, which our pool does not ask either.
    let pool = SqlitePoolOptions::new().test_before_acquire(false);
    pool.connect_with(SqliteConnectOptions::new().filename(folder.join("shared.db"))).await
}

criterion_group!(benches, through_sqlx, step_alone);
criterion_main!(benches);
