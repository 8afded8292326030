//! `migrate`: the shared tables, and the databases of tenants' own.

use std::fs;

use serde_json::{Value, json};

use crate::Home;

const TABLES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL)";

/// A tenant on shared tables, and five with a file of their own, of which the last one was never used.
fn home() -> Home {
    let home = Home::new();
    fs::create_dir(home.path("migrations")).unwrap();
    home.write("migrations/1_tables.sql", TABLES);
    home.write("tenantry.toml", "[database]\nmigrations = \"migrations\"");
    home.step("tenant create shared");
    for number in 1..=5 {
        home.step(&format!("tenant create t{number} --placement dedicated"));
    }
    for number in 1..=4 {
        home.run_with(&format!("sql t{number}"), "SELECT 1");
    }
    home
}

#[test]
fn everybody_is_migrated_and_once() {
    let home = home();
    home.check(
        "migrate --dry-run",
        "exit 0
--- stdout
shared tables: 1 to be applied
  1 (tables)

TENANT       MIGRATIONS
t1                    1
t2                    1
t3                    1
t4                    1
t5      no database yet",
    );
    home.check(
        "migrate --concurrency 1",
        "exit 0
--- stdout
shared tables: 1 applied
databases of tenants' own: 4 migrated, 1 not made yet

TENANT   OUTCOME  MIGRATIONS  OPERATION
t1      migrated           1          1
t2      migrated           1          2
t3      migrated           1          3
t4      migrated           1          4",
    );
    home.check(
        "migrate",
        "exit 0\n--- stdout\nshared tables: up to date\ndatabases of tenants' own: 4 up to date, 1 not made yet",
    );
    assert!(!home.path("tenants/t5.db").exists());
    let operations = home.document("operation list t1", 0);
    assert_eq!(operations["operations"][0]["amounts"], json!([{ "plane": "migrations", "items": 1, "bytes": 0 }]));
    let audit = home.show(&home.run("audit"));
    assert!(audit.contains("migrate begun") && audit.contains("migrate done"), "{audit}");
    home.step("doctor");
}

#[test]
fn what_fails_stops_it_and_is_told() {
    let home = home();
    home.step("migrate");
    home.write("migrations/2_colours.sql", "CREATE TABLE colours (name TEXT)");
    home.run_with("sql t1", "CREATE TABLE colours (mine TEXT)");
    let shown = home.show(&home.run("migrate"));
    let table = "exit 74
--- stdout
shared tables: 1 applied
databases of tenants' own: 1 not made yet, 1 failed, 3 not reached

TENANT      OUTCOME  MIGRATIONS  OPERATION
t1           failed           0          5
t2      not reached           0          -
t3      not reached           0          -
t4      not reached           0          -

t1: the rows of t1 cannot be worked on: migration 2 (colours) has failed: error returned from database: \
         (code: 1) table colours already exists
--- stderr
";
    assert!(shown.starts_with(table), "{shown}");
    let error = "error[migration_paused]: the canary t1 was not migrated: the rows of t1 cannot be worked on: migration 2 \
                 (colours) has failed: error returned from database: (code: 1) table colours already exists\n\
                 hint: mend what the reason names, and run `tenantry migrate` again; it goes on where it stopped\n";
    assert!(shown.ends_with(error), "{shown}");
    let failed = home.document("migrate --canary t3 --concurrency 2", 73);
    assert_eq!(failed["paused"], Value::Null);
    assert_eq!(
        failed["totals"],
        json!({ "migrated": 3, "up_to_date": 0, "no_database": 1, "failed": 1, "busy": 0, "gone": 0, "not_reached": 0 })
    );
    assert_eq!(failed["tenants"][0]["tenant"], "t3", "the canary comes first");
    home.run_with("sql t1", "DROP TABLE colours");
    let mended = home.document("migrate --tenant t1", 0);
    assert_eq!((&mended["totals"]["migrated"], mended["tenants"].as_array().unwrap().len()), (&json!(1), 1));
}

