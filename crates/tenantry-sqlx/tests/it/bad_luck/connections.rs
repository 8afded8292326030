//! Connections that are still busy, all taken, or locked out.

use std::time::Duration;

use futures_util::TryStreamExt;
use tenantry_resource::within;

use super::{ACME, GLOBEX, insert, is_clean, narrow_deployment, raw, titles};
use crate::scoped::{Deployment, NOTES};

#[tokio::test]
async fn a_stream_that_is_dropped_half_way_ends() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    let endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n FROM n";
    for rows in [0, 1, 70] {
        within(deployment.scope(ACME), async {
            let mut stream = sqlx::query_scalar::<_, i64>(endless).fetch(&deployment.pool);
            for row in 1..=rows {
                assert_eq!(stream.try_next().await.unwrap(), Some(row));
            }
        })
        .await;
        is_clean(&deployment, GLOBEX, &mut next).await;
    }
    // Within a transaction, whose next statement waits for it.
    within(deployment.scope(ACME), async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        let mut stream = sqlx::query_scalar::<_, i64>(endless).fetch(&mut *transaction);
        assert_eq!(stream.try_next().await.unwrap(), Some(1));
        drop(stream);
        sqlx::query("INSERT INTO notes (title) VALUES ('x')").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    })
    .await;
    assert_eq!(titles(&deployment, ACME).await, ["x"]);
    is_clean(&deployment, GLOBEX, &mut next).await;
}

#[tokio::test]
async fn who_leases_while_a_statement_still_runs_waits_for_it() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    is_clean(&deployment, GLOBEX, &mut next).await;
    for _ in 0..5 {
        let text =
            "INSERT INTO notes (title) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 20000)
                    SELECT 'long' FROM n";
        let long = async { sqlx::query(text).execute(&deployment.pool).await.unwrap() };
        // Not by polls: those before the statement begins are many or few.
        within(deployment.scope(ACME), async { tokio::time::timeout(Duration::from_millis(20), long).await })
            .await
            .ok();
        is_clean(&deployment, GLOBEX, &mut next).await;
        assert_eq!(titles(&deployment, ACME).await.len() % 20000, 0);
    }
}

#[tokio::test]
async fn a_statement_without_end_does_not_keep_its_connection() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    is_clean(&deployment, GLOBEX, &mut next).await;
    let endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
    let work = async { sqlx::query(endless).fetch_one(&deployment.pool).await };
    let waited = within(deployment.scope(ACME), async { tokio::time::timeout(Duration::from_millis(200), work).await });
    assert!(waited.await.is_err());
    is_clean(&deployment, GLOBEX, &mut next).await;
}

#[tokio::test]
async fn an_exhausted_pool_says_so_and_recovers() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    let held = within(deployment.scope(ACME), deployment.pool.begin()).await.unwrap();
    let error = within(deployment.scope(GLOBEX), insert(&deployment.pool, "waits")).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::PoolTimedOut), "{error}");
    assert!(!error.to_string().contains("acme"), "{error}");
    drop(held);
    is_clean(&deployment, GLOBEX, &mut next).await;
}

#[tokio::test]
async fn a_locked_database_is_an_error_and_works_again_after() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    is_clean(&deployment, GLOBEX, &mut next).await;
    let mut raw = raw(&deployment).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut raw).await.unwrap();
    // A tenant who is there reads, and does not write.
    within(deployment.scope(GLOBEX), async {
        let error = insert(&deployment.pool, "locked").await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("5"), "{error}");
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&deployment.pool).await.unwrap();
        assert_eq!(count, 1);
        let error = deployment.pool.begin_with("BEGIN IMMEDIATE").await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("5"), "{error}");
    })
    .await;
    // A new one has to get its first rows.
    let error = within(deployment.scope(ACME), insert(&deployment.pool, "locked")).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("5"), "{error}");
    let error = deployment.migrate(&[NOTES, "CREATE TABLE more (id)"]).await.unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.unwrap();
    is_clean(&deployment, GLOBEX, &mut next).await;
    is_clean(&deployment, ACME, &mut 1).await;
    deployment.migrate(&[NOTES, "CREATE TABLE more (id)"]).await.unwrap();
}

/// SQLite counts the steps of a statement that it keeps over all its runs, and asks every some thousand of them whether to
/// stop: also in the small ones of our own, between two leases.
#[tokio::test]
async fn a_connection_serves_any_number_of_leases() {
    let deployment = Deployment::with(|options| options.connections_max = 1);
    deployment.migrate(&[NOTES]).await.unwrap();
    for lease in 0..3000 {
        let scope = deployment.scope(if lease % 2 == 0 { ACME } else { GLOBEX });
        // It takes so many steps that SQLite asks during it as well.
        let long = "WITH RECURSIVE n(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM n LIMIT 1000)
                    INSERT OR REPLACE INTO tags (rowid, name) SELECT 9, max(n) FROM n";
        let tagged = within(scope, sqlx::query(long).bind(lease).execute(&deployment.pool)).await;
        assert_eq!(tagged.unwrap_or_else(|error| panic!("lease {lease}: {error}")).rows_affected(), 1);
    }
}
