//! Killed at every point.

use super::*;

#[tokio::test]
async fn a_clone_that_is_killed_anywhere_is_finished_or_gone() {
    killed_anywhere(
        async |control| control.create_from(&slug("seed"), new("trial")).await.map(drop),
        async |world| {
            let Some(tenant) = world.catalog.by_slug(&slug("trial")).await.unwrap() else {
                return world.only_these_have_something(&["seed", "other"]).await;
            };
            assert_eq!(tenant.status, Status::Active);
            assert_eq!(world.of(tenant.id), world.of(world.id("seed").await));
        },
        async |_| {},
    )
    .await;
}

#[tokio::test]
async fn a_reset_that_is_killed_anywhere_is_finished() {
    killed_anywhere(
        async |control| control.reset(&slug("training")).await.map(drop),
        async |world| {
            let tenant = world.catalog.by_slug(&slug("training")).await.unwrap().unwrap();
            if tenant.epoch == 0 {
                // It was killed before it was written down.
                assert_eq!(tenant.status, Status::Active);
                assert_eq!(world.of(tenant.id)["rows"], ["mine"]);
            } else {
                world.is_reset(tenant.id).await;
            }
        },
        async |world| {
            world.trained().await;
        },
    )
    .await;
}

#[tokio::test]
async fn an_erasure_that_is_killed_anywhere_is_finished() {
    killed_anywhere(
        async |control| control.erase(&slug("training"), Erasing::Now).await.map(drop),
        async |world| match world.catalog.by_slug(&slug("training")).await.unwrap() {
            Some(tenant) => assert_eq!(world.of(tenant.id)["rows"], ["mine"], "it was not begun"),
            None => {
                world.only_these_have_something(&["seed", "other"]).await;
                let erased = world.catalog.history(None, None, 1).await.unwrap().remove(0);
                let amounts = &erased.progress.amounts;
                assert_eq!((amounts["rows"], amounts["uploads"]), (Amount::items(1), Amount::items(3)));
            }
        },
        async |world| {
            world.trained().await;
            world.control().delete(&slug("training"), Duration::ZERO).await.unwrap();
        },
    )
    .await;
}

/// Kills `verb` after each number of times that it was polled, until it comes to its end; lets somebody else recover, and
/// checks what is left.
async fn killed_anywhere(
    verb: impl AsyncFn(Control) -> Result<(), VerbError>,
    check: impl AsyncFn(&World),
    prepare: impl AsyncFn(&World),
) {
    let mut kills = 0;
    for polls in 1.. {
        let world = World::new().await;
        prepare(&world).await;
        let killed = crate::dropped_after(polls, verb(world.control())).await.is_none();
        if killed {
            kills += 1;
            // What it had asked the database for last is done before this is.
            world.catalog.describe_settings("{}").await.unwrap();
            // Its lease runs out.
            tokio::time::sleep(LEASE * 2).await;
            let recovered = world.control().recover().await.unwrap();
            assert!(recovered.failed.is_empty(), "{:?}", recovered.failed);
        }
        assert!(world.control().ledger().abandoned(None, 10).await.unwrap().is_empty());
        check(&world).await;
        world.nobody_else_was_touched().await;
        if !killed {
            break;
        }
    }
    assert!(kills > 0);
}
