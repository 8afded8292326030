//! Transactions, those within them, and how they end.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use sea_orm::{
    AccessMode, ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IsolationLevel, PaginatorTrait,
    SqliteTransactionMode, StreamTrait, TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
    sea_query::Query,
};
use tenantry_resource::within;
use tenantry_seaorm::{ScopedDatabase, scope_error};
use tenantry_sqlx::{ScopeError, SqliteOptions};

use crate::{
    entity::tag,
    same::{Log, same, told},
    world::{ACME, Connection, GLOBEX, World, a_tag},
};

same!(nested, closures, options);

async fn nested(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let outer = db.begin().await.unwrap();
    log.add("in the outer one", a_tag("outer").insert(&outer).await);
    let inner = outer.begin().await.unwrap();
    log.add("in the inner one", a_tag("undone").insert(&inner).await);
    let innermost = inner.begin().await.unwrap();
    log.add("in the innermost one", a_tag("undone, too").insert(&innermost).await);
    innermost.commit().await.unwrap();
    log.add("all", tags(&outer).await);
    inner.rollback().await.unwrap();
    let dropped = outer.begin().await.unwrap();
    log.add("in the dropped one", a_tag("dropped").insert(&dropped).await);
    drop(dropped);
    let kept = outer.begin().await.unwrap();
    log.add("in the kept one", a_tag("kept").insert(&kept).await);
    kept.commit().await.unwrap();
    log.add("in the outer one", tags(&outer).await);
    outer.commit().await.unwrap();
    log.add("afterwards", tags(db).await);
    let rolled_back = db.begin().await.unwrap();
    a_tag("rolled back").insert(&rolled_back).await.unwrap();
    rolled_back.rollback().await.unwrap();
    log.add("rolled back", tags(db).await);
    log
}

async fn closures(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let kept = db.transaction::<_, i32, DbErr>(|transaction| {
        Box::pin(async move { a_tag("kept").insert(transaction).await.map(|tag| tag.id) })
    });
    log.add("kept", kept.await);
    let refused = db.transaction::<_, (), String>(|transaction| {
        Box::pin(async move {
            a_tag("undone").insert(transaction).await.unwrap();
            Err("the closure's own error".into())
        })
    });
    log.add("undone", refused.await);
    let nested = db.transaction::<_, (), DbErr>(|transaction| {
        Box::pin(async move {
            a_tag("around").insert(transaction).await?;
            let inner = transaction.transaction::<_, (), DbErr>(|inner| {
                Box::pin(async move {
                    a_tag("inner").insert(inner).await?;
                    Err(DbErr::Custom("inner".into()))
                })
            });
            assert!(matches!(inner.await, Err(TransactionError::Transaction(DbErr::Custom(_)))));
            Ok(())
        })
    });
    log.add("nested", nested.await);
    log.add("tags", tags(db).await);
    log
}

async fn options(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let levels = [None, Some(IsolationLevel::Serializable)];
    let plain = levels.into_iter().zip([Some(AccessMode::ReadOnly), None]).map(|(isolation_level, access_mode)| {
        TransactionOptions { isolation_level, access_mode, ..Default::default() }
    });
    use SqliteTransactionMode::{Deferred, Exclusive, Immediate};
    let of_sqlite = [Deferred, Immediate, Exclusive]
        .map(|mode| TransactionOptions { sqlite_transaction_mode: Some(mode), ..Default::default() });
    for options in plain.chain(of_sqlite) {
        // On PostgreSQL one that is refused within a transaction is the end of that.
        let begun = db.begin_with_options(options).await;
        let Ok(transaction) = begun else {
            log.add("not begun", told(begun.map(drop)));
            continue;
        };
        log.add("inserted", told(a_tag(&format!("{options:?}")).insert(&transaction).await));
        log.add("committed", told(transaction.commit().await));
    }
    let counted = db.transaction_with_config::<_, u64, DbErr>(
        |transaction| Box::pin(async move { tag::Entity::find().count(transaction).await }),
        Some(IsolationLevel::ReadCommitted),
        None,
    );
    log.add("counted", counted.await.map_err(|error| error.to_string()));
    log
}

async fn tags(db: &impl ConnectionTrait) -> Vec<String> {
    tag::Entity::find().all(db).await.unwrap().into_iter().map(|tag| tag.name).collect()
}

/// One connection, and no patience.
async fn narrow() -> World {
    World::empty(|options: &mut SqliteOptions| {
        options.connections_max = 1;
        options.acquire_timeout = Duration::from_millis(1500);
        options.busy_timeout = Duration::from_millis(100);
    })
    .await
}

