//! The catalog in PostgreSQL: the same commands, on a server.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use tenantry::{CatalogStore, FollowOptions, Mirror, OpenOptions, Status, Tenancy, config::Config};
use tenantry_test::server::TestDatabase;

use crate::{Home, database::lines};

/// What a row of every kind of value is shown as.
#[test]
fn statements_are_run_as_a_tenant_and_explained() {
    const TABLES: &str = "
        CREATE TYPE mood AS ENUM ('ok', 'sad');
        CREATE DOMAIN short AS text CHECK (length(value) < 10);
        CREATE TABLE kinds (id int PRIMARY KEY, flag bool, small int2, big int8, f4 float4, f8 float8, n numeric, t text,
            c char(3), s short, m mood, ms mood[], raw bytea, u uuid, j json, jb jsonb, d date, ti time, ts timestamp,
            tz timestamptz, i interval, ints int[], grid int[], texts text[], net inet);
    ";
    const ROWS: &str = "
        INSERT INTO kinds VALUES (1, true, -2, 9007199254740993, 0.1, 1e300, 12345678901234567890.0012, 'ü', 'ab', 'x', 'sad',
            '{ok,NULL}', '\\x00ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{\"a\": 1}', '[1, null]', '1999-12-31', '23:59:59.5',
            '2024-02-29 12:00', '2024-02-29 12:00:00.25+02', '1 month 2 days -3.5 s', '{1,NULL,3}', '{{1,2},{3,4}}', '{\"a,b\"}',
            '10.0.0.1');
        INSERT INTO kinds (id, f8, n, d, ts, tz, ints) VALUES (2, 'Infinity', -0.00010, '-infinity', 'infinity',
            '0044-03-15 00:00+00 BC', '{}');
        SELECT flag, small, big, f4, f8, n, t, c, s, m, ms FROM kinds ORDER BY id;
        SELECT raw, u, j, jb, d, ti, ts, tz, i, ints, grid, texts, net FROM kinds ORDER BY id;
        SELECT 1000000::numeric, 0.5::numeric, 0::numeric, 'NaN'::numeric, 1e5::numeric(10, 2);
        UPDATE kinds SET small = 3 WHERE id < 3 RETURNING id;
        SELECT _tenant FROM kinds;
        INSERT INTO kinds (id) VALUES (1)";
    let home = Home::new();
    let runtime = runtime();
    let _database = runtime.block_on(migrated(&home, TABLES));
    let ran = lines(&home, "sql acme --json", ROWS);
    assert_eq!(ran[0], json!({ "ok": true, "columns": [], "rows": [], "affected": 1 }));
    let first = json!([
        true,
        -2,
        9_007_199_254_740_993_i64,
        0.1,
        1e300,
        "12345678901234567890.0012",
        "ü",
        "ab ",
        "x",
        "sad",
        ["ok", null]
    ]);
    let second = json!([null, null, null, null, "inf", "-0.00010", null, null, null, null, null]);
    assert_eq!(ran[2]["rows"], json!([first, second]));
    let first = json!([
        { "blob": "00FF" }, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", { "a": 1 }, [1, null], "1999-12-31", "23:59:59.500",
        "2024-02-29T12:00:00", "2024-02-29T10:00:00.250Z", "P1M2DT-3.500000S", [1, null, 3], [[1, 2], [3, 4]], ["a,b"],
        { "blob": "022000040A000001" }
    ]);
    let second = json!([
        null,
        null,
        null,
        null,
        "-infinity",
        null,
        "infinity",
        "-0043-03-15T00:00:00Z",
        null,
        [],
        null,
        null,
        null
    ]);
    assert_eq!(ran[3]["rows"], json!([first, second]));
    assert_eq!(ran[4]["rows"], json!([["1000000", "0.5", "0", "NaN", "100000.00"]]));
    assert_eq!((&ran[5]["rows"], &ran[5]["affected"]), (&json!([[1], [2]]), &json!(2)));
    assert_eq!((&ran[6]["kind"], &ran[6]["code"]), (&json!("refused"), &json!("S04")));
    assert_eq!((&ran[7]["kind"], &ran[7]["code"]), (&json!("error"), &json!("23505")));
    assert!(!ran[7].to_string().contains("_tenant"), "{}", ran[7]);
    assert_eq!(ran.len(), 8);
    let others = lines(&home, "sql globex --json", "SELECT count(*) FROM kinds");
    assert_eq!(others[0]["rows"], json!([[0]]));

    let explained = lines(&home, "explain --json --plan", "SELECT t FROM kinds WHERE id = $1");
    let text = explained[0]["text"].as_str().unwrap();
    let at = text.find("$2").unwrap();
    assert_eq!(explained[0]["tenant"], json!({ "parameter": 2, "at": [at] }));
    assert!(explained[0]["plan"].to_string().contains("kinds_pkey"), "{}", explained[0]);
    let refused = lines(&home, "explain --json", "SELECT 1; SELECT pg_sleep(1); VACUUM");
    let verdicts: Vec<_> = refused.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["scoped", "refused", "refused"]);
}

