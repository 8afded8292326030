//! Statements that the application's role can try on the shared tables themselves, without any rewriting.
//!
//! Whatever the role may run, it sees and changes rows of the tenant that the transaction is for, and no others. The one
//! way out is to change the transaction's tenant, which is why the rewriting refuses all that does.

use std::str::FromStr;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, ValueRef, postgres::PgConnectOptions};
use tenantry_test::postgres::{Planner, Setting, TENANT, Walls};

/// What may give rows: those of the tenant.
const SEES: &[&str] = &[
    "SELECT * FROM tenantry_shared.users",
    "TABLE tenantry_shared.users",
    "SELECT * FROM ONLY tenantry_shared.users WHERE _tenant = 7",
    "SELECT * FROM tenantry_shared.users TABLESAMPLE system (100)",
    "SELECT u FROM tenantry_shared.users u",
    "SELECT (SELECT string_agg(email, ',') FROM tenantry_shared.users)",
    "SELECT * FROM tenantry_shared.users WHERE age / 0 = 1 OR doc::json IS NULL",
    "SELECT doc::json FROM tenantry_shared.users WHERE _tenant = 7",
    "SELECT ctid, tableoid::regclass, * FROM tenantry_shared.teams WHERE ctid >= '(0,0)'",
    "SELECT * FROM tenantry_shared.users WHERE ctid = ANY (ARRAY(SELECT format('(0,%s)', n)::tid FROM generate_series(1, 60) n))",
    "SELECT * FROM tenantry_shared.users FOR UPDATE",
    "SELECT query_to_xml('SELECT * FROM tenantry_shared.users', true, true, '')",
    "SELECT table_to_xml('tenantry_shared.users', true, true, '')",
    "SELECT schema_to_xml('tenantry_shared', true, true, '')",
    "SELECT query_to_xml_and_xmlschema('TABLE tenantry_shared.teams', true, true, '')",
    "SELECT * FROM ts_stat('SELECT to_tsvector(email) FROM tenantry_shared.users')",
    "DECLARE c CURSOR FOR SELECT * FROM tenantry_shared.users; FETCH ALL FROM c",
    "DECLARE c SCROLL CURSOR FOR SELECT * FROM tenantry_shared.users FOR UPDATE; MOVE LAST FROM c; FETCH BACKWARD ALL FROM c",
    "DECLARE c CURSOR WITH HOLD FOR TABLE tenantry_shared.teams; SELECT cursor_to_xml('c', 100, true, true, '')",
    "PREPARE p AS SELECT * FROM tenantry_shared.users WHERE _tenant = $1; EXECUTE p(7)",
    "DO $$ BEGIN RAISE EXCEPTION '%', (SELECT string_agg(email, ',') FROM tenantry_shared.users); END $$",
    "DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'TABLE tenantry_shared.teams' LOOP IF r._tenant <> 42 THEN RAISE '%', r; END IF; END LOOP; END $$",
    "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM tenantry_shared.users WHERE email LIKE 'CAN%'",
    "EXPLAIN SELECT * FROM tenantry_shared.users WHERE age > 900000",
    "SELECT * FROM pg_stats WHERE schemaname = 'tenantry_shared'",
    "SELECT * FROM pg_catalog.pg_stats_ext",
    "SET LOCAL plan_cache_mode = force_generic_plan; SELECT * FROM tenantry_shared.users",
    "SET LOCAL search_path = tenantry_shared, public; SELECT * FROM users",
    "SET LOCAL enable_seqscan = off; SELECT * FROM tenantry_shared.users WHERE id > 0",
    "WITH x AS (UPDATE tenantry_shared.users SET age = 1 RETURNING *) SELECT * FROM x",
    "MERGE INTO tenantry_shared.tags t USING tenantry_shared.tags s ON true WHEN MATCHED THEN DELETE",
    "INSERT INTO tenantry_shared.log SELECT * FROM tenantry_shared.log",
    "SELECT setval('tenantry_shared.teams_id_seq', 5)",
    "SELECT last_value FROM tenantry_shared.teams_id_seq",
    "LOCK TABLE tenantry_shared.users IN SHARE MODE; TABLE tenantry_shared.users",
    "SELECT pg_get_viewdef('public.grown'), * FROM public.grown",
    "SELECT has_table_privilege('tenantry_shared.users', 'SELECT'), row_security_active('tenantry_shared.users')",
    "UPDATE tenantry_shared.teams SET id = id WHERE _tenant = 7 RETURNING *",
    "DELETE FROM tenantry_shared.members WHERE _tenant <> 42 RETURNING *",
    "SAVEPOINT s; TABLE tenantry_shared.users; ROLLBACK TO s; TABLE tenantry_shared.users",
];

