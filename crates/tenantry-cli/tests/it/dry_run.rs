//! `--dry-run`: what would be done is said as it is then done, and nothing is.

use std::{collections::BTreeMap, fs, process::Output};

use serde_json::Value;

use crate::{Home, adopt::instance};

#[tokio::test]
async fn on_sqlite_nothing_is_done_and_what_is_said_comes_true() {
    let home = home("").await;
    let before = files(&home);
    passes(&home);
    // Not a file is there that was not, but those of the tenants that were made.
    let new = files(&home).into_keys().filter(|file| !before.contains_key(file)).collect::<Vec<_>>();
    assert!(new.iter().all(|file| file.starts_with("tenants/")), "{new:?}");
}

#[tokio::test]
async fn files_are_what_they_were() {
    let home = home("").await;
    home.step("tenant move acme dedicated");
    fs::remove_file(home.path("tenantry.key")).ok();
    let before = files(&home);
    for line in WORKING {
        let _ = foreseen(&home, line);
    }
    let changed: Vec<_> =
        files(&home).into_iter().filter(|(name, content)| before.get(name) != Some(content)).collect();
    assert_eq!(changed, []);
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_nothing_is_done_and_what_is_said_comes_true() {
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
    use tenantry::{ScopedPool, config::Config};

    let mut database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
    admin.execute(AssertSqlSafe(grants)).await.unwrap();
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/notes/migrations/postgres");
    let toml = format!(
        "[catalog]\nurl = {0:?}\n[database]\nurl = {0:?}\napplication_url = {1:?}\nmigrations = {migrations:?}\n",
        database.url(),
        role.url
    );
    let bare = Home::new();
    bare.write("tenantry.toml", &toml);
    let config = Config::load(bare.path("tenantry.toml")).unwrap();
    let pool = ScopedPool::postgres(config.postgres_options().unwrap().unwrap(), None);
    pool.migrate(&sqlx::migrate!("../../examples/notes/migrations/postgres")).await.unwrap();
    let home = home(&toml).await;
    passes(&home);
}

/// What works at the beginning, each by itself.
const WORKING: [&str; 13] = [
    "tenant clone acme copy",
    "tenant create fresh --from acme",
    "tenant delete other",
    "tenant expire other",
    "tenant extend other 1d",
    "tenant import acme.tnt twin",
    "tenant move acme shared",
    "tenant promote other --plan default",
    "tenant rename other initech --free",
    "tenant reset training",
    "tenant resume other",
    "tenant suspend other",
    "operation resume",
];

fn passes(home: &Home) {
    refusals_are_the_same(home);
    comes_true(home, "tenant clone acme copy", "copied");
    comes_true(home, "tenant create fresh --from acme", "copied");
    comes_true(home, "tenant import acme.tnt twin", "imported");
    comes_true(home, "tenant reset training", "copied");
    comes_true(home, "tenant move acme dedicated", "moved");
    comes_true(home, "tenant move acme shared", "moved");
    for line in ["tenant expire other", "tenant promote other --plan default", "tenant rename other globex"] {
        comes_true(home, line, "");
    }
    let foreseen = foreseen(home, "tenant delete globex");
    assert_eq!(foreseen["changes"]["status"], serde_json::json!(["active", "deleting"]));
    comes_true(home, "tenant delete globex", "");
    comes_true(home, "tenant erase globex --now", "removed");
    comes_true(home, "tenant delete fresh", "");
    let forgotten = self::foreseen(home, "tenant delete fresh --forget");
    assert_eq!(forgotten["removed"], serde_json::json!([{ "plane": "users", "items": 1, "bytes": 0 }]));
    assert_eq!(forgotten["changes"]["slug"], serde_json::json!(["fresh", null]));
    // Which others have their settings from.
    home.step("tenant delete acme --yes");
    let before = home.run("operation list");
    for line in ["tenant erase acme --now --dry-run", "tenant erase acme --now --yes"] {
        let shown = home.run(line);
        assert_eq!(shown.status.code(), Some(45), "{}", home.show(&shown));
        assert!(home.show(&shown).contains("is the template of others"), "{}", home.show(&shown));
    }
    assert_eq!(home.run("operation list").stdout, before.stdout, "it has not begun");
}

/// What the dry run says of it is what it then does.
fn comes_true(home: &Home, line: &str, amounts: &str) {
    let said = foreseen(home, line);
    let sure = if line.contains("reset") || line.contains("delete") || line.contains("erase") { " --yes" } else { "" };
    let done = home.document(&format!("{line}{sure}"), 0);
    if !amounts.is_empty() {
        let (said, done) = (items(&said), items(&done));
        let key = if amounts == "removed" { "removed" } else { "copied" };
        for (plane, items) in &done[amounts] {
            assert_eq!(said[key].get(plane).copied().unwrap_or_default(), *items, "{line}: {plane} {said:?} {done:?}");
        }
        assert!(done[amounts].values().sum::<u64>() > 0, "{line}: {done:?}");
    }
    for field in ["slug", "status", "plan", "placement"] {
        let Some(change) = said["changes"].get(field) else { continue };
        if done["tenant"].is_object() && !(line.contains("expire") && field == "status") {
            assert_eq!(change[1], done["tenant"][field], "{line}: {field}");
        }
    }
}

/// The items of each list of amounts, by plane.
fn items(document: &Value) -> BTreeMap<String, BTreeMap<String, u64>> {
    let lists = document.as_object().unwrap().iter().filter_map(|(key, value)| Some((key, value.as_array()?)));
    let amounts = |list: &Vec<Value>| {
        let pairs = list
            .iter()
            .filter_map(|amount| Some((amount.get("plane")?.as_str()?.to_owned(), amount["items"].as_u64()?)));
        pairs.collect()
    };
    lists.map(|(key, list)| (key.clone(), amounts(list))).collect()
}

fn refusals_are_the_same(home: &Home) {
    let refused = [
        "tenant clone nobody copy",
        "tenant clone acme other",
        "tenant create fresh --from nobody",
        "tenant delete other --forget --yes",
        "tenant erase other --now --yes",
        "tenant import acme.tnt other",
        "tenant import acme.tnt twin --plan gold",
        "tenant import cut.tnt twin",
        "tenant move acme shared",
        "tenant promote other --plan gold",
        "tenant rename acme other",
        "tenant reset nobody --yes",
        "tenant reset other --yes",
    ];
    for line in refused {
        let before = state(home);
        let said = home.run(&format!("{line} --dry-run --json"));
        assert_eq!(state(home), before, "{line}");
        let done = home.run(&format!("{line} --json"));
        assert_eq!((said.status.code(), code(&said)), (done.status.code(), code(&done)), "{line}");
        assert!(!said.status.success(), "{line}");
    }
}

fn code(output: &Output) -> Value {
    // Before it there may be what was logged.
    let text = String::from_utf8_lossy(&output.stderr);
    let failed: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    failed["error"]["code"].clone()
}

/// What a dry run says, who leaves everything as it is.
fn foreseen(home: &Home, line: &str) -> Value {
    let before = state(home);
    let said = home.document(&format!("{line} --dry-run"), 0);
    assert_eq!(state(home), before, "{line}");
    let text = home.run(&format!("{line} --dry-run"));
    assert!(text.status.success(), "{line}: {}", home.show(&text));
    assert_eq!(said["dry_run"], true, "{line}");
    said
}

/// All that is written down of tenants, and which files there are.
fn state(home: &Home) -> Vec<Value> {
    let documents = ["tenant list", "operation list", "audit"].map(|line| home.document(line, 0));
    let files: Vec<_> = files(home).into_keys().collect();
    documents.into_iter().chain([files.into()]).collect()
}

/// The files of a deployment with what is in them: of databases with a write-ahead log, which any reader may bring into the
/// file, nothing, and not the log.
fn files(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![home.path("")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(home.path("")).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with("-wal") && !name.ends_with("-shm") && !name.ends_with("-journal") {
                let has_log = name.ends_with(".db") && name != "tenantry.db";
                files.insert(name, if has_log { Vec::new() } else { fs::read(path).unwrap() });
            }
        }
    }
    files
}

/// acme with rows and a user, a training tenant made of it, somebody else, and an archive.
async fn home(toml: &str) -> Home {
    let home = Home::new();
    let quick = "[lifecycle]\nsettle = \"1ms\"\n[directory]\nhash_memory_kib = 8\nhash_passes = 1\n";
    home.write("tenantry.toml", &format!("{toml}{quick}"));
    let script = "INSERT INTO users (email, name, password_hash) VALUES ('ada@acme', 'Ada', 'x');
                  INSERT INTO notes (user_id, title) VALUES (1, 'one'), (1, 'two'), (1, 'three')";
    instance(&home.path("instance.db"), Some(&sqlx::migrate!("../../examples/notes/migrations/sqlite")), script).await;
    home.step("adopt acme --from instance.db");
    home.step("tenant create other");
    for tenant in ["acme", "other"] {
        home.run_with(&format!("user add {tenant} ann"), "correct horse battery\n");
    }
    home.step("tenant create training --from acme");
    home.run_with("user add training bob", "correct horse battery\n");
    home.step("tenant export acme acme.tnt");
    home.write("cut.tnt", "nothing of that kind");
    home
}
