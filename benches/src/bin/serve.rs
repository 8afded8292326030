//! A server to put under load, which `benches/throughput` and `benches/neighbour` run: `serve plain|front PORT [TENANTS]`.
//!
//! `/` does nothing, `/read` reads SQLite, `/work` computes for a millisecond, `/cookie` sets a cookie that the load then
//! sends along. With `front` there is a tenant `small` on a plan with small limits.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use axum::{Router, extract::State, http::header::SET_COOKIE, routing::get};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tenantry::NewTenant;
use tokio::net::TcpListener;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, port, rest @ ..] = arguments.as_slice() else { bail!("serve plain|front PORT [TENANTS]") };
    let tenants = rest.first().map_or(Ok(10_000), |count| count.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    let folder = tempfile::tempdir()?;
    match kind.as_str() {
        "plain" => {
            let app = application(folder.path(), 0).await?;
            axum::serve(listener, app).with_graceful_shutdown(stopped()).await?;
        }
        "front" => {
            let tenancy = tenantry_benches::tenancy(folder.path(), tenants).await?;
            let mut small = NewTenant::new("small".parse()?);
            small.plan = "small".parse()?;
            tenancy.catalog().create(small).await?;
            tenancy.refresh().await?;
            let databases = folder.path().to_owned();
            let app = tenancy.dispatch(move |scope| {
                let databases = databases.clone();
                async move { application(&databases, scope.id().get()).await }
            });
            axum::serve(listener, app).with_graceful_shutdown(stopped()).await?;
        }
        other => bail!("{other} is neither plain nor front"),
    }
    Ok(())
}

async fn application(folder: &Path, tenant: i64) -> anyhow::Result<Router> {
    let file = folder.join(format!("bench-{tenant}.db"));
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await.context("a database")?;
    sqlx::raw_sql("create table if not exists notes (id integer primary key, title text)").execute(&pool).await?;
    sqlx::raw_sql("insert or ignore into notes values (1, 'hello')").execute(&pool).await?;
    Ok(Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/cookie", get(|| async { ([(SET_COOKIE, "session=0123456789abcdef0123456789abcdef; Path=/")], "set") }))
        .route("/read", get(read))
        .route("/work", get(work))
        .with_state(pool))
}

async fn read(State(pool): State<SqlitePool>) -> String {
    let title = sqlx::query_scalar("select title from notes where id = ?").bind(1).fetch_one(&pool).await;
    title.unwrap_or_else(|error| error.to_string())
}

/// Keeps a core busy for a millisecond, as a page with much to compute does.
async fn work() -> &'static str {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1) {
        std::hint::spin_loop();
    }
    "done"
}

async fn stopped() {
    // Without a signal to wait for, the server goes on until it is killed, which is fine for a benchmark.
    let _ignored = tokio::signal::ctrl_c().await;
}
