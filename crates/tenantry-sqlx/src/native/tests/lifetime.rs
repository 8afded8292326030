//! A connection takes with it what belongs to it, however it ends.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, Executor, SqliteConnection};

use super::{Session, Shared, install};

/// Waits for the thread of a connection that was dropped.
async fn freed(session: &Arc<Session>) {
    for _ in 0..10_000 {
        if Arc::strong_count(session) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the connection still has its session");
}

async fn used(shared: &mut Shared) {
    shared.enter(1);
    shared.run("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await.unwrap();
    shared.run("INSERT INTO auto (slug, _tenant) VALUES ('a', 1)").await.unwrap();
    shared.run("INSERT INTO plain (id, _tenant) VALUES (9223372036854775807, 1), (NULL, 1)").await.unwrap();
    shared.run("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await.unwrap_err();
    shared.run("PRAGMA table_info(plain)").await.unwrap_err();
    shared.enter(2);
    shared.run("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_closed_connection_frees_its_session() {
    let mut shared = Shared::with_tables().await;
    used(&mut shared).await;
    let Shared { connection, session } = shared;
    assert!(Arc::strong_count(&session) > 1);
    connection.close().await.unwrap();
    assert_eq!(Arc::strong_count(&session), 1);
}

#[tokio::test]
async fn a_dropped_connection_frees_its_session() {
    for sql in ["SELECT 1", "BEGIN", "SAVEPOINT s", "INSERT INTO plain (slug, _tenant) VALUES ('z', 2) RETURNING id"] {
        let mut shared = Shared::with_tables().await;
        used(&mut shared).await;
        sqlx::query(sql).fetch_optional(&mut shared.connection).await.unwrap();
        let Shared { connection, session } = shared;
        drop(connection);
        freed(&session).await;
    }
}

#[tokio::test]
async fn a_connection_has_one_session() {
    let mut shared = Shared::with_tables().await;
    let second = Arc::new(Session::default());
    assert!(install(&mut shared.connection, Arc::clone(&second)).await.is_err());
    assert_eq!(Arc::strong_count(&second), 1);
    used(&mut shared).await;
}

#[tokio::test]
async fn a_transaction_that_nobody_ended_is_rolled_back_after_the_lease() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    let mut transaction = shared.connection.begin().await.unwrap();
    transaction.execute("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await.unwrap();
    let mut inner = transaction.begin().await.unwrap();
    inner.execute("INSERT INTO plain (slug, _tenant) VALUES ('b', 1)").await.unwrap();
    shared.session.leave();
    drop(inner);
    drop(transaction);
    shared.connection.ping().await.unwrap();
    shared.enter(1);
    assert_eq!(shared.numbers("SELECT count(*) FROM plain").await, [0]);
    shared.run("BEGIN").await.unwrap();
}

#[tokio::test]
async fn a_connection_without_a_session_is_as_it_was() {
    let mut connection = SqliteConnection::connect(":memory:").await.unwrap();
    connection.execute("CREATE TABLE a (b); INSERT INTO a VALUES (1)").await.unwrap();
    connection.close().await.unwrap();
}
