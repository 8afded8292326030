//! Whatever ends a move, it goes on from there, and nothing is lost.

use super::*;
use crate::bad_luck::dropped_after;

/// Does the whole move, with each step dropped after so many polls before it is done.
async fn limping(home: &Home, id: i64, to: Placement, polls: usize) -> usize {
    let moving = home.moving(id, to.clone());
    let mut dropped = 0;
    for step in 0..5 {
        let steps = async || match step {
            0 => moving.prepare().await.unwrap(),
            1 => drop(moving.copy().await.unwrap()),
            2 => drop(moving.catch_up().await.unwrap()),
            3 => {
                moving.fence().await.unwrap();
                home.switch(id, to.clone()).await.unwrap();
            }
            _ => drop(moving.clean_up().await.unwrap()),
        };
        dropped += usize::from(dropped_after(polls, steps()).await.is_none());
        // Until the rows are marked as moved, the tenant works.
        let note = format!("INSERT INTO notes (title) VALUES ('step {step}')");
        let insert = sqlx::query(sqlx::AssertSqlSafe(note)).execute(home.pool());
        match within(home.deployment.scope(id), insert).await {
            Ok(_) => {}
            Err(error) => {
                assert!(step == 3 && matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{step}: {error}");
            }
        }
        steps().await;
        // And once more.
        steps().await;
    }
    dropped
}

#[tokio::test]
async fn dropped_within_each_step_it_goes_on() {
    for (id, to) in BOTH {
        let mut total = 0;
        for polls in (1..120).step_by(7) {
            let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
            let others = home.others(id).await;
            let before = home.seen(id).await;
            total += limping(&home, id, to.clone(), polls).await;
            let seen = home.seen(id).await;
            assert_eq!((&seen[0], &seen[2], &seen[3], &seen[5]), (&before[0], &before[2], &before[3], &before[5]));
            let titles = sqlx::query_scalar("SELECT title FROM notes WHERE title GLOB 'step *' ORDER BY id");
            let titles: Vec<String> = within(home.deployment.scope(id), titles.fetch_all(home.pool())).await.unwrap();
            // The one while the rows were marked and the catalog was not switched was refused, and said so.
            assert!(titles.len() == 5 || (titles.len() == 4 && !titles.contains(&"step 3".to_owned())), "{titles:?}");
            assert_eq!(home.others(id).await, others);
            assert_eq!(home.left(id, tenant(id).placement).await, 0);
        }
        assert!(total > 0, "{total}");
    }
}

#[tokio::test]
async fn abandoned_at_any_step_it_leaves_nothing_and_the_tenant_works() {
    for (id, to) in BOTH {
        for steps in 0..4 {
            let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
            let (before, others) = (home.seen(id).await, home.others(id).await);
            let moving = home.moving(id, to.clone());
            if steps > 0 {
                moving.prepare().await.unwrap();
            }
            if steps > 1 {
                moving.copy().await.unwrap();
            }
            if steps > 2 {
                moving.fence().await.unwrap();
            }
            moving.abandon().await.unwrap();
            moving.abandon().await.unwrap();
            assert_eq!(home.left(id, to.clone()).await, 0);
            assert_eq!((home.seen(id).await, home.others(id).await), (before, others));
            assert_eq!(home.next(id).await, 4);
            // And it can be begun again.
            home.move_all(id, to.clone()).await;
            assert_eq!(home.next(id).await, 5);
        }
    }
}
