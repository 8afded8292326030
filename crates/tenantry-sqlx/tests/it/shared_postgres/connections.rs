//! One budget of connections, and what is left on them: nothing.

use std::time::{Duration, Instant};

use futures_util::{TryStreamExt, future::join_all};
use sqlx::{AssertSqlSafe, Executor, Row};
use tenantry_sqlx::ScopeError;

use super::Deployment;

/// What the server says of the connections of the application's role: in which state they are.
async fn states(deployment: &Deployment) -> Vec<String> {
    let text = "SELECT state FROM pg_stat_activity WHERE usename = $1 AND query LIKE '%tenantry.tenant%' OR usename = $1 AND \
                state <> 'idle'";
    let mut admin = deployment.admin().await;
    let rows = sqlx::query(text).bind(deployment.role()).fetch_all(&mut admin).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn until_idle(deployment: &Deployment) {
    for _ in 0..100 {
        if states(deployment).await.iter().all(|state| state == "idle") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a connection stays {:?}", states(deployment).await);
}

#[tokio::test]
async fn nothing_is_left_on_a_connection_that_goes_back() {
    let deployment = Deployment::with(|options| options.connections_max = 1).await;
    let pool = &deployment.pool;
    let work = async {
        // Read, and read in part; in a transaction that is dropped; failed; given up while it runs.
        sqlx::query("SELECT * FROM tags").fetch_all(pool).await.unwrap();
        let mut rows = sqlx::query("SELECT n FROM generate_series(1, 100000) AS n").fetch(pool);
        rows.try_next().await.unwrap();
        drop(rows);
        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("DELETE FROM tags").await.unwrap();
        drop(transaction);
        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("SELECT 1 / 0").await.unwrap_err();
        drop(transaction);
        let long = "SELECT count(*) FROM generate_series(1, 3000000) AS n";
        let given_up = tokio::time::timeout(Duration::from_millis(20), sqlx::query(long).fetch_one(pool)).await;
        assert!(given_up.is_err());
        sqlx::query("SELECT 1").fetch_one(pool).await.unwrap();
        let begin = tokio::time::timeout(Duration::from_micros(1), pool.begin()).await;
        drop(begin);
    };
    deployment.as_tenant(1, work).await;
    until_idle(&deployment).await;
    let other = async {
        let tags: i64 = sqlx::query_scalar("SELECT count(*) FROM tags").fetch_one(pool).await.unwrap();
        assert_eq!(tags, 2);
        let depth = pool.begin().await.unwrap();
        depth.commit().await.unwrap();
    };
    deployment.as_tenant(2, other).await;
    until_idle(&deployment).await;
}

/// The identity ends with the transaction: a connection that goes back has none, and without one nothing can be read.
#[tokio::test]
async fn without_an_identity_the_server_itself_shows_nothing() {
    let deployment = Deployment::new().await;
    let mut application = deployment.application().await;
    application.execute("BEGIN; SELECT set_config('tenantry.tenant', '1', true)").await.unwrap();
    application.execute("SELECT * FROM tenantry_shared.tags").await.unwrap();
    application.execute("COMMIT").await.unwrap();
    application.execute("SELECT * FROM tenantry_shared.tags").await.unwrap_err();
}

/// A role may be set to begin its sessions with a tenant; the pool's begin without a tenant nevertheless.
#[tokio::test]
async fn a_session_begins_without_a_tenant() {
    let deployment = Deployment::new().await;
    let mut admin = deployment.admin().await;
    admin.execute(AssertSqlSafe(format!("ALTER ROLE {} SET tenantry.tenant = '2'", deployment.role()))).await.unwrap();
    let mut poisoned = deployment.application().await;
    poisoned.execute("SELECT * FROM tenantry_shared.tags").await.unwrap();
    let pool = deployment.another(|_| {});
    let tags: i64 =
        deployment.as_tenant(1, sqlx::query_scalar("SELECT count(*) FROM tags").fetch_one(&pool)).await.unwrap();
    assert_eq!(tags, 2);
    let plan = pool.plan("SELECT count(*) FROM tags").await.unwrap();
    assert!(plan.text.contains("_tenant"), "{}", plan.text);
}

#[tokio::test]
async fn tenants_with_a_database_of_their_own_draw_on_the_same_budget() {
    let deployment = Deployment::with(|options| options.connections_max = 2).await;
    let pool = &deployment.pool;
    for _ in 0..3 {
        for id in [1, 2, 3] {
            deployment.as_tenant(id, async { sqlx::query("SELECT * FROM tags").fetch_all(pool).await.unwrap() }).await;
        }
    }
    let held = deployment.as_tenant(3, pool.acquire()).await.unwrap();
    let other = deployment.as_tenant(1, pool.acquire()).await.unwrap();
    let mut admin = deployment.admin().await;
    let text = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
    let open: i64 = sqlx::query_scalar(text).bind(deployment.role()).fetch_one(&mut admin).await.unwrap();
    // One more asks about the schema; none of those that made room may still be there.
    assert!((2..=3).contains(&open), "{open}");
    drop((held, other));
}

#[tokio::test]
async fn who_waits_too_long_is_told() {
    let deployment = Deployment::with(|options| {
        options.connections_max = 1;
        options.waiters_max = 1;
        options.acquire_timeout = Duration::from_millis(300);
    })
    .await;
    let pool = &deployment.pool;
    let held = deployment.as_tenant(1, pool.acquire()).await.unwrap();
    let begun = Instant::now();
    let waits = deployment.as_tenant(2, async { join_all([pool.acquire(), pool.acquire()]).await }).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    let errors: Vec<_> = waits.into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().any(|error| matches!(error, sqlx::Error::PoolTimedOut)));
    let told = errors.iter().find_map(ScopeError::of).unwrap();
    assert!(matches!(told, ScopeError::TooManyWait { waiters_max: 1 }), "{told}");
    drop(held);
    deployment.as_tenant(2, async { pool.acquire().await.unwrap() }).await;
}