/// What is an error, with its SQLSTATE: it would reach beyond the tenant or the tables.
const FAILS: &[(&str, &[&str])] = &[
    (
        "42501",
        &[
            "TRUNCATE tenantry_shared.users",
            "TRUNCATE tenantry_shared.users CASCADE",
            "SET LOCAL row_security = off; SELECT * FROM tenantry_shared.users",
            "ALTER TABLE tenantry_shared.users DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE tenantry_shared.users NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY _tenant ON tenantry_shared.users",
            "CREATE POLICY mine ON tenantry_shared.users USING (true)",
            "ALTER ROLE CURRENT_USER BYPASSRLS",
            "ALTER ROLE CURRENT_USER SUPERUSER",
            "SET SESSION AUTHORIZATION postgres",
            "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION pg_temp.f(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
            "CREATE TEMP TABLE users AS TABLE tenantry_shared.users",
            "CREATE TABLE public.copy AS TABLE tenantry_shared.users",
            "CREATE TABLE tenantry_shared.copy (x int)",
            "CREATE VIEW public.leak AS TABLE tenantry_shared.users",
            "CREATE SCHEMA mine",
            "CREATE TRIGGER t BEFORE INSERT ON tenantry_shared.users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE RULE r AS ON SELECT TO tenantry_shared.users DO INSTEAD SELECT 1",
            "CREATE STATISTICS public.s ON id, age FROM tenantry_shared.users",
            "CREATE PUBLICATION p FOR TABLE tenantry_shared.users",
            "CREATE EXTENSION dblink",
            "COPY tenantry_shared.users TO '/tmp/users'",
            "COPY tenantry_shared.users TO PROGRAM 'cat'",
            "COPY (SELECT * FROM tenantry_shared.users) TO PROGRAM 'cat'",
            "SELECT pg_read_file('pg_hba.conf')",
            "SELECT lo_import('/etc/passwd')",
            "SELECT * FROM pg_statistic",
            "SELECT * FROM pg_authid",
            "INSERT INTO tenantry_shared.tags (_tenant, slug) VALUES (7, 'new')",
            "INSERT INTO tenantry_shared.tags (_tenant, slug) VALUES (7, 'a') ON CONFLICT DO NOTHING",
            "INSERT INTO tenantry_shared.tags (_tenant, slug) VALUES (7, 'new') ON CONFLICT DO NOTHING",
            "INSERT INTO tenantry_shared.tags (_tenant, slug) VALUES (7, 'a') ON CONFLICT (_tenant, slug) DO UPDATE SET label = 'x' RETURNING *",
            "UPDATE tenantry_shared.tags SET _tenant = 7 WHERE slug = 'B'",
            "UPDATE tenantry_shared.log SET _tenant = 43",
            "INSERT INTO tenantry_shared.tags (slug) VALUES ('a') ON CONFLICT (_tenant, slug) DO UPDATE SET _tenant = 7",
            "MERGE INTO tenantry_shared.log t USING (SELECT 1) s ON false WHEN NOT MATCHED THEN INSERT (_tenant, at) VALUES (7, 1)",
            "INSERT INTO tenantry_shared.countries VALUES ('x', 'x')",
            "UPDATE tenantry_shared.countries SET name = 'x'",
            "INSERT INTO public.tags (slug) VALUES ('x')",
        ],
    ),
    // Whether it is there with another tenant makes no difference.
    (
        "23503",
        &[
            "INSERT INTO tenantry_shared.users (id, team) VALUES (900, 31)",
            "INSERT INTO tenantry_shared.users (id, team) VALUES (900, 32000)",
        ],
    ),
    ("0A000", &["COPY tenantry_shared.users FROM STDIN"]),
    ("25001", &["VACUUM tenantry_shared.users", "ALTER SYSTEM SET row_security = off"]),
];

