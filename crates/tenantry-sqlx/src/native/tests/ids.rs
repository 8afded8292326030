//! Ids where a private database is no measure: without a tenant, with another schema, in special places.

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::{RowIds, Shared, told};

#[tokio::test]
async fn only_a_tenant_has_ids() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    let error = shared.run("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await.unwrap_err();
    assert!(told(&error).contains("no tenant has entered this connection"), "{error}");
    // But a migration may copy rows that have one, and those count.
    shared.run("INSERT INTO auto (id, slug, _tenant) VALUES (5, 'a', 1), (9, 'a', 2)").await.unwrap();
    shared.run("DELETE FROM auto").await.unwrap();
    for (tenant, id) in [(1, 6), (2, 10), (3, 1)] {
        shared.enter(tenant);
        let sql = format!("INSERT INTO auto (slug, _tenant) VALUES ('b', {tenant})");
        assert_eq!(shared.run(&sql).await.unwrap(), (1, id));
    }
}

#[tokio::test]
async fn a_row_of_another_tenant_is_refused() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    for sql in
        ["INSERT INTO plain (slug, _tenant) VALUES ('a', 2)", "INSERT INTO hidden (slug, _tenant) VALUES ('a', 2)"]
    {
        let error = shared.run(sql).await.unwrap_err();
        assert!(told(&error).contains("the inserted row belongs to another tenant"), "{error}");
    }
    shared.session.own();
    assert_eq!(shared.numbers("SELECT count(*) FROM plain").await, [0]);
}

#[tokio::test]
async fn the_functions_convert_as_sqlite_does() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    for (value, id) in [("7", 7), ("'7'", 7), ("' 7 '", 7), ("7.0", 7), ("'7.0'", 7), ("'-7e0'", -7), ("1 < 2", 1)] {
        assert_eq!(shared.numbers(&format!("SELECT _tenantry_row_id({value})")).await, [id], "{value}");
        assert_eq!(shared.numbers(&format!("SELECT _tenantry_new_id(1, {value})")).await, [id], "{value}");
    }
    for value in ["'x'", "7.5", "x'37'", "'7 x'", "''", "9223372036854775808", "1e300"] {
        let error = shared.run(&format!("SELECT _tenantry_row_id({value})")).await.unwrap_err();
        assert_eq!(told(&error), "error returned from database: (code: 20) datatype mismatch", "{value}");
        assert!(shared.run(&format!("SELECT _tenantry_new_id(1, {value})")).await.is_err(), "{value}");
    }
    assert!(shared.run("SELECT _tenantry_row_id(NULL)").await.is_err());
    assert_eq!(shared.numbers("SELECT _tenantry_new_id(1, NULL)").await, [1]);
    let error = shared.run("SELECT _tenantry_next_id(99)").await.unwrap_err();
    assert!(told(&error).contains("no table with row ids has the number 99"), "{error}");
}

#[tokio::test]
async fn ids_given_beforehand_differ() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    for table in ["plain", "auto"] {
        let number = if table == "plain" { 1 } else { 2 };
        let new = |id: &str| format!("_tenantry_new_id({number}, {id})");
        let (null, ten) = (new("NULL"), new("10"));
        let sql = format!(
            "INSERT OR IGNORE INTO {table} (id, slug, _tenant) VALUES ({null}, 'a', 1), ({null}, 'b', 1), \
             ({ten}, 'c', 1), ({null}, 'd', 1)"
        );
        assert_eq!(shared.run(&sql).await.unwrap(), (4, 11), "{table}");
        assert_eq!(shared.numbers(&format!("SELECT id FROM {table} ORDER BY id")).await, [1, 2, 10, 11], "{table}");
    }
}

#[tokio::test]
async fn a_row_of_defaults_and_a_row_of_a_query_get_ids() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    assert_eq!(shared.run("INSERT INTO plain (_tenant) VALUES (1)").await.unwrap(), (1, 1));
    let sql = "INSERT INTO plain (n, _tenant) WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 1000) \
               SELECT i, 1 FROM c";
    assert_eq!(shared.run(sql).await.unwrap(), (1000, 1001));
    assert_eq!(shared.numbers("SELECT count(*) FROM plain WHERE id = n + 1").await, [1000]);
}

