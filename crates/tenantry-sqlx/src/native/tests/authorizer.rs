//! What a tenant's statement may do, asked of SQLite.

use std::sync::Arc;

use super::{RowIds, Shared, told};

async fn shared() -> Shared {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    for sql in [
        "CREATE TABLE secret (a, b)",
        "INSERT INTO secret VALUES (1, 2)",
        "CREATE VIEW seen AS SELECT a FROM secret",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TEMP TABLE mine (a)",
        "CREATE VIRTUAL TABLE words USING fts5 (word)",
        "ANALYZE",
    ] {
        shared.run(sql).await.unwrap();
    }
    let child = RowIds { table: "child", number: 5, column: "id", auto_increment: false };
    let rest = "plain, FOREIGN KEY (_tenant, plain) REFERENCES plain (_tenant, id) ON DELETE CASCADE";
    shared.create_table(child, rest).await;
    shared.enter(1);
    shared
}

#[rustfmt::skip]
const DENIED: &[(&str, &str)] = &[
    ("ATTACH ':memory:' AS other", "ATTACH :memory:"),
    ("ATTACH ':mem' || 'ory:' AS other", "ATTACH"),
    ("DETACH temp", "DETACH temp"),
    ("PRAGMA table_info(plain)", "PRAGMA table_info"),
    ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys"),
    ("PRAGMA user_version", "PRAGMA user_version"),
    ("PRAGMA writable_schema = 1", "PRAGMA writable_schema"),
    ("CREATE TABLE a (b)", "changing the schema"),
    ("CREATE TABLE a AS SELECT 1", "changing the schema"),
    ("CREATE TEMP TABLE a (b)", "changing the schema"),
    ("CREATE TEMP VIEW plain AS SELECT 1", "changing the schema"),
    ("CREATE VIEW a AS SELECT 1", "changing the schema"),
    ("CREATE INDEX a ON plain (slug)", "changing the schema"),
    ("CREATE TRIGGER a AFTER INSERT ON plain BEGIN SELECT 1; END", "CREATE TRIGGER a"),
    ("CREATE TEMP TRIGGER a AFTER INSERT ON plain BEGIN SELECT 1; END", "CREATE TEMP TRIGGER temp.a"),
    ("CREATE VIRTUAL TABLE a USING fts5 (b)", "changing the schema"),
    ("DROP TABLE secret", "changing the schema"),
    ("DROP VIEW seen", "changing the schema"),
    ("DROP TRIGGER _tenantry_inserted_1", "DROP TRIGGER _tenantry_inserted_1"),
    ("ALTER TABLE plain ADD COLUMN c", "ALTER TABLE plain"),
    ("ALTER TABLE plain RENAME TO p", "ALTER TABLE plain"),
    ("REINDEX plain", "REINDEX sqlite_autoindex_plain_1"),
    ("ANALYZE plain", "ANALYZE plain"),
    ("VACUUM INTO '/nowhere/else'", "ATTACH /nowhere/else"),
    ("SELECT * FROM sqlite_master", "reading sqlite_master"),
    ("SELECT count(*) FROM sqlite_schema", "reading sqlite_schema"),
    ("SELECT * FROM sqlite_temp_master", "reading temp.sqlite_temp_master"),
    ("SELECT * FROM sqlite_sequence", "reading sqlite_sequence"),
    ("SELECT * FROM sqlite_stat1", "reading sqlite_stat1"),
    ("SELECT * FROM dbstat", "reading dbstat"),
    ("SELECT * FROM pragma_table_info('plain')", "reading pragma_table_info"),
    ("SELECT count(*) FROM pragma_database_list", "reading pragma_database_list"),
    ("SELECT * FROM secret", "reading secret"),
    ("SELECT count(*) FROM secret", "reading secret"),
    ("SELECT 1 FROM plain WHERE 1 IN secret", "reading secret"),
    ("SELECT (SELECT a FROM secret)", "reading secret"),
    ("SELECT * FROM seen", "reading secret"),
    ("WITH plain AS (SELECT count(*) FROM secret) SELECT * FROM plain", "reading secret"),
    ("WITH told AS (SELECT a FROM secret) SELECT * FROM told", "reading secret"),
    ("INSERT INTO auto (slug, _tenant) VALUES ('a', 1) RETURNING (SELECT a FROM secret)", "reading secret"),
    ("INSERT INTO auto (slug, _tenant) VALUES ('a', 1) RETURNING (SELECT count(*) FROM secret)", "reading secret"),
    ("INSERT INTO plain (slug, _tenant) SELECT a, 1 FROM secret", "reading secret"),
    ("UPDATE plain SET n = a FROM secret", "reading secret"),
    ("UPDATE secret SET a = 1", "updating secret"),
    ("DELETE FROM secret", "deleting from secret"),
    ("INSERT INTO secret VALUES (1, 2)", "inserting into secret"),
    ("SELECT * FROM temp.mine", "reading temp.mine"),
    ("SELECT * FROM mine", "reading temp.mine"),
    ("INSERT INTO mine VALUES (1)", "inserting into temp.mine"),
    ("DELETE FROM temp._tenantry_nothing", "deleting from temp._tenantry_nothing"),
    ("SELECT * FROM words", "reading words_config"),
    ("SELECT * FROM _tenantry_tables", "reading _tenantry_tables"),
    ("SELECT count(*) FROM _tenantry_tables", "reading _tenantry_tables"),
    ("SELECT seq FROM _TENANTRY_SEQUENCE", "reading _tenantry_sequence"),
    ("UPDATE _tenantry_sequence SET seq = 1", "updating _tenantry_sequence"),
    ("DELETE FROM _tenantry_sequence", "deleting from _tenantry_sequence"),
    ("INSERT INTO _tenantry_tables VALUES (1, 'a', 'b', 0)", "inserting into _tenantry_tables"),
    ("SELECT load_extension('x')", "the function load_extension"),
    ("SELECT fts3_tokenizer('x')", "the function fts3_tokenizer"),
    ("SELECT sqlite_version()", "the function sqlite_version"),
    ("SELECT sqlite_compileoption_get(1)", "the function sqlite_compileoption_get"),
    ("SELECT _tenantry_inserted(1, 5)", "the function _tenantry_inserted"),
    ("SELECT _tenantry_counted(2, 2, 5)", "the function _tenantry_counted"),
    ("WITH _tenantry_a AS (SELECT _tenantry_counted(2, 2, 5)) SELECT * FROM _tenantry_a", "the function _tenantry_counted"),
    ("WITH _tenantry_a AS (SELECT a FROM secret) SELECT * FROM _tenantry_a", "reading secret"),
    ("DELETE FROM plain", "deleting from child"),
];

