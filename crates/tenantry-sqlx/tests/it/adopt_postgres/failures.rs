//! An adoption that fails on its way leaves nothing.

use std::{ops::ControlFlow, time::Duration};

use super::*;

#[tokio::test]
async fn a_row_that_has_no_place_is_said() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    // What the instance's own server has not checked.
    let mut admin = PgConnection::connect(&source.0.admin_url()).await.unwrap();
    let unchecked = "SET session_replication_role = replica; INSERT INTO loans VALUES (99, '2024-01-01')";
    sqlx::raw_sql(unchecked).execute(&mut admin).await.unwrap();
    let refused = target.refused(ACME, &source).await;
    let AdoptError::Row { table, message, .. } = &refused else { panic!("{refused}") };
    assert_eq!(table, "loans");
    assert!(
        message.contains("loans_book_fkey") && message.contains("Key is not present in table \"Books\""),
        "{message}"
    );
    assert!(!message.contains("_tenant") && !message.contains(&ACME.to_string()), "{message}");
    assert!(target.left(ACME).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_connection_ends_nothing_is_left() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    source
        .run("INSERT INTO \"Books\" (author, \"The title\") SELECT 1, 'title ' || n FROM generate_series(1, 20000) n")
        .await;
    target.column(ACME, "SELECT title FROM settings").await;
    let before = target.left(ACME).await;
    for database in [target.database.name(), source.0.name()] {
        let (mut admin, mut killed) = (target.admin().await, 0);
        // The owner's connection to the one, or the reader's to the other, that has a transaction open.
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                    WHERE datname = $1 AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
        let how = AdoptOptions::default().on_progress(|progress| {
            if progress.rows > 10_000 && killed == 0 {
                let kill = sqlx::query_scalar(kill).bind(database).fetch_one(&mut admin);
                killed = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(kill)).unwrap();
            }
            ControlFlow::Continue(())
        });
        let outcome = adopt(&target.options, &tenant(ACME), &source.instance(), how).await;
        assert_eq!(killed, 1_i64, "{database}");
        outcome.unwrap_err();
        assert_eq!(target.left(ACME).await, before, "{database}");
    }
    target.adopt(ACME, &source).await.unwrap();
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
}

#[tokio::test]
async fn whoever_is_told_may_stop_it() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let how = AdoptOptions::default().on_progress(|progress| match progress.table {
        "loans" => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let stopped = adopt(&target.options, &tenant(ACME), &source.instance(), how).await.unwrap_err();
    assert!(matches!(stopped, AdoptError::Stopped(_)), "{stopped}");
    assert!(target.left(ACME).await.is_empty());
    target.adopt(ACME, &source).await.unwrap();
}

#[tokio::test]
async fn an_adoption_that_is_dropped_leaves_nothing() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    source
        .run("INSERT INTO \"Books\" (author, \"The title\") SELECT 1, 'title ' || n FROM generate_series(1, 20000) n")
        .await;
    for wait in [50, 100, 200, 300] {
        let adopting = target.adopt(ACME, &source);
        if tokio::time::timeout(Duration::from_millis(wait), adopting).await.is_ok() {
            break;
        }
        assert!(target.left(ACME).await.is_empty(), "{wait}");
    }
    target.adopt(ACME, &source).await.unwrap();
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
}

#[tokio::test]
async fn migrations_wait_and_are_awaited() {
    let target = Target::new(LIBRARY).await;
    let mut migrating = target.admin().await;
    sqlx::raw_sql("SELECT pg_advisory_lock(x'74656e616e747279'::bigint)").execute(&mut migrating).await.unwrap();
    let source = Source::library().await;
    // It waits at the door, where what is missing of Tenantry's own is made.
    let waiting = tokio::time::timeout(Duration::from_millis(500), target.adopt(ACME, &source)).await;
    assert!(waiting.is_err());
    migrating.close().await.unwrap();
    target.adopt(ACME, &source).await.unwrap();
}

#[tokio::test]
async fn two_at_once_are_one_after_the_other() {
    let target = Target::new(LIBRARY).await;
    let (one, two) = (Source::library().await, Source::library().await);
    two.run("UPDATE settings SET title = 'two'").await;
    let (first, second) = tokio::join!(target.adopt(ACME, &one), target.adopt(ACME, &two));
    let (adopted, refused) = if first.is_ok() { (&one, second) } else { (&two, first) };
    let refused = refused.unwrap_err();
    assert!(matches!(refused, AdoptError::Otherwise { .. } | AdoptError::Used { .. }), "{refused}");
    assert_eq!(target.all(ACME, TABLES).await, adopted.all(TABLES).await);
    let (first, second) = tokio::join!(target.adopt(GLOBEX, &one), target.adopt(GLOBEX, &one));
    assert!(first.is_ok() || second.is_ok());
    assert_eq!(target.all(GLOBEX, TABLES).await, one.all(TABLES).await);
}

#[tokio::test]
async fn a_tenant_that_has_taken_an_id_is_awaited() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let mut open = target.as_tenant(GLOBEX, target.pool.begin()).await.unwrap();
    sqlx::query("INSERT INTO authors (name) VALUES ('first')").execute(&mut *open).await.unwrap();
    let ends = async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        open.commit().await.unwrap();
    };
    let (adopted, ()) = tokio::join!(target.adopt(ACME, &source), ends);
    adopted.unwrap();
    assert_eq!(target.column(GLOBEX, "SELECT id::text FROM authors").await, ["1"]);
    assert_eq!(target.column(GLOBEX, "INSERT INTO authors (name) VALUES ('second') RETURNING id::text").await, ["5"]);
}
