//! The whole process of a verb is killed, at any time, and somebody else goes on.

use std::{
    cell::Cell,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{Home, adopt::instance};

const LEASE: Duration = Duration::from_millis(150);
const ROWS: u32 = 8_000;

/// A tenant with rows, and another one with the same that nobody does anything to.
async fn home() -> Home {
    let home = Home::new();
    home.write("tenantry.toml", "[lifecycle]\nsettle = \"1ms\"\nlease = \"150ms\"\n");
    let fill = format!(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);
         WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS})
         INSERT INTO t SELECT n, 'row ' || n FROM n"
    );
    instance(&home.path("instance.db"), None, &fill).await;
    home.write("look.sql", "SELECT count(*) FROM t");
    for tenant in ["acme", "other"] {
        home.step(&format!("adopt {tenant} --from instance.db"));
    }
    home
}

/// Kills `verb` after a while that grows, lets somebody else go on, and has `check` look, until it comes to its end.
fn killed_at_any_time(home: &Home, verb: &str, prepare: impl Fn(), check: impl Fn()) {
    let (mut kills, mut wait) = (0, Duration::from_millis(10));
    loop {
        prepare();
        let mut child = home.command(verb).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(wait);
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            // SIGKILL.
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
        std::thread::sleep(LEASE);
        home.step("operation resume");
        assert!(unfinished(home).is_empty(), "after {wait:?}: {:?}", unfinished(home));
        check();
        assert_eq!(rows(home, "other"), Some(ROWS));
        if let Some(status) = ended {
            assert!(status.success(), "{verb}");
            break;
        }
        wait += wait / 2;
    }
    assert!(kills > 0);
    let doctor = home.run("doctor");
    assert!(doctor.status.success(), "{}", home.show(&doctor));
}

#[tokio::test]
async fn a_killed_copy_is_whole_or_not_there() {
    let home = home().await;
    home.step("tenant export acme acme.tnt");
    for verb in ["tenant clone acme copy", "tenant import acme.tnt copy"] {
        killed_at_any_time(
            &home,
            verb,
            || gone(&home, "copy"),
            || match rows(&home, "copy") {
                None | Some(ROWS) => assert_eq!(rows(&home, "acme"), Some(ROWS)),
                half => panic!("{verb}: {half:?}"),
            },
        );
        assert_eq!(rows(&home, "copy"), Some(ROWS), "{verb}");
    }
}

#[tokio::test]
async fn a_killed_move_has_all_rows_in_one_place() {
    let home = home().await;
    for to in ["dedicated", "shared"] {
        let back = format!("tenant move acme {}", if to == "shared" { "dedicated" } else { "shared" });
        let verb = format!("tenant move acme {to}");
        killed_at_any_time(
            &home,
            &verb,
            || {
                if placement(&home) == to {
                    home.step(&back);
                }
            },
            || assert_eq!(rows(&home, "acme"), Some(ROWS)),
        );
        assert_eq!(placement(&home), to);
    }
}

#[tokio::test]
async fn a_killed_erasure_leaves_nothing_or_has_not_begun() {
    let home = home().await;
    home.step("tenant export acme acme.tnt");
    killed_at_any_time(
        &home,
        "tenant erase copy --now --yes",
        || {
            if !is_known(&home, "copy") {
                home.step("tenant import acme.tnt copy");
            }
            home.step("tenant delete copy --yes");
        },
        || assert!(!is_known(&home, "copy") || status(&home, "copy") == "deleting"),
    );
    assert!(!is_known(&home, "copy"));
    assert_eq!(rows(&home, "acme"), Some(ROWS));
}

#[tokio::test]
async fn killed_migrations_are_run_once() {
    let home = home().await;
    std::fs::create_dir(home.path("migrations")).unwrap();
    home.write("tenantry.toml", "[lifecycle]\nlease = \"150ms\"\n[database]\nmigrations = \"migrations\"\n");
    home.write("migrations/1_log.sql", "CREATE TABLE log (version INTEGER)");
    home.write("log.sql", "SELECT count(*), count(DISTINCT version) FROM log");
    let own = ["t1", "t2", "t3", "t4", "t5"];
    for tenant in own {
        home.step(&format!("tenant create {tenant} --placement dedicated"));
        home.run_with(&format!("sql {tenant}"), "SELECT 1");
    }
    home.step("migrate");
    let version = Cell::new(1);
    killed_at_any_time(
        &home,
        "migrate",
        || {
            let next = version.get() + 1;
            home.write(&format!("migrations/{next}_more.sql"), &format!("INSERT INTO log VALUES ({next})"));
            version.set(next);
        },
        || {
            home.step("migrate");
            for tenant in own {
                let logged = home.document(&format!("sql {tenant} --file log.sql"), 0);
                assert_eq!(logged["rows"][0], json!([version.get() - 1, version.get() - 1]), "{tenant}");
            }
        },
    );
}

/// A file system without room: what was written of an archive does not stay.
#[cfg(unix)]
#[tokio::test]
async fn an_export_that_has_no_room_leaves_no_file() {
    let home = Home::new();
    let fill = "CREATE TABLE t (a TEXT);
                WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 80)
                INSERT INTO t SELECT hex(randomblob(50000)) FROM n";
    instance(&home.path("instance.db"), None, fill).await;
    home.step("adopt acme --from instance.db");
    // Files of a megabyte or two, which the archive is not.
    let tenantry = env!("CARGO_BIN_EXE_tenantry");
    let export = format!("trap '' XFSZ; ulimit -f 2000; exec {tenantry} tenant export acme acme.tnt");
    let output = Command::new("sh").args(["-c", &export]).current_dir(home.path("")).output().unwrap();
    let shown = home.show(&output);
    assert!(!output.status.success(), "{shown}");
    assert!(shown.contains("File too large"), "{shown}");
    let left: Vec<_> = std::fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("acme.tnt")), "{left:?}");
    home.step("tenant export acme acme.tnt");
    home.step("tenant inspect acme.tnt");
}

/// How many rows a tenant has; nothing when it is not there.
fn rows(home: &Home, tenant: &str) -> Option<u32> {
    let output = home.run(&format!("sql {tenant} --file look.sql --json"));
    if output.status.code() == Some(39) {
        return None;
    }
    assert!(output.status.success(), "{}", home.show(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(u32::try_from(document["rows"][0][0].as_u64().unwrap()).unwrap())
}

fn is_known(home: &Home, tenant: &str) -> bool {
    home.run(&format!("tenant show {tenant}")).status.success()
}

fn status(home: &Home, tenant: &str) -> String {
    home.document(&format!("tenant show {tenant}"), 0)["tenant"]["status"].as_str().unwrap().to_owned()
}

fn placement(home: &Home) -> String {
    home.document("tenant show acme", 0)["tenant"]["placement"].as_str().unwrap().to_owned()
}

/// Sees to it that there is no such tenant.
fn gone(home: &Home, tenant: &str) {
    if is_known(home, tenant) {
        home.step(&format!("tenant delete {tenant} --yes"));
        home.step(&format!("tenant erase {tenant} --now --yes"));
    }
}

/// Operations that have not ended.
fn unfinished(home: &Home) -> Vec<Value> {
    let listed = home.document("operation list", 0);
    let all = listed["operations"].as_array().unwrap();
    all.iter().filter(|operation| operation["outcome"].is_null()).cloned().collect()
}
