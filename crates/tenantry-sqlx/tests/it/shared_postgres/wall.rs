//! Row-level security, which the server is asked about, and other processes.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor};
use tenantry_sqlx::ScopeError;

use super::{Deployment, NOTES};
use crate::scoped::migrator;

/// Waits until a statement is refused, or is no longer, since the wall is broken or whole.
async fn until(deployment: &Deployment, broken: bool) {
    for _ in 0..200 {
        let read = sqlx::query("SELECT * FROM tags").fetch_all(&deployment.pool);
        let refused = match deployment.as_tenant(1, read).await {
            Ok(_) => false,
            Err(error) => matches!(ScopeError::of(&error), Some(ScopeError::SecondWall(_))),
        };
        if refused == broken {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("broken: {broken}");
}

#[tokio::test]
async fn nothing_runs_while_the_second_wall_is_broken() {
    let deployment = Deployment::with(|options| options.walls_check = Duration::from_millis(50)).await;
    until(&deployment, false).await;
    let mut admin = deployment.admin().await;
    let role = deployment.role();
    for (breaks, mends) in [
        (
            "ALTER TABLE tenantry_shared.notes NO FORCE ROW LEVEL SECURITY".to_owned(),
            "ALTER TABLE tenantry_shared.notes FORCE ROW LEVEL SECURITY".to_owned(),
        ),
        (format!("ALTER ROLE {role} BYPASSRLS"), format!("ALTER ROLE {role} NOBYPASSRLS")),
        (
            format!("GRANT TRUNCATE ON tenantry_shared.notes TO {role}"),
            format!("REVOKE TRUNCATE ON tenantry_shared.notes FROM {role}"),
        ),
        (
            "CREATE UNIQUE INDEX broken ON tenantry_shared.users (email)".to_owned(),
            "DROP INDEX tenantry_shared.broken".to_owned(),
        ),
    ] {
        admin.execute(AssertSqlSafe(breaks)).await.unwrap();
        until(&deployment, true).await;
        admin.execute(AssertSqlSafe(mends)).await.unwrap();
        until(&deployment, false).await;
    }
}

#[tokio::test]
async fn a_pool_begins_with_the_question_whether_the_wall_is_whole() {
    let deployment = Deployment::new().await;
    let mut admin = deployment.admin().await;
    admin.execute(AssertSqlSafe(format!("ALTER ROLE {} BYPASSRLS", deployment.role()))).await.unwrap();
    let pool = deployment.another(|_| {});
    let error = deployment.as_tenant(1, sqlx::query("SELECT 1").execute(&pool)).await.unwrap_err();
    assert!(error.to_string().contains("row-level security") || error.to_string().contains("exempt"), "{error}");
}

#[tokio::test]
async fn another_process_migrates() {
    let deployment = Deployment::new().await;
    let pool = deployment.another(|_| {});
    deployment.as_tenant(1, sqlx::query("SELECT * FROM tags").fetch_all(&pool)).await.unwrap();
    let more = "CREATE TABLE more (id bigint PRIMARY KEY); INSERT INTO more VALUES (7); ALTER TABLE tags ADD COLUMN n int DEFAULT 3";
    deployment.pool.migrate(&migrator(&[NOTES, more])).await.unwrap();
    // A table that is not known is looked for at once; what has changed is seen within a moment.
    let seeds: i64 = deployment.as_tenant(1, sqlx::query_scalar("SELECT id FROM more").fetch_one(&pool)).await.unwrap();
    assert_eq!(seeds, 7);
    let sum: i64 =
        deployment.as_tenant(2, sqlx::query_scalar("SELECT sum(n) FROM tags").fetch_one(&pool)).await.unwrap();
    assert_eq!(sum, 6);
}
