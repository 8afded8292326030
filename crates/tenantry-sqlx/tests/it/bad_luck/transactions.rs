//! Transactions and savepoints that are dropped, forgotten, or begun by text.

use std::time::Duration;

use futures_util::FutureExt;
use tenantry_resource::within;
use tenantry_sqlx::ScopeError;

use super::{ACME, GLOBEX, dropped_after, insert, is_clean, narrow_deployment, titles, transaction};

#[tokio::test]
async fn a_transaction_that_is_dropped_at_any_await_leaves_no_trace() {
    let deployment = narrow_deployment().await;
    let (mut next, mut whole, mut dropped) = (1, 0, 0);
    for polls in 1.. {
        let work = within(deployment.scope(ACME), dropped_after(polls, transaction(&deployment.pool))).await;
        is_clean(&deployment, GLOBEX, &mut next).await;
        let of_acme = titles(&deployment, ACME).await;
        assert_eq!(of_acme.len() % 3, 0, "half of a transaction: {of_acme:?}");
        dropped += usize::from(work.is_none());
        whole += usize::from(work.is_some());
        if whole == 3 {
            break;
        }
    }
    assert!(dropped > 0, "{dropped}");
}

#[tokio::test]
async fn a_savepoint_that_is_dropped_as_it_begins_leaves_the_transaction_alone() {
    let deployment = narrow_deployment().await;
    within(deployment.scope(ACME), async {
        for round in 0..20 {
            let mut transaction = deployment.pool.begin().await.unwrap();
            sqlx::query("INSERT INTO notes (title) VALUES ('before')").execute(&mut *transaction).await.unwrap();
            let begun = dropped_after(1, transaction.begin()).await;
            assert!(begun.is_none_or(|begun| begun.is_ok()));
            sqlx::query("INSERT INTO notes (title) VALUES ('after')").execute(&mut *transaction).await.unwrap();
            if round % 2 == 0 {
                transaction.commit().await.unwrap();
            } else {
                transaction.rollback().await.unwrap();
            }
            let count: i64 =
                sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&deployment.pool).await.unwrap();
            assert_eq!(count, (round / 2 + 1) * 2, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_single_statement_that_is_dropped_at_any_await_leaves_no_trace() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    for polls in 1..12 {
        let text = "INSERT INTO notes (title) VALUES ('a'), ('b') RETURNING id";
        let work = async { sqlx::query(text).fetch_all(&deployment.pool).await.unwrap().len() };
        within(deployment.scope(ACME), dropped_after(polls, work)).await;
        is_clean(&deployment, GLOBEX, &mut next).await;
        assert_eq!(titles(&deployment, ACME).await.len() % 2, 0);
    }
}

#[tokio::test]
async fn a_panic_while_a_transaction_is_open_undoes_it() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    let work = async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut *transaction).await.unwrap();
        let mut savepoint = transaction.begin().await.unwrap();
        sqlx::query("INSERT INTO notes (title) VALUES ('lost too')").execute(&mut *savepoint).await.unwrap();
        panic!("bad luck");
    };
    let panicked = std::panic::AssertUnwindSafe(within(deployment.scope(ACME), work)).catch_unwind().await;
    assert!(panicked.is_err());
    is_clean(&deployment, GLOBEX, &mut next).await;
    assert!(titles(&deployment, ACME).await.is_empty());
}

#[tokio::test]
async fn a_savepoint_that_is_forgotten_does_not_reach_the_next_tenant() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    within(deployment.scope(ACME), async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        let mut savepoint = transaction.begin().await.unwrap();
        sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut *savepoint).await.unwrap();
        std::mem::forget(savepoint);
        // Ends the savepoint, since sqlx counts.
        transaction.commit().await.unwrap();
    })
    .await;
    is_clean(&deployment, GLOBEX, &mut next).await;
    assert!(titles(&deployment, ACME).await.is_empty());
    // The transaction is dropped before its savepoint only where the savepoint is forgotten.
    within(deployment.scope(ACME), async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        let mut savepoint = transaction.begin().await.unwrap();
        sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut *savepoint).await.unwrap();
        std::mem::forget(savepoint);
        drop(transaction);
    })
    .await;
    is_clean(&deployment, GLOBEX, &mut next).await;
}

