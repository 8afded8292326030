//! Errors are those of SeaORM's own driver.

use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ConnAcquireErr, ConnectionTrait, DbErr, EntityTrait, SqlErr, TransactionError, TransactionTrait,
};
use tenantry_resource::within;
use tenantry_seaorm::scope_error;

use crate::{
    entity::{post_tag, tag},
    same::{Log, same, told},
    world::{ACME, Connection, World, a_post, a_tag, a_user},
};

same!(violations);

async fn violations(db: &impl Connection) -> Log {
    let mut log = Log::default();
    log.add("unique", told(a_user("ada@example.com").insert(db).await));
    log.add("unique", told(tag::Entity::insert(a_tag("red")).exec_without_returning(db).await));
    log.add("foreign", told(a_post(99, "nobody's").insert(db).await));
    log.add("foreign", told(tag::Entity::delete_by_id(1).exec(db).await.map(|done| done.rows_affected)));
    log.add("primary", told(db.execute_unprepared("INSERT INTO tag (id, name) VALUES (1, 'x')").await).map(drop));
    log.add("not null", told(db.execute_unprepared("INSERT INTO tag (name) VALUES (NULL)").await).map(drop));
    // SQLite's code for a primary key that is no row id is another one than for a unique key, which it is on shared tables.
    let two_columns = db.execute_unprepared("INSERT INTO post_tag VALUES (1, 1)").await.map(drop).unwrap_err();
    log.add("two columns", two_columns.sql_err());
    log.add("datatype", told(db.execute_unprepared("INSERT INTO tag VALUES ('x', 'x')").await).map(drop));
    log.add("syntax is ours", db.execute_unprepared("SELEC").await.is_err());
    log.add("pairs", post_tag::Entity::find().all(db).await);
    log
}

#[tokio::test]
async fn violations_are_told_as_such() {
    let world = World::new().await;
    within(world.scope(ACME), async {
        let unique = a_user("ada@example.com").insert(&world.db).await.unwrap_err();
        let said = "UNIQUE constraint failed: user.email".to_owned();
        assert_eq!(unique.sql_err(), Some(SqlErr::UniqueConstraintViolation(said)));
        assert!(scope_error(&unique).is_none());
        let foreign = a_post(99, "nobody's").insert(&world.db).await.unwrap_err();
        assert!(matches!(foreign.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))), "{foreign}");
        let within = world.db.transaction::<_, (), DbErr>(|transaction| {
            Box::pin(async move { a_tag("red").insert(transaction).await.map(drop) })
        });
        let Err(TransactionError::Transaction(error)) = within.await else { panic!("the name is taken") };
        assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error}");
    })
    .await;
}

#[tokio::test]
async fn no_connection_in_time_is_said_as_such() {
    let world = World::empty(|options| {
        options.connections_max = 1;
        options.acquire_timeout = Duration::from_millis(50);
    })
    .await;
    within(world.scope(ACME), async {
        let held = world.db.begin().await.unwrap();
        for error in [
            tag::Entity::find().all(&world.db).await.map(drop).unwrap_err(),
            tag::Entity::find().stream(&world.db).await.map(drop).unwrap_err(),
            world.db.execute_unprepared("DELETE FROM tag").await.map(drop).unwrap_err(),
            world.db.begin().await.map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)), "{error:?}");
        }
        held.commit().await.unwrap();
        tag::Entity::find().all(&world.db).await.unwrap();
    })
    .await;
}