#[tokio::test]
async fn everything_else_is_denied_and_named() {
    let mut shared = shared().await;
    for (sql, what) in DENIED {
        match shared.run(sql).await {
            Ok(_) => panic!("allowed: {sql}"),
            Err(error) => {
                let said = told(&error);
                let (_, denied) =
                    said.split_once("(code: 23) not allowed to tenants: ").unwrap_or_else(|| panic!("{sql}: {said}"));
                assert_eq!(denied, *what, "{sql}");
            }
        }
    }
    shared.session.own();
    assert_eq!(shared.numbers("SELECT (SELECT count(*) FROM plain) + (SELECT count(*) FROM secret)").await, [1]);
}

/// SQLite names the common table expression from which something comes as it names a trigger.
#[tokio::test]
async fn a_common_table_expression_is_no_trigger() {
    let mut shared = shared().await;
    shared.session.set_triggers(Arc::new(["told"].into_iter().collect()));
    shared.expect(&["plain", "told", "_tenantry_inserted_1"]);
    for name in ["told", "_tenantry_inserted_1"] {
        for body in ["SELECT a FROM secret", "SELECT count(*) FROM secret"] {
            let sql = format!("WITH {name} AS ({body}) SELECT * FROM {name}");
            assert!(told(&shared.run(&sql).await.unwrap_err()).ends_with("reading secret"), "{sql}");
        }
    }
    // Should the rewriting have missed the name, our functions still notice that no trigger of ours is running.
    shared.expect(&["plain"]);
    for call in ["_tenantry_inserted(1, 5)", "_tenantry_counted(2, 2, 5)"] {
        let sql = format!("WITH _tenantry_inserted_1 (a) AS (SELECT {call}) SELECT a FROM _tenantry_inserted_1");
        assert!(
            told(&shared.run(&sql).await.unwrap_err()).ends_with("only a trigger of Tenantry's may call this"),
            "{sql}"
        );
    }
}

