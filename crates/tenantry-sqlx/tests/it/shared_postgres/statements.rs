//! What an application sees.

use futures_util::TryStreamExt;
use sqlx::{Postgres, Row};
use tenantry_core::{Change, Status};
use tenantry_resource::within;
use tenantry_sql::Code;
use tenantry_sqlx::{ScopeError, ScopedPool};

use super::Deployment;

#[tokio::test]
async fn tenants_share_tables_and_cannot_tell() {
    let deployment = Deployment::new().await;
    for id in [1, 2, 3] {
        deployment.as_tenant(id, use_notes(&deployment.pool)).await;
    }
    let mut admin = deployment.admin().await;
    let text = "SELECT count(*) FROM tenantry_shared.users WHERE _tenant IN (1, 2)";
    let users: i64 = sqlx::query_scalar(text).fetch_one(&mut admin).await.unwrap();
    assert_eq!(users, 4, "initech has its own database");
}

async fn use_notes(pool: &ScopedPool<Postgres>) {
    let tags: Vec<String> = sqlx::query_scalar("SELECT name FROM tags ORDER BY name").fetch_all(pool).await.unwrap();
    assert_eq!(tags, ["first", "second"]);
    let insert = "INSERT INTO users (email) VALUES ($1), ($2) RETURNING id";
    let ids: Vec<i64> =
        sqlx::query_scalar(insert).bind("a@x.example").bind("b@x.example").fetch_all(pool).await.unwrap();
    assert_eq!(ids.len(), 2);

    let mut transaction = pool.begin().await.unwrap();
    let insert = "INSERT INTO notes (title, user_id) VALUES ($2, $1) RETURNING *";
    let note = sqlx::query(insert).bind(ids[1]).bind("hello").fetch_one(&mut *transaction).await.unwrap();
    assert_eq!(note.columns().len(), 4);
    let (note, user, stars): (i64, i64, i32) = (note.get("id"), note.get("user_id"), note.get("stars"));
    assert_eq!((user, stars), (ids[1], 0));
    let mut savepoint = transaction.begin().await.unwrap();
    sqlx::query("DELETE FROM notes").execute(&mut *savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    let update = "UPDATE notes SET title = 'changed', stars = stars + 1 WHERE id = $1";
    let updated = sqlx::query(update).bind(note).execute(&mut *transaction).await.unwrap();
    assert_eq!(updated.rows_affected(), 1);
    transaction.commit().await.unwrap();

    let titled = "SELECT * FROM titled WHERE id IN (SELECT max(id) FROM notes)";
    let row = sqlx::query(titled).fetch_one(pool).await.unwrap();
    assert_eq!((row.get::<&str, _>("title"), row.get::<&str, _>("email")), ("changed", "b@x.example"));

    let twice = sqlx::query("INSERT INTO users (email) VALUES ('a@x.example')").execute(pool).await.unwrap_err();
    let twice = twice.as_database_error().unwrap();
    let said = "duplicate key value violates unique constraint \"users_email_key\"";
    assert_eq!((twice.message(), twice.constraint(), twice.table()), (said, Some("users_email_key"), Some("users")));
    assert!(twice.is_unique_violation());

    let upsert = "INSERT INTO users (email) VALUES ('a@x.example') ON CONFLICT (email) DO UPDATE SET email = 'c@x.example' \
                  RETURNING id";
    let upserted: i64 = sqlx::query_scalar(upsert).fetch_one(pool).await.unwrap();
    assert_eq!(upserted, ids[0]);

    sqlx::query("DELETE FROM users WHERE id = $1").bind(ids[1]).execute(pool).await.unwrap();
    let orphans = "SELECT count(*) FROM notes WHERE user_id IS NULL";
    let orphans: i64 = sqlx::query_scalar(orphans).fetch_one(pool).await.unwrap();
    assert_eq!(orphans, 1, "ON DELETE SET NULL");
    let missing =
        sqlx::query("INSERT INTO notes (title, user_id) VALUES ('x', 99999999)").execute(pool).await.unwrap_err();
    assert!(missing.as_database_error().unwrap().is_foreign_key_violation(), "{missing}");
    let streamed: Vec<_> = sqlx::query("SELECT id FROM notes ORDER BY id").fetch(pool).try_collect().await.unwrap();
    assert_eq!(streamed.len(), 1);
    sqlx::query("INSERT INTO users (email) VALUES ('d@x.example')").execute(pool).await.unwrap();
}

#[tokio::test]
async fn errors_and_texts_say_nothing_of_the_sharing() {
    let deployment = Deployment::new().await;
    let work = async {
        let pool = &deployment.pool;
        for text in [
            "INSERT INTO users (id, email) VALUES (1, 'a'), (1, 'b')",
            "INSERT INTO users (email) VALUES ('a'), ('a')",
            "INSERT INTO users (email) VALUES (NULL)",
            "INSERT INTO notes (title) VALUES ('')",
            "INSERT INTO notes (title, user_id) VALUES ('a', 77)",
            "INSERT INTO users (email) VALUES ('a') ON CONFLICT (id, email) DO NOTHING",
            "SELECT nothing FROM users",
            "SELECT email + 1 FROM users",
            "SELECT 1 / 0 FROM tags",
            "SELECT 'x'::bigint FROM tags",
        ] {
            let error = sqlx::query(text).execute(pool).await.expect_err(text);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("tenant"), "{text}: {shown}");
        }
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn without_a_scope_nothing_runs() {
    let deployment = Deployment::new().await;
    let error = sqlx::query("SELECT * FROM notes").fetch_all(&deployment.pool).await.unwrap_err();
    assert!(matches!(ScopeError::of(&error), Some(ScopeError::NoScope(_))), "{error}");
    assert!(deployment.pool.begin().await.is_err());
}

#[tokio::test]
async fn a_suspended_tenant_gets_no_connection_any_more() {
    let deployment = Deployment::new().await;
    let scope = deployment.scope(1);
    let mut tenant = scope.tenant().clone();
    tenant.status = Status::Suspended;
    deployment.mirror.apply(Change::Upserted(tenant));
    let error = within(scope, async { sqlx::query("SELECT 1").execute(&deployment.pool).await.unwrap_err() }).await;
    assert!(matches!(ScopeError::of(&error), Some(ScopeError::NotAdmitted(_))), "{error}");
}

#[tokio::test]
async fn a_lease_is_not_for_another_tenant() {
    let deployment = Deployment::new().await;
    let mut of_acme = deployment.as_tenant(1, async { deployment.pool.acquire().await.unwrap() }).await;
    let used = deployment.as_tenant(2, async { sqlx::query("SELECT 1").execute(&mut of_acme).await }).await;
    assert!(matches!(ScopeError::of(&used.unwrap_err()), Some(ScopeError::OtherScope { .. })));
    // The lease is the proof where no scope is current.
    assert!(sqlx::query("SELECT 1 FROM notes").execute(&mut of_acme).await.is_ok());
}

#[tokio::test]
async fn what_is_refused_says_so_to_the_application() {
    let deployment = Deployment::new().await;
    let work = async {
        let pool = &deployment.pool;
        for (text, code) in [
            ("SELECT _tenant FROM notes", Code::Reserved),
            ("SELECT * FROM nowhere", Code::Relation),
            ("SELECT * FROM tenantry_shared.notes", Code::Relation),
            ("SELECT * FROM tenantry.meta", Code::Relation),
            ("SET tenantry.tenant = 2", Code::Setting),
            ("SELECT set_config('tenantry.tenant', '2', false)", Code::Setting),
            ("SELECT 1; SELECT 2", Code::Statement),
        ] {
            let error = sqlx::query(text).execute(pool).await.unwrap_err();
            assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(code), "{text}: {error}");
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some(code.as_str()));
        }
        for text in ["BEGIN", "COMMIT", "SAVEPOINT a"] {
            let error = sqlx::query(text).execute(pool).await.unwrap_err();
            assert!(matches!(ScopeError::of(&error), Some(ScopeError::TransactionOnPool)), "{error}");
        }
        let error = sqlx::raw_sql("DELETE FROM notes; DROP TABLE notes").execute(pool).await.unwrap_err();
        assert!(ScopeError::of(&error).is_some(), "{error}");
    };
    deployment.as_tenant(1, work).await;
}

