//! What shared tables on PostgreSQL cost, each wall alone and both: `scripts/postgres with cargo run --release -p
//! tenantry-benches --features postgres --bin postgres [ROUNDS]`.
//!
//! One connection each, statements prepared, in turn; the ratio of each round is to the condition written by hand.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{collections::BTreeMap, time::Instant};

use anyhow::Context;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tenantry::within;
use tenantry_benches::postgres::{Deployment, ROWS, TENANT};

/// Runs of a statement in one measurement.
const RUNS: i64 = 400;

/// A statement as the application writes it, and with a condition written by hand.
const STATEMENTS: [(&str, &str, &str); 4] = [
    (
        "a row by its key",
        "SELECT title, body FROM notes WHERE id = $1",
        "SELECT title, body FROM by_hand.notes WHERE tenant_id = $2 AND id = $1",
    ),
    (
        "20 rows of a range",
        "SELECT title, body FROM notes WHERE id BETWEEN $1 AND $1 + 19 ORDER BY id",
        "SELECT title, body FROM by_hand.notes WHERE tenant_id = $2 AND id BETWEEN $1 AND $1 + 19 ORDER BY id",
    ),
    (
        "a join of two tables",
        "SELECT n.title, u.email FROM notes n JOIN users u ON u.id = n.user_id WHERE n.id = $1",
        "SELECT n.title, u.email FROM by_hand.notes n JOIN by_hand.users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id \
         WHERE n.tenant_id = $2 AND n.id = $1",
    ),
    (
        "an update by its key",
        "UPDATE notes SET stars = stars + 1 WHERE id = $1",
        "UPDATE by_hand.notes SET stars = stars + 1 WHERE tenant_id = $2 AND id = $1",
    ),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(9), |rounds| rounds.parse())?;
    let deployment = Deployment::filled().await?;
    for (name, text, by_hand) in STATEMENTS {
        in_a_transaction(&deployment, name, text, by_hand, rounds).await?;
    }
    for (name, text, by_hand) in STATEMENTS {
        by_itself(&deployment, name, text, by_hand, rounds).await?;
    }
    Ok(())
}

async fn in_a_transaction(
    deployment: &Deployment,
    name: &str,
    text: &str,
    by_hand: &str,
    rounds: usize,
) -> anyhow::Result<()> {
    let scoped = deployment.pool.plan(text).await?.text.to_string();
    let security_alone = ["notes", "users"].iter().fold(text.to_owned(), |text, table| {
        text.replace(&format!(" {table} "), &format!(" tenantry_shared.{table} "))
    });
    let security_alone = security_alone.replace("UPDATE notes", "UPDATE tenantry_shared.notes");
    let mut variants = [
        ("by hand", by_hand.to_owned(), deployment.admin().await?, true),
        ("rewriting alone", scoped.clone(), deployment.admin().await?, true),
        ("row-level security alone", security_alone, deployment.application().await?, false),
        ("both", scoped, deployment.application().await?, true),
        ("a private database", text.to_owned(), deployment.private().await?, false),
    ];
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..=rounds {
        for (variant, text, connection, takes_tenant) in &mut variants {
            let micros = transaction(connection, text, *takes_tenant).await.with_context(|| text.clone())?;
            times.entry(variant).or_default().push(micros);
        }
        let micros = through_the_pool(deployment, text).await?;
        times.entry("both, through the pool").or_default().push(micros);
    }
    report(&format!("{name}, in a transaction"), &times);
    Ok(())
}

async fn transaction(connection: &mut PgConnection, text: &str, takes_tenant: bool) -> anyhow::Result<f64> {
    connection.execute("BEGIN").await?;
    sqlx::query("SELECT set_config('tenantry.tenant', $1, true)")
        .bind(TENANT.to_string())
        .execute(&mut *connection)
        .await?;
    let begun = Instant::now();
    for id in 1..=RUNS {
        let query = sqlx::query(AssertSqlSafe(text)).bind(id * 2 % ROWS + 1);
        let query = if takes_tenant { query.bind(TENANT) } else { query };
        query.fetch_all(&mut *connection).await?;
    }
    let elapsed = begun.elapsed();
    connection.execute("ROLLBACK").await?;
    Ok(micros(elapsed))
}

async fn through_the_pool(deployment: &Deployment, text: &str) -> anyhow::Result<f64> {
    within(deployment.scope(), async {
        let mut transaction = deployment.pool.begin().await?;
        let begun = Instant::now();
        for id in 1..=RUNS {
            sqlx::query(AssertSqlSafe(text)).bind(id * 2 % ROWS + 1).fetch_all(&mut *transaction).await?;
        }
        let elapsed = begun.elapsed();
        transaction.rollback().await?;
        Ok(micros(elapsed))
    })
    .await
}

/// Each statement by itself, on pools.
async fn by_itself(
    deployment: &Deployment,
    name: &str,
    text: &str,
    by_hand: &str,
    rounds: usize,
) -> anyhow::Result<()> {
    let plain = deployment.plain_pool().await?;
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..=rounds {
        let begun = Instant::now();
        for id in 1..=RUNS {
            let query = sqlx::query(AssertSqlSafe(by_hand)).bind(id * 2 % ROWS + 1).bind(TENANT);
            query.fetch_all(&plain).await?;
        }
        times.entry("by hand").or_default().push(micros(begun.elapsed()));
        let begun = Instant::now();
        within(deployment.scope(), async {
            for id in 1..=RUNS {
                sqlx::query(AssertSqlSafe(text)).bind(id * 2 % ROWS + 1).fetch_all(&deployment.pool).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
        .await?;
        times.entry("both, through the pool").or_default().push(micros(begun.elapsed()));
    }
    plain.close().await;
    report(&format!("{name}, by itself"), &times);
    Ok(())
}

fn micros(elapsed: std::time::Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "400 is no large number")]
    let runs = RUNS as f64;
    elapsed.as_secs_f64() * 1e6 / runs
}

/// The median of the rounds, without the first, which warms up; and the median of their ratios.
fn report(title: &str, times: &BTreeMap<&str, Vec<f64>>) {
    println!("\n{title}");
    let Some(by_hand) = times.get("by hand") else { return };
    for (variant, micros) in times {
        let ratios: Vec<_> = micros.iter().zip(by_hand).skip(1).map(|(micros, by_hand)| micros / by_hand).collect();
        let (lowest, ratio, highest) = spread(ratios);
        let (_, micros, _) = spread(micros.iter().skip(1).copied().collect());
        println!("  {variant:26} {micros:7.1} µs   {ratio:.2}  ({lowest:.2}-{highest:.2})");
    }
}

fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}
