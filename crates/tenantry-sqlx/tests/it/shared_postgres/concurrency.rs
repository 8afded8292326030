//! Two tenants and two connections each.

use std::{sync::Arc, time::Duration};

use sqlx::{Executor, Postgres};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedPool, ScopedTransaction};

use super::{Deployment, NOTES};
use crate::scoped::migrator;

/// How long something that has to wait is watched waiting.
const WATCHED: Duration = Duration::from_millis(100);

async fn star(transaction: &mut ScopedTransaction<'static, Postgres>) {
    transaction.execute("UPDATE notes SET stars = stars + 1 WHERE id = 1").await.unwrap();
}

async fn prepared() -> Deployment {
    let deployment = Deployment::new().await;
    for id in [1, 2] {
        let insert = sqlx::query("INSERT INTO notes (id, title) VALUES (1, 'one'), (2, 'two')");
        deployment.as_tenant(id, insert.execute(&deployment.pool)).await.unwrap();
    }
    deployment
}

async fn stars(pool: &ScopedPool<Postgres>) -> i32 {
    sqlx::query_scalar("SELECT stars FROM notes WHERE id = 1").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn locks_are_a_tenants_own() {
    let deployment = prepared().await;
    let pool = &deployment.pool;
    let mut acme = deployment.as_tenant(1, pool.begin()).await.unwrap();
    acme.execute("SELECT * FROM notes FOR UPDATE").await.unwrap();
    // Another tenant's rows with the same keys are free.
    deployment
        .as_tenant(2, async {
            let mut globex = pool.begin().await.unwrap();
            globex.execute("SELECT * FROM notes FOR UPDATE NOWAIT").await.unwrap();
            star(&mut globex).await;
            globex.commit().await.unwrap();
        })
        .await;
    // The tenant's own are not.
    let mut second = deployment.as_tenant(1, pool.begin()).await.unwrap();
    let error = second.execute("SELECT * FROM notes WHERE id = 1 FOR UPDATE NOWAIT").await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("55P03"));
    drop((acme, second));
    let skipped = sqlx::query("SELECT * FROM notes FOR UPDATE SKIP LOCKED").fetch_all(pool);
    assert_eq!(deployment.as_tenant(1, skipped).await.unwrap().len(), 2);
}

/// What is read through a view is locked in the view's tables, as on a private database; or cannot be, as there.
#[tokio::test]
async fn locks_reach_through_views() {
    let deployment = Deployment::new().await;
    let views = "CREATE VIEW starred (number, name) AS SELECT id, title FROM notes WHERE stars >= 0;
        CREATE VIEW counted AS SELECT user_id, count(*) FROM notes GROUP BY user_id";
    let pool = &deployment.pool;
    pool.migrate(&migrator(&[NOTES, views])).await.unwrap();
    let insert = sqlx::query("INSERT INTO notes (id, title) VALUES (1, 'one'), (2, 'two')");
    deployment.as_tenant(1, insert.execute(pool)).await.unwrap();
    let mut first = deployment.as_tenant(1, pool.begin()).await.unwrap();
    first.execute("SELECT * FROM starred s WHERE number = 1 FOR UPDATE").await.unwrap();
    let left = sqlx::query_scalar::<_, i64>("SELECT id FROM notes ORDER BY id FOR UPDATE SKIP LOCKED").fetch_all(pool);
    assert_eq!(deployment.as_tenant(1, left).await.unwrap(), [2]);
    first.rollback().await.unwrap();
    let counted = sqlx::query("SELECT 1 FROM counted FOR SHARE").execute(pool);
    let error = deployment.as_tenant(1, counted).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("0A000"), "{error}");
}