/// Handlers are moved between threads, and so are the futures they wait for.
#[tokio::test]
async fn what_is_waited_for_may_move_between_threads() {
    const fn moves<F: Future + Send>(future: F) -> F {
        future
    }
    let deployment = Deployment::new().await;
    let work = async {
        let pool = &deployment.pool;
        moves(sqlx::query("SELECT 1").fetch_all(pool)).await.unwrap();
        let mut connection = moves(pool.acquire()).await.unwrap();
        moves(sqlx::query("SELECT 1").fetch_all(&mut connection)).await.unwrap();
        let transaction = moves(connection.begin()).await.unwrap();
        moves(transaction.rollback()).await.unwrap();
        let serializable = moves(pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE")).await.unwrap();
        moves(serializable.commit()).await.unwrap();
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn operators_see_what_becomes_of_a_statement_and_how_it_runs() {
    let deployment = Deployment::new().await;
    let text = "SELECT n.title FROM notes n JOIN users u ON u.id = n.user_id WHERE u.email = $1 AND n.stars > $2";
    let plan = deployment.pool.plan(text).await.unwrap();
    assert!(plan.text.contains("FROM \"tenantry_shared\".\"notes\" WHERE"), "{}", plan.text);
    let rows = deployment.pool.explain(text, tenantry_sqlx::Explain::Plan).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let steps = steps.join("\n");
    assert!(steps.contains("users_email_key") && !steps.contains("Seq Scan"), "{steps}");
}
