//! A server that goes away.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, Executor, PgConnection, Row};
use tenantry_resource::within;
use tenantry_test::server::TestServer;

use super::Deployment;

/// Every transaction moves a star from one note to the other, so that their sum stays.
const TAKE: &str = "UPDATE notes SET stars = stars - 1 WHERE id = 1";
const GIVE: &str = "UPDATE notes SET stars = stars + 1 WHERE id = 2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_load_leaves_no_transaction_half_done() {
    let server = TestServer::start().unwrap();
    let deployment = Arc::new(Deployment::on_server(&server, |options| options.connections_max = 4).await);
    for id in [1, 2] {
        let insert = sqlx::query("INSERT INTO notes (id, title) VALUES (1, 'one'), (2, 'two')");
        deployment.as_tenant(id, insert.execute(&deployment.pool)).await.unwrap();
    }
    let ends = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = [1, 2, 1, 2, 1, 2]
        .into_iter()
        .map(|id| {
            let (deployment, ends) = (Arc::clone(&deployment), Arc::clone(&ends));
            #[expect(clippy::disallowed_methods, reason = "the scope is entered within")]
            tokio::spawn(async move {
                let (mut committed, mut failed) = (0, Vec::new());
                while !ends.load(Ordering::Relaxed) {
                    let moved = within(deployment.scope(id), async {
                        let mut transaction = deployment.pool.begin().await?;
                        transaction.execute(TAKE).await?;
                        transaction.execute(GIVE).await?;
                        transaction.commit().await
                    });
                    match moved.await {
                        Ok(()) => committed += 1,
                        Err(error) => {
                            failed.push(error.to_string());
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    }
                }
                (id, committed, failed)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(400)).await;
    server.stop().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    server.start_again().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    ends.store(true, Ordering::Relaxed);
    let mut committed = HashMap::from([(1, 0), (2, 0)]);
    let mut failed = Vec::new();
    for worker in workers {
        let (id, count, errors) = worker.await.unwrap();
        *committed.entry(id).or_default() += count;
        failed.extend(errors);
    }
    assert!(!failed.is_empty(), "nobody noticed");
    for error in &failed {
        assert!(!error.contains("tenantry_shared"), "{error}");
    }
    for id in [1, 2] {
        let text = "SELECT sum(stars), max(stars) FROM notes";
        let row = deployment.as_tenant(id, sqlx::query(text).fetch_one(&deployment.pool)).await.unwrap();
        let (sum, moved): (i64, i32) = (row.get(0), row.get(1));
        assert_eq!(sum, 0, "a transaction was half done");
        // A commit whose answer was lost may have been done.
        let (told, moved) = (committed[&id], usize::try_from(moved).unwrap());
        assert!(told <= moved && moved <= told + failed.len(), "{told} {moved}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_replaced() {
    let deployment = Deployment::with(|options| options.connections_max = 2).await;
    let pool = &deployment.pool;
    let read = || deployment.as_tenant(1, sqlx::query("SELECT * FROM tags").fetch_all(pool));
    read().await.unwrap();
    let mut held = deployment.as_tenant(1, pool.begin()).await.unwrap();
    held.execute("DELETE FROM tags").await.unwrap();
    let mut admin: PgConnection = deployment.admin().await;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    sqlx::query(terminate).bind(deployment.role()).execute(&mut admin).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = held.execute("DELETE FROM users").await.unwrap_err();
    assert!(matches!(&error, sqlx::Error::Database(_) | sqlx::Error::Io(_)), "{error:?}");
    drop(held);
    // The one that lay idle is not met again.
    assert_eq!(read().await.unwrap().len(), 2, "nothing was deleted");
    admin.close().await.unwrap();
}
