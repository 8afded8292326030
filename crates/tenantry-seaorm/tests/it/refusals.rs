//! What is refused, and how an application sees it.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Statement, StreamTrait, TransactionTrait};
use tenantry_resource::within;
use tenantry_seaorm::{ScopedDatabase, scope_error};
use tenantry_sql::Code;
use tenantry_sqlx::ScopeError;

use crate::{
    entity::tag,
    world::{ACME, World, a_tag},
};

/// A statement, in each of the ways that it can be run.
async fn every_way(db: &ScopedDatabase, text: &str) -> Vec<DbErr> {
    let statement = || Statement::from_string(ConnectionTrait::get_database_backend(db), text);
    let mut errors = vec![
        db.execute_raw(statement()).await.unwrap_err(),
        db.query_one_raw(statement()).await.map(drop).unwrap_err(),
        db.query_all_raw(statement()).await.map(drop).unwrap_err(),
        db.execute_unprepared(text).await.unwrap_err(),
        first(db.stream_raw(statement()).await).await,
    ];
    if let Ok(transaction) = db.begin().await {
        errors.extend([
            transaction.execute_raw(statement()).await.unwrap_err(),
            transaction.query_one_raw(statement()).await.map(drop).unwrap_err(),
            transaction.query_all_raw(statement()).await.map(drop).unwrap_err(),
            transaction.execute_unprepared(text).await.unwrap_err(),
            first(transaction.stream_raw(statement()).await).await,
        ]);
    }
    errors
}

async fn first(stream: Result<tenantry_seaorm::ScopedStream<'_>, DbErr>) -> DbErr {
    use futures_util::TryStreamExt;
    match stream {
        Ok(mut stream) => stream.try_next().await.map(drop).unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_is_not_known_to_stay_with_the_tenant_is_refused_in_every_way() {
    let world = World::new().await;
    let before = world.others(0).await;
    within(world.scope(ACME), async {
        for (text, code) in [
            ("PRAGMA writable_schema = ON", Code::Setting),
            ("SELECT _tenant FROM tag", Code::Reserved),
            ("UPDATE tag SET _tenant = 2", Code::Reserved),
            ("SELECT * FROM nowhere", Code::Relation),
            ("SELECT * FROM _tenantry_master", Code::Reserved),
        ] {
            let errors = every_way(&world.db, text).await;
            assert_eq!(errors.len(), 10);
            for error in errors {
                assert_eq!(scope_error(&error).and_then(ScopeError::code), Some(code), "{text}: {error}");
                assert!(error.sql_err().is_none());
                assert!(error.to_string().contains(code.as_str()), "{error}");
            }
        }
        for text in [
            "ATTACH DATABASE 'other.db' AS other",
            "CREATE TABLE more (id)",
            "DROP TABLE tag",
            "ALTER TABLE tag ADD COLUMN more",
            "SELECT load_extension('x')",
            "VACUUM INTO 'copy.db'",
            "SELECT 'unfinished",
        ] {
            for error in every_way(&world.db, text).await {
                assert!(scope_error(&error).is_some_and(|error| error.code().is_some()), "{text}: {error}");
            }
        }
    })
    .await;
    assert_eq!(world.others(0).await, before);
}

#[tokio::test]
async fn without_a_scope_nothing_runs() {
    let world = World::new().await;
    let mut errors = every_way(&world.db, "DELETE FROM tag").await;
    assert_eq!(errors.len(), 5, "no transaction begins");
    errors.extend([
        tag::Entity::find().all(&world.db).await.unwrap_err(),
        a_tag("x").insert(&world.db).await.unwrap_err(),
        world.db.begin().await.map(drop).unwrap_err(),
        world.db.execute_unprepared("DELETE FROM tag; DELETE FROM post").await.unwrap_err(),
        world.db.execute_unprepared("").await.unwrap_err(),
    ]);
    for error in errors {
        assert!(matches!(scope_error(&error), Some(ScopeError::NoScope(_))), "{error}");
        assert!(matches!(error, DbErr::Conn(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_suspended_tenant_is_refused() {
    let world = World::new().await;
    let scope = world.scope(ACME);
    world.suspend(ACME);
    within(scope, async {
        for error in every_way(&world.db, "SELECT * FROM tag").await {
            assert!(matches!(scope_error(&error), Some(ScopeError::NotAdmitted(_))), "{error}");
            assert!(matches!(error, DbErr::Conn(_)), "{error:?}");
            assert!(!error.to_string().contains("globex"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn values_and_parameters_must_be_as_many() {
    let world = World::new().await;
    within(world.scope(ACME), async {
        let backend = ConnectionTrait::get_database_backend(&world.db);
        for values in [vec![], vec![1.into(), 2.into()]] {
            let statement = Statement::from_sql_and_values(backend, "SELECT * FROM tag WHERE id = ?", values);
            let error = world.db.query_all_raw(statement).await.map(drop).unwrap_err();
            assert!(matches!(scope_error(&error), Some(ScopeError::Arguments { parameters: 1, .. })), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_transaction_is_not_begun_by_text_and_left_open() {
    let world = World::new().await;
    within(world.scope(ACME), async {
        let error = world.db.execute_unprepared("BEGIN").await.unwrap_err();
        assert!(matches!(scope_error(&error), Some(ScopeError::TransactionOnPool)), "{error}");
        // As a script, which has a connection to itself.
        world.db.execute_unprepared("BEGIN; DELETE FROM post_tag; COMMIT").await.unwrap();
        world.db.execute_unprepared("BEGIN; DELETE FROM tag").await.unwrap();
        assert_eq!(tag::Entity::find().all(&world.db).await.unwrap().len(), 3, "nobody has committed it");
    })
    .await;
}
