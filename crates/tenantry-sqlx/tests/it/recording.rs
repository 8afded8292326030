//! What is run is written down.

use sqlx::Connection;
use tenantry_sqlx::recorder::{Ran, Recorder};

async fn ran(recorder: &Recorder, text: &'static str) -> Vec<Ran> {
    sqlx::raw_sql(text).execute(recorder.pool()).await.unwrap();
    recorder.take()
}

fn changes(text: &str) -> Ran {
    Ran { text: text.into(), changes: true }
}

fn reads(text: &str) -> Ran {
    Ran { text: text.into(), changes: false }
}

#[tokio::test]
async fn each_statement_is_written_down_once() {
    let recorder = Recorder::open().await.unwrap();
    recorder.take();
    let create = "CREATE TABLE t (id INTEGER PRIMARY KEY, of REFERENCES t ON DELETE CASCADE)";
    assert_eq!(ran(&recorder, create).await, [changes(create)]);
    // What a trigger and a foreign key do is part of the statement.
    let trigger =
        "CREATE TRIGGER x AFTER INSERT ON t WHEN NEW.id < 3 BEGIN INSERT INTO t VALUES (NEW.id + 1, NEW.id); END";
    assert_eq!(ran(&recorder, trigger).await, [changes(trigger)]);
    let script = "INSERT INTO t VALUES (1, NULL); SELECT 1 FROM t;; DELETE FROM t WHERE id = 1";
    let expected =
        [changes("INSERT INTO t VALUES (1, NULL)"), reads("SELECT 1 FROM t"), changes("DELETE FROM t WHERE id = 1")];
    assert_eq!(ran(&recorder, script).await, expected);
    assert_eq!(ran(&recorder, "ALTER TABLE t RENAME TO u").await, [changes("ALTER TABLE t RENAME TO u")]);
    assert!(recorder.take().is_empty());
}

#[tokio::test]
async fn values_are_written_in_place_of_parameters() {
    let recorder = Recorder::open().await.unwrap();
    ran(&recorder, "CREATE TABLE t (a, b, c, d, e)").await;
    sqlx::query("INSERT INTO t VALUES (?, ?, ?, ?, ?)")
        .bind("it's")
        .bind(i64::MIN)
        .bind(0.5)
        .bind([0_u8, 255].as_slice())
        .bind(None::<i64>)
        .execute(recorder.pool())
        .await
        .unwrap();
    assert_eq!(recorder.take(), [changes("INSERT INTO t VALUES ('it''s', -9223372036854775808, 0.5, x'00ff', NULL)")]);
}

#[tokio::test]
async fn transactions_are_written_down_as_well() {
    let recorder = Recorder::open().await.unwrap();
    recorder.take();
    let mut connection = recorder.pool().acquire().await.unwrap();
    let transaction = connection.begin().await.unwrap();
    transaction.rollback().await.unwrap();
    drop(connection);
    let texts = recorder.take().into_iter().map(|ran| (ran.text, ran.changes)).collect::<Vec<_>>();
    assert_eq!(texts, [("BEGIN".to_owned(), false), ("ROLLBACK".to_owned(), false)]);
}