#[tokio::test]
async fn an_immediate_transaction_holds_the_lock() {
    let world = World::empty(|options| options.busy_timeout = Duration::from_millis(50)).await;
    within(world.scope(ACME), async {
        let mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
        let holding = world.db.begin_with_options(options).await.unwrap();
        let other = world.db.begin_with_options(options).await.unwrap_err();
        assert!(other.to_string().contains("database is locked"), "{other}");
        holding.rollback().await.unwrap();
        world.db.begin_with_options(options).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_committed_around_an_open_one_is_not_kept() {
    let world = narrow().await;
    within(world.scope(ACME), async {
        let outer = world.db.begin().await.unwrap();
        a_tag("outer").insert(&outer).await.unwrap();
        let inner = outer.begin().await.unwrap();
        a_tag("inner").insert(&inner).await.unwrap();
        let error = outer.commit().await.unwrap_err();
        assert!(error.to_string().contains("still open"), "{error}");
        // Nothing runs outside the transaction for which it was meant.
        for error in [
            a_tag("late").insert(&inner).await.unwrap_err(),
            inner.begin().await.map(drop).unwrap_err(),
            inner
                .stream(&Query::select().column(tag::Column::Id).from(tag::Entity).take())
                .await
                .map(drop)
                .unwrap_err(),
            inner.commit().await.unwrap_err(),
        ] {
            assert!(error.to_string().contains("has ended"), "{error}");
        }
        assert!(tags(&world.db).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_outer_one_that_ends_takes_those_within_along() {
    let world = narrow().await;
    within(world.scope(ACME), async {
        for round in 0..3 {
            let outer = world.db.begin().await.unwrap();
            a_tag("outer").insert(&outer).await.unwrap();
            let middle = outer.begin().await.unwrap();
            let inner = middle.begin().await.unwrap();
            a_tag("inner").insert(&inner).await.unwrap();
            match round {
                0 => drop(middle),
                1 => TransactionSession::rollback(middle).await.unwrap(),
                _ => assert!(middle.commit().await.is_err()),
            }
            assert!(a_tag("late").insert(&inner).await.is_err());
            // What comes to be at the same depth is another one.
            let another = outer.begin().await.unwrap().begin().await.unwrap();
            assert!(a_tag("late").insert(&another).await.is_err(), "the one around it was dropped");
            let another = outer.begin().await.unwrap();
            let deeper = another.begin().await.unwrap();
            assert!(a_tag("late").insert(&inner).await.is_err());
            inner.rollback().await.unwrap();
            deeper.commit().await.unwrap();
            another.commit().await.unwrap();
            assert_eq!(tags(&outer).await, ["outer"]);
            drop(outer);
            assert!(tags(&world.db).await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_is_dropped_while_a_statement_runs_is_undone_before_the_next() {
    let world = narrow().await;
    within(world.scope(ACME), async {
        let outer = world.db.begin().await.unwrap();
        a_tag("outer").insert(&outer).await.unwrap();
        let inner = outer.begin().await.unwrap();
        a_tag("inner").insert(&inner).await.unwrap();
        let stream = tag::Entity::find().stream(&outer).await.unwrap();
        drop(inner);
        drop(stream);
        outer.commit().await.unwrap();
        assert_eq!(tags(&world.db).await, ["outer"]);
    })
    .await;
    // And when the outermost one is dropped while one within it has a stream.
    within(world.scope(ACME), async {
        let outer = world.db.begin().await.unwrap();
        a_tag("lost").insert(&outer).await.unwrap();
        let inner = outer.begin().await.unwrap();
        let stream = tag::Entity::find().stream(&inner).await.unwrap();
        drop(outer);
        drop(stream);
        assert!(a_tag("late").insert(&inner).await.is_err());
        assert_eq!(tags(&world.db).await, ["outer"]);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_is_not_for_another_tenant() {
    let world = narrow().await;
    let transaction = within(world.scope(ACME), world.db.begin()).await.unwrap();
    within(world.scope(GLOBEX), async {
        let select = Query::select().column(tag::Column::Id).from(tag::Entity).take();
        for error in [
            a_tag("x").insert(&transaction).await.unwrap_err(),
            transaction.execute_unprepared("DELETE FROM tag").await.unwrap_err(),
            transaction.stream(&select).await.map(drop).unwrap_err(),
            transaction.begin().await.map(drop).unwrap_err(),
            transaction.commit().await.unwrap_err(),
        ] {
            assert!(matches!(scope_error(&error), Some(ScopeError::OtherScope { .. })), "{error}");
        }
        assert!(tags(&world.db).await.is_empty());
    })
    .await;
}

/// Polls a future some times and drops it. Says whether it was done before.
async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn three_tags(db: &ScopedDatabase) -> Result<(), TransactionError<DbErr>> {
    db.transaction(|transaction| {
        Box::pin(async move {
            a_tag("a").insert(transaction).await?;
            let undone = transaction.begin().await?;
            a_tag("undone").insert(&undone).await?;
            undone.rollback().await?;
            let inner = transaction.begin().await?;
            tag::Entity::insert_many([a_tag("b"), a_tag("c")]).exec(&inner).await?;
            inner.commit().await?;
            Ok(())
        })
    })
    .await
}

#[tokio::test]
async fn a_transaction_that_is_dropped_at_any_await_leaves_no_trace() {
    let world = narrow().await;
    let (mut whole, mut dropped, mut next) = (0, 0, 1);
    // How often it is polled depends on the database's thread; less often than this in any case.
    for polls in 1..=60 {
        let done = within(world.scope(ACME), dropped_after(polls, three_tags(&world.db))).await;
        within(world.scope(GLOBEX), async {
            assert_eq!(a_tag(&format!("clean {polls}")).insert(&world.db).await.unwrap().id, next);
            assert_eq!(tags(&world.db).await.len(), usize::try_from(next).unwrap());
        })
        .await;
        next += 1;
        let left = within(world.scope(ACME), async {
            let left = tags(&world.db).await;
            tag::Entity::delete_many().exec(&world.db).await.unwrap();
            left
        });
        let left = left.await;
        match done {
            Some(done) => {
                done.unwrap();
                assert_eq!(left, ["a", "b", "c"]);
                whole += 1;
            }
            // It may have been dropped after the commit.
            None => {
                assert!(left.is_empty() || left == ["a", "b", "c"], "{left:?}");
                dropped += 1;
            }
        }
    }
    assert!(whole > 0 && dropped > 0, "{whole} {dropped}");
}
