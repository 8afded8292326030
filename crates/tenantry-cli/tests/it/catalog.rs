//! When something is wrong with the catalog, every command says so.

use sqlx::{Connection, Executor, SqliteConnection};

use crate::Home;

const COMMANDS: [&str; 6] = [
    "tenant create globex",
    "tenant delete acme --yes",
    "tenant list",
    "tenant resume acme",
    "tenant show acme",
    "tenant suspend acme",
];

fn unavailable(reason: &str, hint: &str) -> String {
    format!("exit 21\n--- stderr\nerror[catalog_unavailable]: the catalog {reason}\nhint: {hint}")
}

#[test]
fn it_is_not_there() {
    let home = Home::new();
    for line in COMMANDS.into_iter().filter(|line| !line.contains("create")) {
        home.check(
            line,
            &unavailable(
                "tenantry.db is not available: the file does not exist; check the path, or create a tenant to start anew",
                "there is no tenantry.toml here, so catalog.path has its default; --config names another",
            ),
        );
    }
    assert!(!home.path("tenantry.db").exists());
}

#[test]
fn its_folder_is_not_there() {
    let home = Home::new();
    home.write("other.toml", "[catalog]\npath = \"deep/tenantry.db\"");
    for line in COMMANDS {
        home.check(
            &format!("{line} --config other.toml"),
            &unavailable(
                "deep/tenantry.db is not available: the folder deep does not exist; create it, or check the path",
                "catalog.path in other.toml says where it is",
            ),
        );
    }
}

#[test]
fn it_is_no_database() {
    let home = Home::new();
    home.write("tenantry.db", &"dear diary, ".repeat(1000));
    home.write("tenantry.toml", "");
    for line in COMMANDS {
        home.check(
            line,
            &unavailable(
                "tenantry.db is damaged: it is not a SQLite database",
                "catalog.path in tenantry.toml says where it is",
            ),
        );
    }
}

#[cfg(not(feature = "postgres"))]
#[test]
fn it_is_where_this_build_cannot_go() {
    let home = Home::new();
    home.write("tenantry.toml", "[catalog]\nurl = \"postgres://ann:hush@db/tenants\"");
    for line in COMMANDS {
        home.check(
            line,
            &unavailable(
                "postgres://ann@db/tenants is not available: this build has no PostgreSQL; build with the feature \
                 postgres: cargo install … --features postgres",
                "catalog.url in tenantry.toml says where it is",
            ),
        );
    }
}

#[test]
fn it_is_locked() {
    let home = Home::new();
    home.write("tenantry.toml", "[catalog]\nbusy_timeout = \"50ms\"");
    home.step("tenant create acme");
    let locked = unavailable(
        "tenantry.db is not available: another process has kept the file locked for 50ms; see which one has it open: \
         error returned from database: (code: 5) database is locked",
        "catalog.path in tenantry.toml says where it is",
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}", home.path("tenantry.db").display());
        let mut other = SqliteConnection::connect(&url).await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        home.check("tenant suspend acme", &locked);
        home.check("tenant create globex", &locked);
        home.step("tenant show acme");
    });
}