/// A statement that has waited for a row looks at it again (EvalPlanQual).
#[tokio::test]
async fn a_row_that_was_waited_for_is_looked_at_again() {
    let deployment = Arc::new(prepared().await);
    let pool = deployment.pool.clone();
    let mut first = deployment.as_tenant(1, pool.begin()).await.unwrap();
    star(&mut first).await;
    let (waiting, scope) = (pool.clone(), deployment.scope(1));
    #[expect(clippy::disallowed_methods, reason = "the scope is entered within")]
    let second = tokio::spawn(within(scope, async move {
        let mut second = waiting.begin().await.unwrap();
        let update = "UPDATE notes SET stars = notes.stars + 10 FROM (SELECT 1 AS one) AS x WHERE notes.stars <= x.one";
        let updated = second.execute(update).await.unwrap();
        second.commit().await.unwrap();
        updated.rows_affected()
    }));
    tokio::time::sleep(WATCHED).await;
    assert!(!second.is_finished(), "it waits for the row");
    star(&mut first).await;
    first.commit().await.unwrap();
    // Note 1 has two stars by now, and only note 2 still has none.
    assert_eq!(second.await.unwrap(), 1);
    assert_eq!(deployment.as_tenant(1, stars(&pool)).await, 2);
    assert_eq!(deployment.as_tenant(2, stars(&pool)).await, 0);
}

#[tokio::test]
async fn upserts_of_two_tenants_do_not_meet() {
    let deployment = prepared().await;
    let pool = &deployment.pool;
    let upsert = "INSERT INTO tags VALUES ('same') ON CONFLICT (name) DO UPDATE SET name = excluded.name";
    let mut acme = deployment.as_tenant(1, pool.begin()).await.unwrap();
    acme.execute(upsert).await.unwrap();
    let mut globex = deployment.as_tenant(2, pool.begin()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), globex.execute(upsert)).await.unwrap().unwrap();
    globex.commit().await.unwrap();
    // The same tenant's second one waits for the first.
    let mut second = deployment.as_tenant(1, pool.begin()).await.unwrap();
    assert!(tokio::time::timeout(WATCHED, second.execute(upsert)).await.is_err());
    acme.commit().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_put_in_an_order_fails() {
    let deployment = prepared().await;
    let pool = &deployment.pool;
    let begin = |id| deployment.as_tenant(id, pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE"));
    let (mut one, mut two, mut other) = (begin(1).await.unwrap(), begin(1).await.unwrap(), begin(2).await.unwrap());
    for transaction in [&mut one, &mut two, &mut other] {
        transaction.execute("SELECT count(*) FROM tags").await.unwrap();
    }
    for (tag, transaction) in [("a", &mut one), ("b", &mut two), ("a", &mut other)] {
        sqlx::query("INSERT INTO tags VALUES ($1)").bind(tag).execute(&mut **transaction).await.unwrap();
    }
    // The server watches pages, on which the rows of several tenants may be: it may see a conflict where a private one sees
    // none, which is what transactions of this level have to expect. It never overlooks one.
    let ends = [other.commit().await, one.commit().await, two.commit().await];
    for error in ends.iter().filter_map(|end| end.as_ref().err()) {
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("40001"), "{error}");
    }
    assert!(ends[1].is_err() || ends[2].is_err(), "both have read what the other one has changed");
}

#[tokio::test]
async fn a_deadlock_is_told_to_one_of_both() {
    let deployment = prepared().await;
    let pool = &deployment.pool;
    let (mut one, mut two) =
        deployment.as_tenant(1, async { (pool.begin().await.unwrap(), pool.begin().await.unwrap()) }).await;
    one.execute("UPDATE notes SET stars = 5 WHERE id = 1").await.unwrap();
    two.execute("UPDATE notes SET stars = 6 WHERE id = 2").await.unwrap();
    let (first, second) = futures_util::future::join(
        one.execute("UPDATE notes SET stars = 5 WHERE id = 2"),
        two.execute("UPDATE notes SET stars = 6 WHERE id = 1"),
    )
    .await;
    let errors: Vec<_> = [first.err(), second.err()].into_iter().flatten().collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].as_database_error().unwrap().code().as_deref(), Some("40P01"));
}