/// A deployment on a server of its own, with these tables and two tenants.
async fn migrated(home: &Home, tables: &'static str) -> TestDatabase {
    let mut database = TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let text = format!("[database]\nurl = \"{}\"\napplication_url = \"{}\"\n", database.url(), role.url);
    home.write("tenantry.toml", &text);
    for tenant in ["acme", "globex"] {
        home.step(&format!("tenant create {tenant}"));
    }
    let config = Config::load(home.path("tenantry.toml")).unwrap();
    let tenancy = Tenancy::with(config).await.unwrap();
    let migration = Migration::new(1, "tables".into(), MigrationType::Simple, tables.into_sql_str(), false);
    tenancy.postgres().migrate(&Migrator::with_migrations(vec![migration])).await.unwrap();
    database
}

/// A test that waits for commands must not be in the way of its runtime.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn tenants_are_looked_after() {
    let (home, runtime) = (Home::new(), runtime());
    let database = runtime.block_on(TestDatabase::new()).unwrap();
    home.write("tenantry.toml", &format!("[catalog]\nurl = \"{}\"", database.url()));
    let empty = "the database has no catalog in it; check the URL, or create a tenant to start anew";
    let place = without_password(database.url());
    home.check(
        "tenant list",
        &format!(
            "exit 21\n--- stderr\nerror[catalog_unavailable]: the catalog {place} is not available: {empty}\n\
             hint: catalog.url in tenantry.toml says where it is"
        ),
    );
    home.check("tenant create acme --alias shop", "exit 0\n--- stdout\ncreated acme, active, on the plan default");
    home.step("tenant suspend shop");
    home.step("tenant resume acme");
    home.step("tenant create globex --suspended");
    let list = home.document("tenant list", 0);
    let tenants: Vec<_> = list["tenants"].as_array().unwrap().iter().map(|t| (&t["slug"], &t["status"])).collect();
    assert_eq!(
        format!("{tenants:?}"),
        r#"[(String("acme"), String("active")), (String("globex"), String("suspended"))]"#
    );
}

#[test]
fn a_running_process_is_told_what_the_command_did() {
    let (home, runtime) = (Home::new(), runtime());
    let database = runtime.block_on(TestDatabase::new()).unwrap();
    // A poll that never comes: what is seen is told.
    home.write("tenantry.toml", &format!("[catalog]\nurl = \"{}\"\npoll = \"1h\"", database.url()));
    home.step("tenant create acme");
    let config = Config::load(home.path("tenantry.toml")).unwrap();
    let mirror = Arc::new(Mirror::new());
    let follower = runtime.block_on(async {
        let store = CatalogStore::open(&config.catalog, OpenOptions::must_exist()).await.unwrap();
        let options = FollowOptions::default().poll(config.catalog.poll);
        store.follow(Arc::clone(&mirror), options).await.unwrap()
    });
    let acme = || mirror.by_slug(&"acme".parse().unwrap()).unwrap();
    assert_eq!(acme().status, Status::Active);
    for (command, status) in [("suspend", Status::Suspended), ("resume", Status::Active)] {
        home.step(&format!("tenant {command} acme"));
        let done = Instant::now();
        while acme().status != status {
            assert!(done.elapsed() < Duration::from_secs(30), "{command} is not seen");
            thread::sleep(Duration::from_millis(5));
        }
    }
    runtime.block_on(follower.stop());
}

#[test]
fn no_password_is_shown() {
    let home = Home::new();
    home.write("tenantry.toml", "[catalog]\nurl = \"postgres://ann:hush@127.0.0.1:1/tenants?sslmode=disable\"");
    for line in ["config check", "config check --json", "tenant list", "tenant create acme --json"] {
        let shown = home.show(&home.run(line));
        assert!(!shown.contains("hush"), "{line}\n{shown}");
        assert!(shown.contains("postgres://ann@127.0.0.1:1/tenants"), "{line}\n{shown}");
    }
    home.check(
        "tenant list",
        "exit 21
--- stderr
error[catalog_unavailable]: the catalog postgres://ann@127.0.0.1:1/tenants is not available: the server is away; see whether it runs, and whether it is there that the URL says: error communicating with database: Connection refused (os error 111)
hint: catalog.url in tenantry.toml says where it is",
    );
}

/// The URL as it is shown.
fn without_password(url: &str) -> String {
    let (before, after) = url.split_once('@').unwrap();
    let (scheme_and_role, _) = before.rsplit_once(':').unwrap();
    format!("{scheme_and_role}@{}", after.split_once('?').map_or(after, |(place, _)| place))
}
