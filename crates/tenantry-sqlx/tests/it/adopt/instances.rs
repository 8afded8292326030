//! Several instances of one application become tenants of one deployment.

use std::{collections::BTreeMap, fs, ops::ControlFlow};

use sqlx::Connection;
use tenantry_resource::within;
use tenantry_sqlx::adopt::{AdoptOptions, adopt};

use super::*;

#[tokio::test]
async fn each_tenant_sees_what_its_instance_had() {
    let deployment = Deployment::new();
    for (id, name) in [(ACME, "acme"), (GLOBEX, "globex"), (3, "initech")] {
        let file = deployment.file(name);
        notes(&file, name).await;
        let before = fs::read(&file).unwrap();
        let adopted = deployment.adopt(id, &file).await.unwrap();
        assert_eq!((adopted.already, adopted.resumed, adopted.took_schema), (false, false, id == ACME));
        let counts: BTreeMap<_, _> = adopted.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
        assert_eq!((counts["notes"], counts["note_tags"], counts["settings"]), (2, 3, 1));
        assert!(fs::read(&file).unwrap() == before, "the source is as it was");
    }
    #[cfg(unix)]
    deployment.is_for_its_owner_alone(&["shared.db", "own/3.db"]);
    // The migrations are those that have run already.
    deployment.pool.migrate(&NOTES).await.unwrap();
    for (id, name) in [(ACME, "acme"), (GLOBEX, "globex"), (3, "initech")] {
        let mut instance = instance(&deployment.file(name)).await;
        within(deployment.scope(id), async {
            for statement in NOTES_TABLES {
                assert_eq!(
                    rows(&deployment.pool, statement).await,
                    rows(&mut instance, statement).await,
                    "{statement}"
                );
            }
        })
        .await;
    }
    let mut raw = raw(&deployment).await;
    assert!(rows(&mut raw, "PRAGMA foreign_key_check").await.is_empty());
    assert_eq!(rows(&mut raw, "PRAGMA integrity_check").await, rows(&mut raw, "SELECT CAST('ok' AS TEXT)").await);
}

#[tokio::test]
async fn life_goes_on_as_in_a_private_database() {
    let deployment = Deployment::new();
    for (id, name) in [(ACME, "acme"), (GLOBEX, "globex")] {
        notes(&deployment.file(name), name).await;
        deployment.adopt(id, &deployment.file(name)).await.unwrap();
    }
    let of_globex = of_tenant(&deployment, GLOBEX).await;
    let mut instance = instance(&deployment.file("acme")).await;
    within(deployment.scope(ACME), async {
        for statement in [
            "INSERT INTO notes (user_id, title) VALUES (1, 'next') RETURNING id",
            "INSERT INTO tags (name) VALUES ('next') RETURNING id",
            "UPDATE notes SET title = 'touched' WHERE id = 1 RETURNING id, title",
            "INSERT INTO comments (note_id, user_id, body) SELECT id, 1, title FROM notes RETURNING id, body",
            "DELETE FROM users WHERE id = 2 RETURNING id",
            "SELECT count(*), max(id) FROM notes",
            "INSERT INTO users (email, name, password_hash) VALUES ('c@d', 'C', 'z') RETURNING id",
        ] {
            assert_eq!(rows(&deployment.pool, statement).await, rows(&mut instance, statement).await, "{statement}");
        }
    })
    .await;
    assert_eq!(of_tenant(&deployment, GLOBEX).await, of_globex, "another tenant's rows are untouched");
}

#[tokio::test]
async fn to_adopt_twice_is_to_adopt_once() {
    let deployment = Deployment::new();
    for id in [ACME, 3] {
        let file = deployment.file(&format!("source{id}"));
        notes(&file, "acme").await;
        let first = deployment.adopt(id, &file).await.unwrap();
        let again = deployment.adopt(id, &file).await.unwrap();
        assert!(again.already && first.tables == again.tables);
        run(&mut instance(&file).await, "UPDATE notes SET body = 'later' WHERE id = 1").await;
        let refused = deployment.adopt(id, &file).await.unwrap_err();
        assert!(matches!(refused, AdoptError::Otherwise { .. } | AdoptError::Exists { .. }), "{refused}");
    }
}

#[tokio::test]
async fn others_work_meanwhile() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut instance = instance(&file).await;
    run(
        &mut instance,
        "WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
         INSERT INTO tags (name) SELECT 'tag ' || n FROM n",
    )
    .await;
    instance.close().await.unwrap();
    let busy = within(deployment.scope(GLOBEX), async {
        for n in 0..40 {
            let text = format!("INSERT INTO tags (name) VALUES ('mine {n}') RETURNING id");
            assert_eq!(rows(&deployment.pool, &text).await, [[format!("integer {}", n + 1)]]);
        }
    });
    let (adopted, ()) = tokio::join!(deployment.adopt_with(ACME, &file, 100), busy);
    assert!(adopted.unwrap().tables.iter().any(|table| table.name == "tags" && table.rows == 3002));
}

#[tokio::test]
async fn a_source_with_a_write_ahead_log_is_read_whole_and_left_alone() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    // As an instance that is running has it: the last rows are in the log.
    let mut running = instance(&file).await;
    run(
        &mut running,
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; INSERT INTO tags (name) VALUES ('late')",
    )
    .await;
    let log = deployment.file("acme-wal");
    let before = (fs::read(&file).unwrap(), fs::read(&log).unwrap());
    deployment.adopt(ACME, &file).await.unwrap();
    assert!((fs::read(&file).unwrap(), fs::read(&log).unwrap()) == before);
    let tags = "SELECT name FROM tags ORDER BY id";
    within(deployment.scope(ACME), async {
        assert_eq!(rows(&deployment.pool, tags).await, rows(&mut running, tags).await);
    })
    .await;
    // Closed, the log is gone; reading makes no new one.
    running.close().await.unwrap();
    assert!(!log.exists());
    deployment.adopt(GLOBEX, &file).await.unwrap();
    assert!(!log.exists() && !deployment.file("acme-shm").exists());
}

#[tokio::test]
async fn a_running_instance_that_writes_is_noticed() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut running = instance(&file).await;
    let mut how = AdoptOptions::default();
    how.batch_rows = 1;
    let mut left = true;
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let how = how.on_progress(|progress| {
        if std::mem::take(&mut left) {
            told.send(progress.table.to_owned()).unwrap();
        }
        ControlFlow::Continue(())
    });
    let (options, tenant) = (deployment.options(), tenant(ACME));
    let adopting = adopt(&options, &tenant, &file, how);
    let writing = async {
        heard.recv().await.unwrap();
        run(&mut running, "INSERT INTO tags (name) VALUES ('meanwhile')").await;
    };
    let (adopted, ()) = tokio::join!(adopting, writing);
    let refused = adopted.unwrap_err();
    assert!(matches!(&refused, AdoptError::Changed(_)), "{refused}");
    let refused = within(deployment.scope(ACME), sqlx::query("SELECT * FROM tags").fetch_all(&deployment.pool)).await;
    assert!(refused.unwrap_err().to_string().contains("acme are incomplete"), "nothing of it can be served");
    assert!(!deployment.adopt(ACME, &file).await.unwrap().resumed, "it begins anew");
}
