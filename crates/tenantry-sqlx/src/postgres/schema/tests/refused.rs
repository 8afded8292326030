//! Definitions that the shared tables cannot follow.

use super::Home;

#[tokio::test]
async fn what_cannot_be_kept_apart_is_refused() {
    let mut home = Home::with(
        "CREATE TABLE p (id int PRIMARY KEY, a int, b int, UNIQUE (a, b)); CREATE TABLE t (id int, a int, b int, j jsonb)",
    )
    .await;
    for (script, code, says) in [
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p ON UPDATE SET NULL", "S14", "ON UPDATE CASCADE"),
        ("ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES p (a, b) MATCH FULL", "S14", "CHECK"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (t IS NOT NULL)", "S14", "name the columns"),
        ("CREATE INDEX i ON t USING hash (a)", "S14", "use btree"),
        ("CREATE INDEX i ON t USING brin (a)", "S14", "use btree"),
        ("CREATE INDEX i ON t USING gin (j)", "S14", "CREATE EXTENSION IF NOT EXISTS btree_gin"),
        (
            "ALTER TABLE t ADD r int4range, ADD EXCLUDE USING gist (r WITH &&)",
            "S14",
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
        ),
        ("ALTER TABLE t ADD c bigint DEFAULT nextval('tenantry.tables_number_seq')", "S11", "sequence in public"),
        ("CREATE TABLE u (a int) PARTITION BY LIST (a)", "S13", "PARTITION"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "S13", "in the application"),
        ("GRANT SELECT ON t TO PUBLIC", "S13", "Tenantry gives"),
        ("CREATE TABLE u (\"_tenant\" int)", "S04", "_tenant"),
        ("DELETE FROM tenantry_shared.t", "S03", "table or view"),
        ("INSERT INTO t (a) SELECT random()", "S09", "on_first_use"),
        ("SELECT set_config('tenantry.tenant', '2', false)", "S10", "SET LOCAL"),
    ] {
        let outcome = home.migrate(script).await;
        let text = format!("{:?} {}", outcome, outcome.as_ref().unwrap_err());
        assert_eq!(Home::code(outcome).map(tenantry_sql::Code::as_str), Some(code), "{script}: {text}");
        assert!(text.contains(says), "{script}: {text}");
    }
    let left = "SELECT count(*)::text FROM pg_constraint WHERE conrelid IN ('public.t'::regclass, 'tenantry_shared.t'::regclass)";
    assert_eq!(home.ask(left).await, ["0"], "nothing is left of what was refused");
}

#[tokio::test]
async fn the_servers_own_errors_come_through() {
    let mut home = Home::with("CREATE TABLE t (id int PRIMARY KEY, a text)").await;
    home.tenants(&[3], "INSERT INTO tenantry_shared.t (id, a) VALUES ($T, 'x'), (4, 'x')").await;
    for (script, says) in [
        ("ALTER TABLE t ADD b int NOT NULL", "contains null values"),
        ("ALTER TABLE t ADD UNIQUE (a)", "could not create unique index"),
        ("ALTER TABLE t ALTER a TYPE int USING a::int", "invalid input syntax"),
        ("ALTER TABLE t ADD CHECK (a = 'y')", "violated by some row"),
        ("ALTER TABLE nothing ADD a int", "does not exist"),
    ] {
        let text = home.failure(script).await;
        assert!(text.contains(says), "{script}: {text}");
    }
}
