//! Whatever ends an adoption, nothing of it is visible, and the next one goes on.

use std::ops::ControlFlow;

use tenantry_resource::within;

use super::*;
use crate::bad_luck::dropped_after;

/// How many of its tags the tenant sees, in a process that has not seen it before.
async fn visible(deployment: &Deployment) -> Result<usize, String> {
    let pool = deployment.another(|_| {});
    let query = sqlx::query("SELECT * FROM tags").fetch_all(&pool);
    within(deployment.scope(ACME), query).await.map(|rows| rows.len()).map_err(|error| error.to_string())
}

async fn is_whole(deployment: &Deployment) {
    let mut instance = instance(&deployment.file("acme")).await;
    within(deployment.scope(ACME), async {
        for statement in NOTES_TABLES {
            assert_eq!(rows(&deployment.pool, statement).await, rows(&mut instance, statement).await, "{statement}");
        }
        let next = "INSERT INTO notes (user_id, title) VALUES (1, 'next') RETURNING id";
        assert_eq!(rows(&deployment.pool, next).await, [["integer 4"]]);
    })
    .await;
}

#[tokio::test]
async fn stopped_after_each_batch_it_is_resumed() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut calls = 0;
    loop {
        let mut how = AdoptOptions::default().on_progress(|_| ControlFlow::Break(()));
        how.batch_rows = 1;
        match adopt(&deployment.options(), &tenant(ACME), &file, how).await {
            Err(AdoptError::Stopped(_)) => calls += 1,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("there is always one more batch to be stopped after"),
        }
        assert!(visible(&deployment).await.unwrap_err().contains("acme are incomplete"));
        // Each batch of one row is followed by one that finds no more, after which the table is done.
        if calls == 30 {
            break;
        }
    }
    assert!(deployment.adopt(ACME, &file).await.unwrap().resumed);
    is_whole(&deployment).await;
}

#[tokio::test]
async fn dropped_at_any_point_it_is_resumed() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut polls = 1;
    loop {
        let Some(done) = dropped_after(polls, deployment.adopt(ACME, &file)).await else {
            polls += 3;
            continue;
        };
        // It may have ended already, but for the answer.
        done.unwrap();
        break;
    }
    assert!(polls > 1, "it was never dropped");
    is_whole(&deployment).await;
}

#[tokio::test]
async fn each_point_is_survived_by_itself() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut raw = raw(&deployment).await;
    for polls in (1..).step_by(7) {
        let done = dropped_after(polls, deployment.adopt(ACME, &file)).await;
        if let Some(done) = done {
            done.unwrap();
            break;
        }
        // What it had asked the database for last is done before this is.
        run(&mut raw, "BEGIN IMMEDIATE; COMMIT").await;
        let seen = visible(&deployment).await;
        let adopted = deployment.adopt(ACME, &file).await.unwrap();
        match seen {
            // It had not begun, and the tenant was made as any other.
            Ok(0) => assert!(!adopted.already && !adopted.resumed),
            // It had ended, but for the answer.
            Ok(seen) => assert!(seen == 2 && adopted.already),
            Err(refused) => assert!(refused.contains("acme are incomplete") && adopted.resumed, "{refused}"),
        }
        // As if nothing had been.
        let tables = ["users", "notes", "tags", "note_tags", "comments", "settings", "_tenantry_sequence"];
        run(&mut raw, "PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF").await;
        for table in tables {
            run(&mut raw, &format!("DELETE FROM \"{table}\" WHERE _tenant = 1")).await;
        }
        run(&mut raw, "DELETE FROM _tenantry_tenants; DELETE FROM _tenantry_adoptions").await;
    }
}

#[tokio::test]
async fn rows_that_change_on_the_way_are_noticed() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let stop_after = |table: &'static str| {
        let mut how = AdoptOptions::default();
        how.batch_rows = 100;
        how.on_progress(move |progress| match progress.table == table {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    };
    let stopped = adopt(&deployment.options(), &tenant(ACME), &file, stop_after("tags")).await.unwrap_err();
    assert!(matches!(stopped, AdoptError::Stopped(_)), "{stopped}");
    let mut raw = raw(&deployment).await;
    run(&mut raw, "UPDATE tags SET name = 'Red' WHERE _tenant = 1 AND id = 1").await;
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    let AdoptError::Mismatch { table, keys, .. } = &refused else { panic!("{refused}") };
    assert_eq!(
        (table.as_str(), keys),
        ("tags", &vec!["row 1 of the source".to_owned(), "row 1 of the shared table".to_owned()])
    );
    assert!(visible(&deployment).await.unwrap_err().contains("acme are incomplete"));
    assert!(!deployment.adopt(ACME, &file).await.unwrap().resumed, "it begins anew");
    is_whole(&deployment).await;
}

#[tokio::test]
async fn a_changed_source_begins_anew() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut how = AdoptOptions::default().on_progress(|progress| match progress.table {
        "tags" => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    how.batch_rows = 1;
    adopt(&deployment.options(), &tenant(ACME), &file, how).await.unwrap_err();
    run(&mut instance(&file).await, "UPDATE users SET name = 'Changed' WHERE id = 1; DELETE FROM comments").await;
    assert!(!deployment.adopt(ACME, &file).await.unwrap().resumed);
    is_whole(&deployment).await;
}

#[tokio::test]
async fn a_migration_takes_back_what_is_half_done() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let mut how = AdoptOptions::default().on_progress(|progress| match progress.table {
        "note_tags" => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    how.batch_rows = 1;
    adopt(&deployment.options(), &tenant(ACME), &file, how).await.unwrap_err();
    let mut migrations: Vec<_> = NOTES.migrations.to_vec();
    let mut next = migrations.last().unwrap().clone();
    next.version += 1;
    next.sql = sqlx::SqlSafeStr::into_sql_str("ALTER TABLE tags ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'");
    migrations.push(next);
    let migrator = Migrator::with_migrations(migrations);
    deployment.pool.migrate(&migrator).await.unwrap();
    assert!(of_tenant(&deployment, ACME).await.iter().all(Vec::is_empty));
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    let AdoptError::Schema(differences) = &refused else { panic!("{refused}") };
    assert_eq!(differences.len(), 2, "{differences:?}");
    migrator.run(&mut instance(&file).await).await.unwrap();
    deployment.adopt(ACME, &file).await.unwrap();
    is_whole(&deployment).await;
}
