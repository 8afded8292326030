//! What cannot be adopted is refused, says why, and leaves nothing behind.

use std::fs;

use tenantry_resource::within;
use tenantry_sqlx::adopt::SourceError;

use super::*;

#[tokio::test]
async fn bad_sources() {
    let deployment = Deployment::new();
    let file = |name: &str| deployment.file(name);
    fs::write(file("empty"), "").unwrap();
    fs::write(file("text"), "this is a text and no database, however long it may be ".repeat(10)).unwrap();
    fs::create_dir(file("folder")).unwrap();
    notes(&file("good"), "acme").await;
    let good = fs::read(file("good")).unwrap();
    let mut encrypted = good.clone();
    encrypted.iter_mut().for_each(|byte| *byte ^= 0x5a);
    fs::write(file("encrypted"), encrypted).unwrap();
    fs::write(file("short"), &good[..good.len() / 2]).unwrap();
    let mut damaged = good;
    damaged[4096..].fill(0xaa);
    fs::write(file("damaged"), damaged).unwrap();
    instance_of(&file("bare"), "CREATE TABLE t (a); DROP TABLE t").await;
    instance_of(&file("utf16"), "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a)").await;
    instance_of(
        &file("broken"),
        "PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY); \
        CREATE TABLE c (p REFERENCES p); INSERT INTO c VALUES (7), (NULL)",
    )
    .await;
    for (name, expected) in [
        ("missing", "does not exist"),
        ("empty", "is empty"),
        ("text", "no SQLite database"),
        ("folder", "is no file"),
        ("encrypted", "encrypted"),
        ("short", "is damaged"),
        ("damaged", "is damaged"),
        ("bare", "has no tables"),
        ("utf16", "UTF-16"),
        ("broken", "refer to missing ones: c row 1 to p"),
    ] {
        for id in [ACME, 3] {
            let refused = deployment.adopt(id, &file(name)).await.unwrap_err();
            let (text, is_source) = (refused.to_string(), matches!(refused, AdoptError::Source(_)));
            assert!(is_source && text.contains(expected), "{name}: {text}");
        }
    }
    assert!(!file("own/3.db").exists() && !file("own/3.db.adopting").exists());
}

#[tokio::test]
async fn a_source_that_somebody_has_locked() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut running = instance(&file).await;
    run(&mut running, "BEGIN EXCLUSIVE").await;
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Source(SourceError::Locked(_))), "{refused}");
}

#[tokio::test]
async fn a_source_that_was_not_closed() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    // What a process leaves that is killed while it commits: the journal, and some pages already written.
    let mut running = instance(&file).await;
    run(&mut running, "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE").await;
    run(&mut running, "INSERT INTO tags (name) SELECT hex(randomblob(500)) FROM pragma_function_list LIMIT 200").await;
    fs::copy(&file, deployment.file("killed")).unwrap();
    fs::copy(deployment.file("acme-journal"), deployment.file("killed-journal")).unwrap();
    let refused = deployment.adopt(ACME, &deployment.file("killed")).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Source(SourceError::Unclosed(_))), "{refused}");
    assert!(deployment.file("killed-journal").exists(), "it is left for SQLite to roll back");
}

#[tokio::test]
async fn our_own_databases() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let other = Deployment::new();
    for deployment in [&deployment, &other] {
        let refused = deployment.adopt(ACME, &deployment.file("shared.db")).await;
        assert!(refused.is_err());
    }
    let refused = other.adopt(ACME, &deployment.file("shared.db")).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Source(SourceError::Ours(_))), "{refused}");
    // A configuration that names the application's own file as the shared one must not make it one.
    notes(&other.file("notes.db"), "acme").await;
    let before = fs::read(other.file("notes.db")).unwrap();
    let options = SqliteOptions::new(other.file("notes.db"), other.file("own"));
    let refused = adopt(&options, &tenant(ACME), &other.file("notes.db"), AdoptOptions::default()).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Source(SourceError::Ours(_))), "{refused}");
    assert!(fs::read(other.file("notes.db")).unwrap() == before);
}

#[tokio::test]
async fn tenants_that_have_been_used() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut active = tenant(ACME);
    active.status = Status::Active;
    let served = adopt(&deployment.options(), &active, &file, AdoptOptions::default()).await.unwrap_err();
    assert!(matches!(&served, AdoptError::Served(_)), "{served}");
    // To look at its tables makes a tenant, and it can be adopted into.
    let look = "SELECT * FROM tags";
    within(deployment.scope(ACME), async { rows(&deployment.pool, look).await }).await;
    deployment.adopt(ACME, &file).await.unwrap();
    // Who has rows keeps them; and who had some.
    for script in ["INSERT INTO tags (name) VALUES ('mine')", "DELETE FROM tags"] {
        let user = "INSERT INTO users (email, name, password_hash) VALUES ('a', 'b', 'c') ON CONFLICT DO NOTHING";
        within(deployment.scope(GLOBEX), async {
            rows(&deployment.pool, user).await;
            rows(&deployment.pool, script).await;
        })
        .await;
        let before = of_tenant(&deployment, GLOBEX).await;
        let refused = deployment.adopt(GLOBEX, &file).await.unwrap_err();
        assert!(matches!(&refused, AdoptError::Used { .. }), "{refused}");
        assert_eq!(of_tenant(&deployment, GLOBEX).await, before);
    }
}

#[tokio::test]
async fn a_tenant_with_seeds_is_new_until_it_does_something() {
    let deployment = Deployment::new();
    let seeded = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO t (x) VALUES ('seed')";
    deployment.migrate(&[seeded]).await.unwrap();
    let file = deployment.file("source");
    instance_of(&file, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO t VALUES (9, 'nine')")
        .await;
    let read = "SELECT * FROM t";
    within(deployment.scope(ACME), async {
        assert_eq!(rows(&deployment.pool, read).await.len(), 1);
    })
    .await;
    deployment.adopt(ACME, &file).await.unwrap();
    let pool = deployment.another(|_| {});
    within(deployment.scope(ACME), async {
        let mut instance = instance(&file).await;
        assert_eq!(rows(&pool, read).await, rows(&mut instance, read).await);
    })
    .await;
    // Others begin as they did.
    within(deployment.scope(GLOBEX), async {
        assert_eq!(rows(&pool, read).await.len(), 1);
        rows(&pool, "INSERT INTO t (x) VALUES ('gone')").await;
        rows(&pool, "DELETE FROM t WHERE x = 'gone'").await;
    })
    .await;
    let refused = deployment.adopt(GLOBEX, &file).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Used { .. }), "what it has counted shows that it was used: {refused}");
}

#[tokio::test]
async fn statements_for_an_incomplete_tenant_are_refused() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let how = AdoptOptions::default().on_progress(|_| std::ops::ControlFlow::Break(()));
    adopt(&deployment.options(), &tenant(ACME), &file, how).await.unwrap_err();
    let query = sqlx::query("INSERT INTO tags (name) VALUES ('x')").execute(&deployment.pool);
    let refused = within(deployment.scope(ACME), query).await.unwrap_err();
    let Some(tenantry_sqlx::ScopeError::Incomplete { tenant }) = tenantry_sqlx::ScopeError::of(&refused) else {
        panic!("{refused}")
    };
    assert_eq!(tenant.as_str(), "acme");
}
