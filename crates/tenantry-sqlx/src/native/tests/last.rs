//! What the connection says about the last statements: never of another tenant, and in triggers what SQLite says.

use sqlx::{Connection, Executor, SqliteConnection};

use super::{super::session::Mode, RowIds, Shared, Value, run, value, values};

const SAYS: &str = "SELECT last_insert_rowid() UNION ALL SELECT changes() UNION ALL SELECT total_changes()";

#[tokio::test]
async fn a_lease_sees_nothing_of_the_one_before() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    let sql = "INSERT INTO auto (id, slug, _tenant) VALUES (41, 'a', 1), (NULL, 'b', 1)";
    assert_eq!(shared.run(sql).await.unwrap(), (2, 42));
    assert_eq!(shared.numbers(SAYS).await, [42, 2, 2]);
    shared.session.leave();

    shared.enter(2);
    assert_eq!(shared.run("SELECT 1").await.unwrap(), (0, 0));
    assert_eq!(shared.numbers(SAYS).await, [0, 0, 0]);
    assert_eq!(shared.run("INSERT INTO auto (slug, _tenant) VALUES ('a', 2)").await.unwrap(), (1, 1));
    assert_eq!(shared.numbers(SAYS).await, [1, 1, 1]);

    // Not even the same tenant's lease before: a fresh connection has seen nothing either.
    shared.enter(1);
    assert_eq!(shared.run("UPDATE auto SET n = 1 WHERE _tenant = 1 AND slug = 'a'").await.unwrap(), (1, 0));
    assert_eq!(shared.numbers(SAYS).await, [0, 1, 1]);
}

#[tokio::test]
async fn a_lease_that_begins_in_the_middle_of_nothing_is_reset_by_a_write_as_well() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    shared.run("INSERT INTO plain (slug, _tenant) VALUES ('a', 1), ('b', 1)").await.unwrap();
    shared.enter(2);
    shared.run("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(shared.run("UPDATE plain SET n = 1 WHERE _tenant = 2").await.unwrap(), (0, 0));
    assert_eq!(shared.run("INSERT INTO plain (slug, n, _tenant) SELECT 'a', changes(), 2").await.unwrap(), (1, 1));
    shared.run("COMMIT").await.unwrap();
    assert_eq!(shared.numbers("SELECT n FROM plain WHERE _tenant = 2").await, [0]);
}

#[tokio::test]
async fn a_returned_row_is_the_last_one_too() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    let sql = "INSERT INTO plain (slug, _tenant) VALUES ('a', 1), ('b', 1) RETURNING id";
    assert_eq!(shared.numbers(sql).await, [1, 2]);
    assert_eq!(shared.numbers(SAYS).await, [2, 2, 2]);
    // The second row is not fetched, but inserted.
    let sql = "INSERT INTO plain (slug, _tenant) VALUES ('c', 1), ('d', 1) RETURNING id";
    assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut shared.connection).await.unwrap(), 3);
    assert_eq!(shared.numbers(SAYS).await, [4, 2, 4]);
}

#[tokio::test]
async fn a_table_without_row_ids_leaves_the_last_one_alone() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    shared.run("CREATE TABLE pairs (_tenant, a, b, PRIMARY KEY (_tenant, a, b)) WITHOUT ROWID").await.unwrap();
    shared.enter(1);
    shared.expect(&["plain", "pairs"]);
    assert_eq!(shared.run("INSERT INTO pairs VALUES (1, 2, 3)").await.unwrap(), (1, 0));
    assert_eq!(shared.run("INSERT INTO plain (id, _tenant) VALUES (8, 1)").await.unwrap(), (1, 8));
    assert_eq!(shared.run("INSERT INTO pairs VALUES (1, 2, 4)").await.unwrap(), (1, 8));
}

/// The counter of an AUTOINCREMENT table is written while a statement runs, which asks about the statement before.
#[tokio::test]
async fn our_own_writing_is_not_seen() {
    let mut own = SqliteConnection::connect(":memory:").await.unwrap();
    own.execute("CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT, slug UNIQUE, n)").await.unwrap();
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    let asked = "'' || last_insert_rowid() || ' ' || changes() || ' ' || total_changes()";
    for sql in [
        "INSERT INTO auto (slug, _tenant) VALUES ('a', 1), ('b', 1), ('c', 1)".to_owned(),
        format!("INSERT INTO auto (slug, n, _tenant) VALUES ('d', {asked}, 1)"),
        format!("UPDATE auto SET n = {asked}"),
        format!("INSERT INTO auto (id, slug, n, _tenant) VALUES (9, 'e', {asked}, 1)"),
        format!("INSERT INTO auto (slug, n, _tenant) SELECT slug || 's', {asked}, _tenant FROM auto WHERE slug = 'd'"),
    ] {
        let private = private(&sql).replace(", _tenant FROM", " FROM");
        assert_eq!(shared.run(&sql).await.unwrap(), run(&mut own, &private).await.unwrap(), "{sql}");
        let all = "SELECT json_array(id, slug, n) FROM auto ORDER BY id";
        assert_eq!(values(&mut shared.connection, all).await, values(&mut own, all).await, "{sql}");
    }
}