#[tokio::test]
async fn the_role_of_the_application_reaches_nobody_else() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    let mut witness = setting.shared_side(Planner::new()).await.unwrap();
    let before = witness.others().await.unwrap();
    for text in SEES {
        let (said, _) = run(&setting, text).await;
        assert!(!is_foreign(&said), "{text}: {said}");
        assert_eq!(witness.others().await.unwrap(), before, "{text}");
    }
    for (code, texts) in FAILS {
        for text in *texts {
            let (said, failed) = run(&setting, text).await;
            assert_eq!(failed.as_deref(), Some(*code), "{text}: {said}");
            assert!(!is_foreign(&said), "{text}: {said}");
            assert_eq!(witness.others().await.unwrap(), before, "{text}");
        }
    }
}

#[tokio::test]
async fn what_is_copied_out_is_the_tenants() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    for text in ["COPY tenantry_shared.users TO STDOUT", "COPY (TABLE tenantry_shared.users) TO STDOUT (FORMAT csv)"] {
        let mut connection = scoped(&setting).await;
        let mut copied = String::new();
        let mut stream = connection.copy_out_raw(text).await.unwrap();
        while let Some(bytes) = futures_util::TryStreamExt::try_next(&mut stream).await.unwrap() {
            copied += &String::from_utf8_lossy(&bytes);
        }
        assert!(copied.lines().count() == 9 && !is_foreign(&copied), "{copied}");
    }
}

#[tokio::test]
async fn without_a_tenant_nothing_is_seen() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    let mut connection = PgConnection::connect(&setting.application().url).await.unwrap();
    // Never set, and what is left of a transaction in which it was.
    for code in ["42704", "22P02"] {
        for text in [
            "TABLE tenantry_shared.users",
            "DELETE FROM tenantry_shared.log",
            "INSERT INTO tenantry_shared.log DEFAULT VALUES",
        ] {
            let error = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().unwrap(), code, "{text}");
        }
        let text = format!("BEGIN; SELECT set_config('tenantry.tenant', '{TENANT}', true); COMMIT");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_is_for_its_own_tenant_whatever_the_session_says() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    let options = PgConnectOptions::from_str(&setting.application().url).unwrap();
    let options = options.options([("tenantry.tenant", "7")]);
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let count = "SELECT count(*) FROM tenantry_shared.users";
    let of_startup: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
    assert_eq!(of_startup, 25, "this is why nobody but Tenantry may connect");
    let text = format!("BEGIN; SELECT set_config('tenantry.tenant', '{TENANT}', true)");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    let own: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
    assert_eq!(own, 9);
}