/// A known difference: a private database tells such a trigger -1, always. Here -1 stands for NULL.
#[tokio::test]
async fn a_trigger_before_the_insert_knows_the_id() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    let body = "INSERT INTO hidden (n, _tenant) VALUES (NEW.id, NEW._tenant)";
    for table in ["plain", "auto"] {
        shared.run(&format!("CREATE TRIGGER before_{table} BEFORE INSERT ON {table} BEGIN {body}; END")).await.unwrap();
    }
    shared.session.set_triggers(std::sync::Arc::new(["before_plain", "before_auto"].into_iter().collect()));
    shared.enter(1);
    for (sql, seen) in [
        ("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)", 1),
        ("INSERT INTO plain (id, slug, _tenant) VALUES (NULL, 'b', 1)", -1),
        ("INSERT INTO auto (slug, _tenant) VALUES ('a', 1)", 1),
        ("INSERT INTO auto (slug, _tenant) VALUES ('b', 1)", 2),
    ] {
        shared.run(sql).await.unwrap();
        assert_eq!(shared.numbers("SELECT n FROM hidden ORDER BY _tenant_rowid DESC LIMIT 1").await, [seen], "{sql}");
    }
    assert_eq!(shared.numbers("SELECT id FROM auto ORDER BY id").await, [1, 2]);
}

/// What a migration does to a table that other connections have in use: another one takes its name and its number.
#[tokio::test]
async fn a_table_may_be_replaced_by_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("shared.db")).create_if_missing(true);
    let mut shared = Shared::open(&options).await;
    shared.create().await;
    shared.enter(1);
    shared.run("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await.unwrap();

    let mut owner = Shared::open(&options).await;
    owner.session.own();
    let renamed = RowIds { table: "\"new\"", number: 21, column: "id", auto_increment: false };
    owner.run("UPDATE _tenantry_tables SET name = 'old' WHERE number = 1").await.unwrap();
    owner.run("ALTER TABLE plain RENAME TO old").await.unwrap();
    owner.create_table(RowIds { table: "plain", number: 20, ..renamed }, "slug").await;
    owner.run("INSERT INTO plain (_tenant, id) VALUES (1, 500)").await.unwrap();

    shared.expect(&["plain", "old"]);
    assert_eq!(shared.run("INSERT INTO old (slug, _tenant) VALUES ('b', 1)").await.unwrap(), (1, 2));
    assert_eq!(shared.run("INSERT INTO plain (slug, _tenant) VALUES ('b', 1)").await.unwrap(), (1, 501));

    // Names and numbers change places.
    owner.run("BEGIN").await.unwrap();
    owner.run("UPDATE _tenantry_tables SET name = name || '!'").await.unwrap();
    owner.run("UPDATE _tenantry_tables SET name = 'plain', id_column = 'number' WHERE number = 1").await.unwrap();
    owner.run("UPDATE _tenantry_tables SET name = 'old' WHERE number = 20").await.unwrap();
    owner.run("ALTER TABLE plain RENAME TO other").await.unwrap();
    owner.run("ALTER TABLE old RENAME TO plain").await.unwrap();
    owner.run("ALTER TABLE other RENAME TO old").await.unwrap();
    owner.run("ALTER TABLE plain RENAME COLUMN id TO number").await.unwrap();
    owner.run("COMMIT").await.unwrap();
    assert_eq!(shared.run("INSERT INTO old (slug, _tenant) VALUES ('c', 1)").await.unwrap(), (1, 502));
    assert_eq!(shared.run("INSERT INTO plain (slug, _tenant) VALUES ('c', 1)").await.unwrap(), (1, 3));

    shared.connection.close().await.unwrap();
    owner.connection.close().await.unwrap();
    // Whoever opens the file without us may read it and check it.
    let mut other = options.connect().await.unwrap();
    let checked: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut other).await.unwrap();
    assert_eq!(checked, "ok");
    assert!(super::run(&mut other, "INSERT INTO plain (slug, _tenant) VALUES ('d', 1)").await.is_err());
}
