//! Rows as they come, and whose they are.

use futures_util::{StreamExt, TryStreamExt};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement, StreamTrait,
};
use tenantry_resource::{within, within_sync};
use tenantry_seaorm::scope_error;
use tenantry_sqlx::ScopeError;

use crate::{
    entity::{post, tag, user},
    same::{Log, same},
    world::{ACME, Connection, GLOBEX, World, a_tag},
};

same!(streamed);

async fn streamed(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let posts = post::Entity::find().order_by_asc(post::Column::Id).stream(db).await.unwrap();
    log.add("posts", posts.try_collect::<Vec<_>>().await);
    let both = post::Entity::find().find_also_related(user::Entity).filter(user::Column::Id.eq(2));
    let both = both.order_by_asc(post::Column::Id);
    log.add("both", both.stream(db).await.unwrap().try_collect::<Vec<_>>().await);
    {
        let mut first = post::Entity::find().order_by_desc(post::Column::Id).stream(db).await.unwrap();
        log.add("first", first.next().await);
        // The others are not asked for.
    }
    let backend = ConnectionTrait::get_database_backend(db);
    let raw = Statement::from_string(backend, "DELETE FROM post WHERE id > 3 RETURNING id");
    let ids = db.stream_raw(raw).await.unwrap();
    log.add("deleted", ids.map_ok(|row| row.try_get_by_index::<i32>(0).unwrap()).try_collect::<Vec<_>>().await);
    let broken = Statement::from_string(backend, "SELECT abs(-9223372036854775808)");
    let broken: Vec<_> = db.stream_raw(broken).await.unwrap().collect().await;
    log.add("broken", broken.iter().map(|row| row.as_ref().map(drop).map_err(ToString::to_string)).collect::<Vec<_>>());
    log
}

#[tokio::test]
async fn a_stream_keeps_its_scope_whoever_polls_it() {
    let world = World::new().await;
    for name in ["cyan", "pink"] {
        within(world.scope(ACME), a_tag(name).insert(&world.db)).await.unwrap();
    }
    let of_acme = within(world.scope(ACME), tag::Entity::find().all(&world.db)).await.unwrap();
    assert_eq!(of_acme.len(), 5);

    let begun = within(world.scope(ACME), tag::Entity::find().stream(&world.db)).await.unwrap();
    let polled = within(world.scope(GLOBEX), begun.try_collect::<Vec<_>>()).await.unwrap();
    assert_eq!(polled, of_acme, "in the scope of another tenant");
    let begun = within(world.scope(ACME), tag::Entity::find().stream(&world.db)).await.unwrap();
    assert_eq!(begun.try_collect::<Vec<_>>().await.unwrap(), of_acme, "in no scope");

    let mut begun = within(world.scope(ACME), tag::Entity::find().stream(&world.db)).await.unwrap();
    let first = within(world.scope(ACME), begun.next()).await.unwrap().unwrap();
    let rest = within(world.scope(GLOBEX), begun.try_collect::<Vec<_>>()).await.unwrap();
    assert_eq!([vec![first], rest].concat(), of_acme, "from its second row on");

    let select = "SELECT count(*) FROM tag";
    let select = Statement::from_string(ConnectionTrait::get_database_backend(&world.db), select);
    let asked = within_sync(world.scope(ACME), || world.db.stream_raw(select));
    let rows: Vec<_> = within(world.scope(GLOBEX), async { asked.await.unwrap().try_collect().await.unwrap() }).await;
    assert_eq!(rows[0].try_get_by_index::<i32>(0), Ok(5), "waited for in the scope of another tenant");
}

#[tokio::test]
async fn without_a_scope_there_is_no_stream() {
    let world = World::new().await;
    let error = tag::Entity::find().stream(&world.db).await.map(drop).unwrap_err();
    assert!(matches!(scope_error(&error), Some(ScopeError::NoScope(_))), "{error}");
    world.suspend(ACME);
    let scope = within(world.scope(GLOBEX), async { tenantry_resource::current().unwrap() }).await;
    world.suspend(GLOBEX);
    let error = within(scope, tag::Entity::find().stream(&world.db)).await.map(drop).unwrap_err();
    assert!(matches!(scope_error(&error), Some(ScopeError::NotAdmitted(_))), "{error}");
}