#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "SELECT 1",
    "SELECT * FROM plain",
    "SELECT count(*) FROM PLAIN",
    "SELECT * FROM plain WHERE slug LIKE 'a%' AND slug GLOB 'a*' AND n ->> '$.a' = 1",
    "WITH c AS (SELECT id FROM plain) SELECT * FROM c",
    "WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 3) SELECT sum(i) FROM c",
    "SELECT id, row_number() OVER (ORDER BY id), lag(id) OVER w FROM plain WINDOW w AS (PARTITION BY n ORDER BY id)",
    "SELECT count(*), total(n), group_concat(slug, ','), max(id) FROM plain GROUP BY n HAVING count(*) > 1",
    "SELECT date('now'), CURRENT_TIMESTAMP, strftime('%Y', 'now'), unixepoch(), round(1.5), iif(1, 2, 3)",
    "SELECT json(value), key FROM json_each('[1, 2]')",
    "SELECT count(*) FROM json_tree('[1, 2]')",
    "SELECT json_group_array(id) FILTER (WHERE id > 1) FROM plain",
    "SELECT UPPER('a'), Coalesce(1, 2), hex(randomblob(4)), printf('%d', 1), typeof(last_insert_rowid())",
    "SELECT a.id FROM plain a JOIN auto b USING (id) LEFT JOIN hidden c ON c.n = a.n UNION SELECT 1 ORDER BY 1 LIMIT 1",
    "INSERT INTO plain (slug, _tenant) VALUES ('a', 1) ON CONFLICT (_tenant, slug) DO UPDATE SET n = excluded.n RETURNING id",
    "REPLACE INTO hidden (slug, _tenant) VALUES ('a', 1)",
    "UPDATE plain SET n = 1 WHERE _tenant = 1",
    "DELETE FROM hidden WHERE _tenant = 1",
    "EXPLAIN QUERY PLAN SELECT * FROM plain",
    "BEGIN", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "COMMIT", "BEGIN IMMEDIATE", "ROLLBACK",
    "INSERT INTO auto (slug, _tenant) VALUES ('a', 1)",
    "INSERT INTO auto (id, slug, _tenant) VALUES (_tenantry_new_id(2, NULL), 'b', 1), (_tenantry_row_id('7'), 'c', 1)",
];

#[tokio::test]
async fn what_applications_do_is_allowed() {
    let mut shared = shared().await;
    // Foreign keys take in the tables at their other end.
    shared.expect(&["plain", "auto", "hidden", "child"]);
    for sql in ALLOWED {
        if let Err(error) = shared.run(sql).await {
            panic!("{sql}: {error}");
        }
    }
    shared.run("INSERT INTO child (plain, _tenant) VALUES (1, 1)").await.unwrap();
    shared.run("DELETE FROM plain WHERE _tenant = 1 AND id = 1").await.unwrap();
    assert_eq!(shared.numbers("SELECT count(*) FROM child").await, [0]);
}

#[tokio::test]
async fn nothing_is_compiled_for_nobody() {
    let mut shared = shared().await;
    for sql in ["SELECT 1", "SELECT * FROM plain", "BEGIN", "COMMIT", "PRAGMA user_version", "SAVEPOINT s"] {
        shared.session.leave();
        let error = shared.run(sql).await.unwrap_err();
        assert!(told(&error).contains("(code: 23) no tenant has entered this connection; denied: "), "{sql}: {error}");
    }
    // Rolling back always works, since a lease may end in the middle of a transaction.
    shared.enter(1);
    shared.run("BEGIN").await.unwrap();
    shared.session.leave();
    shared.run("ROLLBACK").await.unwrap();
    shared.enter(1);
    shared.run("BEGIN").await.unwrap();
}

#[tokio::test]
async fn triggers_of_the_application_reach_its_tables_only() {
    let mut shared = shared().await;
    shared.session.own();
    for (name, body) in [
        ("good", "INSERT INTO secret SELECT count(*), NEW.n FROM auto"),
        ("bad", "DELETE FROM _tenantry_sequence"),
        ("schema", "INSERT INTO secret SELECT count(*), 1 FROM sqlite_schema"),
    ] {
        shared
            .run(&format!("CREATE TRIGGER {name} AFTER UPDATE ON plain WHEN NEW.slug = '{name}' BEGIN {body}; END"))
            .await
            .unwrap();
    }
    shared.enter(1);
    // Unknown to the session, a trigger is judged as the statement is.
    let sql = "UPDATE plain SET n = 1 WHERE _tenant = 1";
    assert!(told(&shared.run(sql).await.unwrap_err()).contains("not allowed to tenants: "));
    shared.session.set_triggers(Arc::new(["good", "bad", "schema"].into_iter().collect()));
    for (name, denied) in [("bad", "deleting from _tenantry_sequence"), ("schema", "reading sqlite_schema")] {
        let said = told(&shared.run(sql).await.unwrap_err());
        assert!(said.ends_with(denied), "{said}");
        shared.session.own();
        shared.run(&format!("DROP TRIGGER {name}")).await.unwrap();
        shared.enter(1);
    }
    shared.run(sql).await.unwrap();
}