#[tokio::test]
async fn a_transaction_that_was_begun_by_text_ends_with_its_lease() {
    for text in ["BEGIN IMMEDIATE", "SAVEPOINT mine", "BEGIN; "] {
        let deployment = narrow_deployment().await;
        let mut next = 1;
        is_clean(&deployment, GLOBEX, &mut next).await;
        within(deployment.scope(ACME), async {
            let mut connection = deployment.pool.acquire().await.unwrap();
            sqlx::query(text).execute(&mut connection).await.unwrap();
            sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut connection).await.unwrap();
        })
        .await;
        // Nobody needs to lease that connection again before the lock is free.
        let other = deployment.another(|options| options.busy_timeout = Duration::from_secs(2));
        within(deployment.scope(GLOBEX), async { insert(&other, "clean").await.unwrap() }).await;
        next += 1;
        is_clean(&deployment, GLOBEX, &mut next).await;
        assert!(titles(&deployment, ACME).await.is_empty());
    }
}

#[tokio::test]
async fn what_begins_a_transaction_does_nothing_else() {
    let deployment = narrow_deployment().await;
    within(deployment.scope(ACME), async {
        let pool = &deployment.pool;
        insert(pool, "kept").await.unwrap();
        for text in [
            "BEGIN; DELETE FROM notes",
            "BEGIN; PRAGMA foreign_keys = OFF",
            "BEGIN; SELECT count(*) FROM _tenantry_master",
            "DELETE FROM notes",
            "SELECT 1",
            "BEGIN; COMMIT; BEGIN",
        ] {
            let error = pool.begin_with(text).await.unwrap_err();
            assert!(ScopeError::of(&error).and_then(ScopeError::code).is_some(), "{text}: {error}");
        }
        for text in ["COMMIT", "ROLLBACK", "SAVEPOINT"] {
            assert!(pool.begin_with(text).await.is_err(), "{text}");
        }
        for text in ["BEGIN", "BEGIN IMMEDIATE", "begin exclusive transaction;", "BEGIN DEFERRED"] {
            let transaction = pool.begin_with(text).await.unwrap();
            transaction.commit().await.unwrap();
        }
    })
    .await;
    assert_eq!(titles(&deployment, ACME).await, ["kept"]);
}

#[tokio::test]
async fn savepoints_without_a_borrow_end_one_after_the_other() {
    let deployment = narrow_deployment().await;
    let mut next = 1;
    let insert = |title: &'static str| sqlx::query("INSERT INTO notes (title) VALUES (?)").bind(title);
    within(deployment.scope(ACME), async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        insert("kept").execute(&mut *transaction).await.unwrap();
        transaction.savepoint().await.unwrap();
        insert("kept too").execute(&mut *transaction).await.unwrap();
        transaction.savepoint().await.unwrap();
        insert("undone").execute(&mut *transaction).await.unwrap();
        transaction.start_undo();
        transaction.release().await.unwrap();
        transaction.savepoint().await.unwrap();
        insert("undone too").execute(&mut *transaction).await.unwrap();
        transaction.undo().await.unwrap();
        transaction.commit().await.unwrap();

        let mut transaction = deployment.pool.begin().await.unwrap();
        insert("lost").execute(&mut *transaction).await.unwrap();
        transaction.savepoint().await.unwrap();
        let elsewhere = within(deployment.scope(GLOBEX), async { transaction.release().await.unwrap_err() }).await;
        assert!(matches!(ScopeError::of(&elsewhere), Some(ScopeError::OtherScope { .. })));
        // The transaction is dropped with a savepoint in it.
    })
    .await;
    is_clean(&deployment, GLOBEX, &mut next).await;
    assert_eq!(titles(&deployment, ACME).await, ["kept", "kept too"]);
}