#[test]
fn shared_tables_that_cannot_be_migrated_come_before_all_others() {
    let home = home();
    home.write("migrations/2_broken.sql", "CREATE TABLE notes (id INTEGER)");
    let shown = home.show(&home.run("migrate"));
    assert!(
        shown.starts_with("exit 73\n--- stderr\nerror[migration_failed]: the shared tables cannot be migrated, "),
        "{shown}"
    );
    assert!(shown.contains("migration 2 (broken) has failed, after 1 that stay: "), "{shown}");
    assert!(
        shown.contains("table \"notes\" already exists") || shown.contains("table notes already exists"),
        "{shown}"
    );
    let operations = home.document("operation list", 0);
    assert_eq!(operations["operations"], json!([]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = home();
    home.check(
        "migrate --tenant shared",
        "exit 30
--- stderr
error[request_malformed]: the rows of shared are in the shared tables, which are migrated for all tenants at once
hint: without a name, all databases of tenants' own are migrated",
    );
    home.check(
        "migrate --canary t6",
        "exit 39\n--- stderr\nerror[tenant_unknown]: no tenant is called t6\nhint: did you mean t1?",
    );
    assert_eq!(home.run("migrate --canary t1 --canaries 3").status.code(), Some(2));
    assert_eq!(home.run("migrate --concurrency 0").status.code(), Some(2));
    home.write("tenantry.toml", "");
    home.check(
        "migrate",
        "exit 30
--- stderr
error[request_malformed]: this deployment does not know the application's migrations: database.migrations is to name their folder
hint: write migrations = \"…\" under [database] of tenantry.toml: the folder, relative to that file",
    );
    home.write("tenantry.toml", "[database]\nmigrations = \"elsewhere\"");
    let shown = home.show(&home.run("migrate"));
    assert!(shown.starts_with("exit 1\n--- stderr\nerror[deployment]: the migrations in elsewhere, which database.migrations names, cannot be read"), "{shown}");
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn databases_on_a_server_are_migrated() {
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

    let mut database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
    admin.execute(AssertSqlSafe(grants)).await.unwrap();
    let home = Home::new();
    fs::create_dir(home.path("migrations")).unwrap();
    home.write("migrations/1_tables.sql", "CREATE TABLE notes (id int PRIMARY KEY, title text NOT NULL)");
    let toml = format!(
        "{STRICT}[database]\nmigrations = \"migrations\"\nurl = \"{}\"\napplication_url = \"{}\"",
        database.url(),
        role.url
    );
    home.write("tenantry.toml", &toml);
    rolled_out(&home);
}

#[test]
fn files_are_migrated() {
    let home = Home::new();
    fs::create_dir(home.path("migrations")).unwrap();
    home.write("migrations/1_tables.sql", TABLES);
    home.write("tenantry.toml", &format!("{STRICT}[database]\nmigrations = \"migrations\""));
    rolled_out(&home);
}

/// One at a time, until two have failed.
const STRICT: &str = "[migrate]\nconcurrency_max = 1\nfailures_min = 2\n";

/// Six tenants get migrations, of which two cannot have them at first, and one has no database.
fn rolled_out(home: &Home) {
    home.step("tenant create acme");
    for number in 1..=6 {
        home.step(&format!("tenant create d{number} --placement dedicated"));
    }
    let statement = |tenant: &str, text: &str| {
        let ran = home.run_with(&format!("sql {tenant}"), text);
        assert!(ran.status.success(), "{}", home.show(&ran));
    };
    for number in 1..=5 {
        statement(&format!("d{number}"), "SELECT 1");
    }
    let migrated = home.document("migrate", 0);
    assert_eq!((&migrated["shared"], &migrated["totals"]["migrated"]), (&json!({ "migrations": 1 }), &json!(5)));
    assert_eq!(migrated["tenants"][5]["outcome"], "no database");
    home.write("migrations/2_colours.sql", "CREATE TABLE colours (name text)");
    for broken in ["d2", "d3"] {
        statement(broken, "CREATE TABLE colours (mine text)");
    }
    let paused = home.document("migrate", 74);
    let text = "2 of 3 have failed, which is more than the 10 % of migrate.failure_percent_max";
    assert_eq!(paused["paused"], text);
    let outcomes: Vec<_> = paused["tenants"].as_array().unwrap().iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["migrated", "failed", "failed", "not reached", "not reached", "no database"]);
    let problem = paused["tenants"][1]["problem"].as_str().unwrap();
    assert!(problem.contains("migration 2 (colours) has failed: error returned from database: "), "{problem}");
    let operations = home.document("operation list d2", 0);
    let operation = &operations["operations"][0];
    assert_eq!((&operation["verb"], &operation["outcome"]), (&json!("migrate"), &json!("undone")));
    assert_eq!(operation["problem"], problem);
    // They work on as before.
    statement("d2", "INSERT INTO notes (id, title) VALUES (1, 'works on')");
    let needed = home.document("migrate --dry-run", 0);
    let needs = |at: usize| needed["tenants"][at]["migrations"].as_array().unwrap().len();
    assert_eq!((0..6).map(needs).collect::<Vec<_>>(), [0, 1, 1, 1, 1, 0]);
    for mended in ["d2", "d3"] {
        statement(mended, "DROP TABLE colours");
    }
    let migrated = home.document("migrate --concurrency 4", 0);
    assert_eq!((&migrated["totals"]["migrated"], &migrated["totals"]["up_to_date"]), (&json!(4), &json!(1)));
    for tenant in ["acme", "d1", "d2", "d3", "d4", "d5"] {
        statement(tenant, "SELECT name FROM colours");
    }
}
