//! Shared tables against a schema for each tenant, side by side: `scripts/postgres with cargo run --release -p
//! tenantry-benches --features postgres --bin postgres_schemas [TENANTS]`.
//!
//! What a connection has in memory is read in `/proc`, which takes the same machine and root.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry::{TenantId, within};
use tenantry_benches::{
    postgres::{Deployment, SCHEMA},
    tables::admission,
};
use tenantry_test::server::TestDatabase;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let tenants = std::env::args().nth(1).map_or(Ok(1_000), |tenants| tenants.parse())?;
    shared(tenants).await?;
    schemas(tenants).await
}

async fn shared(tenants: i64) -> anyhow::Result<()> {
    println!("shared tables, {tenants} tenants");
    let deployment = Deployment::empty().await?;
    let admission = admission(tenants);
    let begun = Instant::now();
    for id in 1..=tenants {
        let scope = admission.admit_id(TenantId::new(id)).map_err(anyhow::Error::msg)?;
        // A tenant begins with its first statement.
        within(scope, sqlx::query("SELECT count(*) FROM notes").fetch_one(&deployment.pool)).await?;
    }
    println!("  creating a tenant, first statement included  {:?}", begun.elapsed() / u32::try_from(tenants)?);
    let mut admin = deployment.admin().await?;
    sizes(&mut admin).await?;
    let mut connection = deployment.application().await?;
    let text = deployment.pool.plan("SELECT count(*) FROM notes WHERE id = $1").await?.text.to_string();
    for id in 1..=tenants {
        connection.execute("BEGIN").await?;
        sqlx::query("SELECT set_config('tenantry.tenant', $1, true)")
            .bind(id.to_string())
            .execute(&mut connection)
            .await?;
        sqlx::query(AssertSqlSafe(text.as_str())).bind(1_i64).bind(id).fetch_one(&mut connection).await?;
        connection.execute("COMMIT").await?;
    }
    println!("  memory of a connection that has served all   {}", memory(&mut connection).await?);
    let begun = Instant::now();
    deployment.migrate_further("ALTER TABLE notes ADD COLUMN more text").await?;
    println!("  a column more, for all                       {:?}", begun.elapsed());
    Ok(())
}

async fn schemas(tenants: i64) -> anyhow::Result<()> {
    println!("a schema for each tenant, {tenants} tenants");
    let database = TestDatabase::new().await?;
    let mut owner = PgConnection::connect(database.url()).await?;
    let begun = Instant::now();
    for id in 1..=tenants {
        let text = format!("BEGIN; CREATE SCHEMA t{id}; SET LOCAL search_path = t{id}; {SCHEMA}; COMMIT");
        owner.execute(AssertSqlSafe(text)).await?;
    }
    println!("  creating a tenant                            {:?}", begun.elapsed() / u32::try_from(tenants)?);
    sizes(&mut owner).await?;
    let mut connection = PgConnection::connect(database.url()).await?;
    for id in 1..=tenants {
        connection.execute(AssertSqlSafe(format!("SET search_path = t{id}"))).await?;
        connection.execute("SELECT count(*) FROM notes WHERE id = 1").await?;
    }
    println!("  memory of a connection that has served all   {}", memory(&mut connection).await?);
    let begun = Instant::now();
    for id in 1..=tenants {
        owner.execute(AssertSqlSafe(format!("ALTER TABLE t{id}.notes ADD COLUMN more text"))).await?;
    }
    println!("  a column more, for all                       {:?}", begun.elapsed());
    Ok(())
}

async fn sizes(connection: &mut PgConnection) -> anyhow::Result<()> {
    let text = "SELECT (SELECT count(*) FROM pg_class), sum(pg_total_relation_size(oid))::float8 / 1e6 FROM pg_class \
                WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'";
    let (relations, megabytes): (i64, f64) = sqlx::query_as(text).fetch_one(connection).await?;
    println!("  relations, size of the catalogs              {relations}, {megabytes:.1} MB");
    Ok(())
}

async fn memory(connection: &mut PgConnection) -> anyhow::Result<String> {
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?;
    let Ok(rollup) = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
        return Ok("cannot be read".to_owned());
    };
    let private = rollup.lines().filter(|line| line.starts_with("Private_"));
    let kilobytes: u64 = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum();
    Ok(format!("{kilobytes} kB"))
}