/// A statement whose reader has gone works on, and must not get into the next lease.
#[tokio::test]
async fn a_statement_works_to_its_end_for_whom_it_was_begun() {
    let mut shared = Shared::with_tables().await;
    shared.enter(2);
    shared.run("INSERT INTO plain (id, _tenant) VALUES (700, 2)").await.unwrap();
    shared.enter(1);
    shared.expect(&["plain", "c"]);
    let session = std::sync::Arc::clone(&shared.session);
    let sql = "WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 2000) \
               SELECT _tenantry_next_id(1) FROM c";
    // In the middle of the statement, on the thread of the connection.
    shared.connection.lock_handle().await.unwrap().set_progress_handler(1000, move || {
        session.enter(2);
        true
    });
    let ids = shared.numbers(sql).await;
    assert_eq!(shared.session.current().0, Mode::Tenant(2));
    assert_eq!(ids, [1; 2000]);
    shared.connection.lock_handle().await.unwrap().remove_progress_handler();
    assert_eq!(shared.numbers("SELECT _tenantry_next_id(1)").await, [701]);
}

/// Each with the column of the tenant left out by `private`.
const TRIGGERS: &[&str] = &[
    "CREATE TRIGGER told AFTER INSERT ON notes BEGIN
        INSERT INTO log (said, _tenant) VALUES ('begins ' || last_insert_rowid(), NEW._tenant);
        INSERT INTO log (said, _tenant) SELECT 'goes on ' || last_insert_rowid() || ' ' || changes(), NEW._tenant;
        UPDATE log SET n = 1 WHERE said LIKE 'begins%' AND _tenant = NEW._tenant;
        INSERT INTO log (said, _tenant) VALUES ('deeper ' || last_insert_rowid() || ' ' || changes(), NEW._tenant);
        INSERT INTO log (said, _tenant) VALUES ('ends ' || last_insert_rowid() || ' ' || changes(), NEW._tenant);
    END",
    "CREATE TRIGGER deeper AFTER INSERT ON log WHEN NEW.said LIKE 'deeper%' BEGIN
        INSERT INTO deep (id, said, _tenant) VALUES (900 + NEW.id, 'deep ' || last_insert_rowid(), NEW._tenant);
        INSERT INTO deep (said, _tenant) VALUES ('deepest ' || last_insert_rowid(), NEW._tenant);
        SELECT RAISE(IGNORE) WHERE NEW.said LIKE '%7%';
        INSERT INTO deep (said, _tenant) VALUES ('left', NEW._tenant);
    END",
    "CREATE TRIGGER skipped BEFORE INSERT ON notes WHEN NEW.slug LIKE 'no%' BEGIN
        INSERT INTO log (said, _tenant) VALUES ('skipped', NEW._tenant);
        SELECT RAISE(IGNORE);
    END",
    "CREATE TRIGGER failed AFTER INSERT ON notes WHEN NEW.slug = 'bad' BEGIN
        INSERT INTO log (said, _tenant) VALUES ('bad', NEW._tenant);
        SELECT RAISE(ABORT, 'bad');
    END",
];

const STATEMENTS: &[&str] = &[
    "INSERT INTO notes (slug, _tenant) VALUES ('a', 1)",
    "INSERT INTO notes (id, slug, _tenant) VALUES (7, 'b', 1), (NULL, 'c', 1)",
    "INSERT INTO notes (slug, _tenant) VALUES ('d', 1), ('no', 1)",
    "INSERT INTO notes (slug, _tenant) VALUES ('no 2', 1)",
    "INSERT INTO notes (slug, _tenant) VALUES ('e', 1), ('bad', 1)",
    "REPLACE INTO notes (slug, _tenant) VALUES ('a', 1)",
    "INSERT OR IGNORE INTO notes (slug, _tenant) VALUES ('f', 1), ('a', 1)",
    "UPDATE notes SET slug = slug || '!'",
    "DELETE FROM notes WHERE id > 8",
];

fn private(sql: &str) -> String {
    sql.replace(", _tenant)", ")")
        .replace(", NEW._tenant", "")
        .replace(" AND _tenant = NEW._tenant", "")
        .replace(", 1)", ")")
}