/// All ways to another tenant that a statement has.
const TENANTS: &[&str] = &[
    "SET tenantry.tenant = '7'",
    "SET tenantry.tenant TO DEFAULT",
    "set \"tenantry\".\"tenant\" = 7",
    "SET LOCAL tenantry.tenant = '7'",
    "SET SESSION tenantry.tenant = '7'",
    "SET TENANTRY.TENANT = '7'",
    "SET U&\"tenantr\\0079\".tenant = '7'",
    "RESET tenantry.tenant",
    "RESET ALL",
    "DISCARD ALL",
    "SELECT set_config('tenantry.tenant', '7', true)",
    "SELECT set_config('tenantry.' || 'tenant', '7', false)",
    "SELECT pg_catalog.set_config('tenantry.tenant', '7', true)",
    "SELECT * FROM set_config('tenantry.tenant', '7', true)",
    "SELECT * FROM ROWS FROM (set_config('tenantry.tenant', '7', true)) AS x",
    "SELECT 1 WHERE set_config('tenantry.tenant', '7', true) = '7'",
    "UPDATE users SET email = set_config('tenantry.tenant', '7', true)",
    "INSERT INTO tags (slug) VALUES (set_config('tenantry.tenant', '7', true))",
    "UPDATE pg_settings SET setting = '7' WHERE name = 'tenantry.tenant'",
    "UPDATE pg_catalog.pg_settings SET setting = '7'",
    "SET SESSION AUTHORIZATION DEFAULT",
    "SET SESSION AUTHORIZATION postgres",
    "SET ROLE postgres",
    "SET ROLE NONE",
    "RESET ROLE",
    "SET row_security = off",
    "SET LOCAL row_security = off",
    "SET search_path = tenantry_shared",
    "SET LOCAL search_path TO tenantry_shared",
    "SET SCHEMA 'tenantry_shared'",
    "SET standard_conforming_strings = off",
    "SET client_encoding = 'SJIS'",
    "SET NAMES 'SJIS'",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SET tenantry.tenant = '7'",
    "ALTER USER app SET tenantry.tenant = '7'",
    "ALTER DATABASE x SET tenantry.tenant = '7'",
    "ALTER SYSTEM SET tenantry.tenant = '7'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET tenantry.tenant = '7' AS 'SELECT 1'",
    "ALTER FUNCTION f() SET tenantry.tenant = '7'",
    "DO $$ BEGIN PERFORM set_config('tenantry.tenant', '7', true); END $$",
    "PREPARE p AS SELECT set_config('tenantry.tenant', '7', true)",
    "EXECUTE p",
    "CALL p()",
    "EXPLAIN ANALYZE SELECT set_config('tenantry.tenant', '7', true)",
    "DECLARE c CURSOR FOR SELECT set_config('tenantry.tenant', '7', true)",
    "COPY (SELECT set_config('tenantry.tenant', '7', true)) TO STDOUT",
    "SELECT query_to_xml('SELECT set_config(''tenantry.tenant'', ''7'', true)', true, true, '')",
    "WITH x AS (SELECT set_config('tenantry.tenant', '7', true)) SELECT * FROM x",
    "SELECT 1; SET tenantry.tenant = '7'",
    "COMMIT; SET tenantry.tenant = '7'",
    "COMMIT AND CHAIN; SELECT 1",
    "SELECT current_setting('tenantry.tenant')",
    "SHOW tenantry.tenant",
    "SHOW ALL",
    "SELECT * FROM pg_settings",
    "SELECT _tenant FROM users",
    "SELECT * FROM tenantry_shared.users",
    "SELECT * FROM tenantry.tenants",
];

#[test]
fn the_rewriting_refuses_every_way_to_another_tenant() {
    let planner = Planner::new();
    for text in TENANTS {
        if let Ok(plan) = planner.plan(text) {
            panic!("{text}\nbecame {}", plan.text);
        }
    }
}

/// A connection of the application's role, in a transaction for the tenant.
async fn scoped(setting: &Setting) -> PgConnection {
    let mut connection = PgConnection::connect(&setting.application().url).await.unwrap();
    let text = format!("BEGIN; SELECT set_config('tenantry.tenant', '{TENANT}', true)");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    connection
}

/// Runs it in a transaction that is kept; all that it said, and the SQLSTATE of its failure.
async fn run(setting: &Setting, text: &str) -> (String, Option<String>) {
    let mut connection = scoped(setting).await;
    let outcome = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(&mut connection).await;
    sqlx::raw_sql("COMMIT").execute(&mut connection).await.ok();
    connection.close().await.ok();
    match outcome {
        Ok(rows) => {
            let values = rows.iter().flat_map(|row| (0..row.len()).map(move |at| row.try_get_raw(at).unwrap()));
            let values = values.filter(|value| !value.is_null()).map(|value| value.as_str().unwrap().to_owned());
            (values.collect::<Vec<_>>().join(" | "), None)
        }
        Err(error) => {
            let error = error.into_database_error().unwrap();
            let error = error.downcast_ref::<sqlx::postgres::PgDatabaseError>();
            (format!("{error:?}"), Some(error.code().to_owned()))
        }
    }
}

/// Whether something of another tenant's is in it.
fn is_foreign(said: &str) -> bool {
    let number = |digits: &str| digits.parse().is_ok_and(|number: i64| (900_000..1_000_000).contains(&number));
    // The statement itself asks for some.
    let said = said.replace("CAN%", "").replace("900000", "");
    said.to_ascii_uppercase().contains("CANARY") || said.split(|each: char| !each.is_ascii_digit()).any(number)
}
