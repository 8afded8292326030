//! First requests and migrations that are dropped.

use sqlx::Sqlite;
use tenantry_resource::within;
use tenantry_sql::Code;
use tenantry_sqlx::{ScopeError, ScopedPool};

use super::{ACME, GLOBEX, dropped_after, insert, is_clean, narrow_deployment, raw};
use crate::scoped::{Deployment, NOTES, migrator};

#[tokio::test]
async fn a_tenant_whose_first_request_is_dropped_can_come_again() {
    for polls in 1..25 {
        let deployment = narrow_deployment().await;
        let mut next = 1;
        within(deployment.scope(ACME), dropped_after(polls, insert(&deployment.pool, "first"))).await;
        // The lock is let go without anybody's help.
        let mut raw = raw(&deployment).await;
        sqlx::raw_sql("BEGIN IMMEDIATE; COMMIT").execute(&mut raw).await.unwrap();
        is_clean(&deployment, GLOBEX, &mut next).await;
        within(deployment.scope(ACME), insert(&deployment.pool, "second")).await.unwrap();
        let tags = "SELECT name FROM tags ORDER BY rowid";
        let tags: Vec<String> = within(deployment.scope(ACME), async {
            sqlx::query_scalar(tags).fetch_all(&deployment.pool).await.unwrap()
        })
        .await;
        assert_eq!(tags, ["first", "second"], "what every tenant begins with, once");
        // Triggers are on again.
        within(deployment.scope(ACME), async {
            sqlx::query("UPDATE notes SET title = 'z'").execute(&deployment.pool).await.unwrap();
            let touched: i64 =
                sqlx::query_scalar("SELECT min(touched) FROM notes").fetch_one(&deployment.pool).await.unwrap();
            assert_eq!(touched, 1);
        })
        .await;
    }
}

pub(super) const MORE: &str = "
    CREATE TABLE more (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO more (name) SELECT name FROM tags;
    UPDATE tags SET name = upper(name);
    ALTER TABLE notes ADD COLUMN more INTEGER;
    CREATE INDEX by_more ON notes (more);
    DROP VIEW titled;
";

async fn has_more(deployment: &Deployment, pool: &ScopedPool<Sqlite>, tenant: i64) -> bool {
    within(deployment.scope(tenant), async {
        let tags: Vec<String> =
            sqlx::query_scalar("SELECT name FROM tags ORDER BY rowid").fetch_all(pool).await.unwrap();
        let more = sqlx::query_scalar::<_, String>("SELECT name FROM more ORDER BY id").fetch_all(pool).await;
        let column = sqlx::query("SELECT more FROM notes").fetch_all(pool).await.is_ok();
        let view = sqlx::query("SELECT * FROM titled").fetch_all(pool).await.is_ok();
        match more {
            Ok(more) => {
                assert_eq!(more, ["first", "second"]);
                assert_eq!(tags, ["FIRST", "SECOND"]);
                assert!(column && !view);
                true
            }
            Err(error) => {
                assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(Code::Relation), "{error}");
                assert_eq!(tags, ["first", "second"]);
                assert!(!column && view);
                false
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_migration_that_is_dropped_at_any_await_is_undone_whole() {
    let (mut polls, mut dropped) = (1, 0);
    loop {
        let deployment = Deployment::new();
        deployment.migrate(&[NOTES]).await.unwrap();
        for tenant in [ACME, GLOBEX] {
            is_clean(&deployment, tenant, &mut 1).await;
        }
        let migrated = dropped_after(polls, deployment.migrate(&[NOTES, MORE])).await;
        // Everybody can write at once.
        let mut raw = raw(&deployment).await;
        sqlx::raw_sql("BEGIN IMMEDIATE; COMMIT").execute(&mut raw).await.unwrap();
        let fresh = deployment.another(|_| {});
        let (one, two) = (has_more(&deployment, &fresh, ACME).await, has_more(&deployment, &fresh, GLOBEX).await);
        assert_eq!(one, two);
        within(deployment.scope(ACME), insert(&deployment.pool, "goes on")).await.unwrap();
        deployment.migrate(&[NOTES, MORE]).await.unwrap();
        assert!(has_more(&deployment, &deployment.pool, ACME).await);
        within(deployment.scope(ACME), async {
            let orphan = "INSERT INTO notes (title, user_id) VALUES ('orphan', 7)";
            let error = sqlx::query(orphan).execute(&deployment.pool).await.unwrap_err();
            assert!(error.as_database_error().unwrap().is_foreign_key_violation());
        })
        .await;
        if migrated.is_some() {
            break;
        }
        dropped += 1;
        // One await after the other first, then in strides.
        polls += 1 + polls / 8;
    }
    assert!(dropped > 0, "{dropped}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_migrate_at_once() {
    let deployment = Deployment::new();
    let others: Vec<_> = (0..3).map(|_| deployment.another(|_| {})).collect();
    for scripts in [&[NOTES][..], &[NOTES, MORE]] {
        let migrations = migrator(scripts);
        let runs = others.iter().map(|pool| pool.migrate(&migrations));
        for run in futures_util::future::join_all(runs).await {
            run.unwrap();
        }
        for pool in &others {
            assert_eq!(has_more(&deployment, pool, ACME).await, scripts.len() == 2);
        }
    }
}

#[tokio::test]
async fn who_comes_first_after_another_process_has_migrated_gets_all_first_rows() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    let other = deployment.another(|_| {});
    assert!(!has_more(&deployment, &other, ACME).await);
    deployment.migrate(&[NOTES, MORE]).await.unwrap();
    assert!(has_more(&deployment, &other, GLOBEX).await);
    assert!(has_more(&deployment, &other, ACME).await);
}