#[tokio::test]
async fn triggers_see_what_they_see_in_a_private_database() {
    let mut own = SqliteConnection::connect(":memory:").await.unwrap();
    own.execute(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, slug UNIQUE);
         CREATE TABLE log (id INTEGER PRIMARY KEY, said, n);
         CREATE TABLE deep (id INTEGER PRIMARY KEY, said)",
    )
    .await
    .unwrap();
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    let notes = RowIds { table: "notes", number: 11, column: "id", auto_increment: false };
    let log = RowIds { table: "log", number: 12, column: "id", auto_increment: false };
    let deep = RowIds { table: "deep", number: 13, column: "id", auto_increment: false };
    shared.create_table(notes, "slug, UNIQUE (_tenant, slug)").await;
    shared.create_table(log, "said, n").await;
    shared.create_table(deep, "said").await;
    for sql in TRIGGERS {
        run(&mut own, &private(sql)).await.unwrap();
        shared.run(sql).await.unwrap();
    }
    // SQLite runs the trigger first that was created last, and ours is the one that knows the id.
    for ids in [notes, log, deep] {
        shared.run(&format!("DROP TRIGGER _tenantry_inserted_{}", ids.number)).await.unwrap();
        shared.run(&ids.triggers()[0]).await.unwrap();
    }
    shared.session.set_triggers(std::sync::Arc::new(["told", "deeper", "skipped", "failed"].into_iter().collect()));
    shared.enter(1);
    shared.expect(&["notes", "log", "deep"]);

    run(&mut own, "INSERT INTO log (id, said) VALUES (100, '')").await.unwrap();
    shared.run("INSERT INTO log (id, said, _tenant) VALUES (100, '', 1)").await.unwrap();
    for sql in STATEMENTS {
        let expected = run(&mut own, &private(sql)).await.map_err(|error| error.to_string());
        assert_eq!(shared.run(sql).await.map_err(|error| error.to_string()), expected, "{sql}");
        assert_eq!(shared.numbers(SAYS).await, super::numbers(&mut own, SAYS).await.unwrap(), "{sql}");
        for (from, all) in [("notes", "id, slug"), ("log", "id, said, n"), ("deep", "id, said")] {
            let sql = format!("SELECT json_array({all}) FROM {from} ORDER BY id");
            assert_eq!(values(&mut shared.connection, &sql).await, values(&mut own, &sql).await, "{from}");
        }
    }
}

/// SQLite tells that a foreign key acts as if the statement began once more.
#[tokio::test]
async fn a_foreign_key_that_acts_in_a_trigger_changes_nothing() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    let kid = RowIds { table: "kid", number: 14, column: "id", auto_increment: false };
    let rest = "parent, FOREIGN KEY (_tenant, parent) REFERENCES plain (_tenant, id) ON DELETE CASCADE";
    shared.create_table(kid, rest).await;
    shared
        .run(
            "CREATE TRIGGER told AFTER INSERT ON auto BEGIN
                INSERT INTO hidden (_tenant_rowid, slug, _tenant) VALUES (50, 'x', NEW._tenant);
                DELETE FROM plain WHERE _tenant = NEW._tenant;
                INSERT INTO hidden (slug, n, _tenant) VALUES ('y', last_insert_rowid(), NEW._tenant);
             END",
        )
        .await
        .unwrap();
    shared.session.set_triggers(std::sync::Arc::new(["told"].into_iter().collect()));
    shared.enter(1);
    shared.expect(&["plain", "auto", "hidden", "kid"]);
    shared.run("INSERT INTO plain (id, _tenant) VALUES (3, 1), (4, 1)").await.unwrap();
    shared.run("INSERT INTO kid (parent, _tenant) VALUES (3, 1), (4, 1)").await.unwrap();
    assert_eq!(shared.run("INSERT INTO auto (id, _tenant) VALUES (9, 1)").await.unwrap(), (1, 9));
    assert_eq!(shared.numbers("SELECT n FROM hidden WHERE slug = 'y'").await, [50]);
    assert_eq!(shared.numbers("SELECT count(*) FROM kid").await, [0]);
    assert_eq!(shared.numbers(SAYS).await, [9, 1, 11]);
}

#[tokio::test]
async fn a_table_that_nobody_shares_counts_as_well() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    shared.run("CREATE TABLE common (id INTEGER PRIMARY KEY, word)").await.unwrap();
    shared
        .run(
            "CREATE TRIGGER kept AFTER INSERT ON common BEGIN
                INSERT INTO plain (id, slug, n, _tenant) VALUES (77, NEW.word, last_insert_rowid(), 1);
                UPDATE plain SET slug = slug || last_insert_rowid();
             END",
        )
        .await
        .unwrap();
    shared.session.set_triggers(std::sync::Arc::new(["kept"].into_iter().collect()));
    shared.enter(1);
    shared.expect(&["common", "plain"]);
    assert_eq!(shared.run("INSERT INTO plain (id, slug, _tenant) VALUES (3, 'a', 1)").await.unwrap(), (1, 3));
    assert_eq!(shared.run("INSERT INTO common (id, word) VALUES (50, 'b')").await.unwrap(), (1, 50));
    assert_eq!(shared.numbers(SAYS).await[0], 50);
    assert_eq!(value(&mut shared.connection, "SELECT slug || n FROM plain WHERE id = 77").await, Value::from("b7750"));
    shared.enter(2);
    assert_eq!(shared.numbers(SAYS).await, [0, 0, 0]);
}
