//! Whatever ends a move, it goes on from there, and nothing is lost.

use super::*;
use crate::bad_luck::dropped_after;

async fn step(home: &Home, moving: &Moving, step: usize) {
    match step {
        0 => home.rows.prepare(moving).await.unwrap(),
        1 => drop(MovableRows::copy(&home.rows, moving).await.unwrap()),
        2 => drop(home.rows.catch_up(moving).await.unwrap()),
        3 => home.fence_and_switch(moving).await,
        _ => drop(home.rows.clean_up(moving).await.unwrap()),
    }
}

/// Does the whole move, with each step dropped after so many polls before it is done.
async fn limping(home: &Home, moving: &Moving, polls: usize) -> usize {
    let id = moving.from.id.get();
    let mut dropped = 0;
    for number in 0..5 {
        dropped += usize::from(dropped_after(polls, step(home, moving, number)).await.is_none());
        // Until the rows are marked as moved, the tenant works.
        let note = format!("INSERT INTO words VALUES ('step {number}')");
        match home.as_tenant(id, sqlx::query(AssertSqlSafe(note)).execute(&home.pool)).await {
            Ok(_) => {}
            Err(error) => {
                let is_moved = matches!(ScopeError::of(&error), Some(ScopeError::Moved));
                assert!(number == 3 && is_moved, "{number}: {error:?}");
            }
        }
        step(home, moving, number).await;
        // And all once more.
        if polls == 30 {
            for earlier in 0..=number {
                step(home, moving, earlier).await;
            }
        }
    }
    dropped
}

#[tokio::test]
async fn dropped_within_each_step_it_goes_on() {
    for (id, to) in BOTH {
        let mut total = 0;
        for polls in [3, 30, 120] {
            let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
            let (before, others) = (home.seen(id).await, home.others(id).await);
            let moving = moving(id, &to);
            total += limping(&home, &moving, polls).await;
            let mut seen = home.seen(id).await;
            let count = seen.len();
            seen.retain(|(_, row)| !row.contains("step "));
            assert_eq!(seen, before, "{polls}");
            // The one while the rows were marked and the catalog was not switched was refused, and said so.
            assert!((4..=5).contains(&(count - seen.len())), "{polls}");
            assert_eq!(home.others(id).await, others);
            assert_eq!((home.left(&moving.from).await, home.marks().await), (0, 0));
            assert_eq!(home.next(id).await, (4, 3, true));
        }
        assert!(total > 0, "{total}");
    }
}

#[tokio::test]
async fn a_server_that_ends_all_connections_is_no_harm() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let (seen, others) = (home.seen(id).await, home.others(id).await);
        let moving = moving(id, &to);
        for number in 0..5 {
            let mut admin = home.admin().await;
            let ending = async {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE $1 || '%' AND pid <> pg_backend_pid()";
                sqlx::query(text).bind(home.database.name()).execute(&mut admin).await.unwrap();
            };
            let working = async {
                match number {
                    0 => home.rows.prepare(&moving).await.err(),
                    1 => MovableRows::copy(&home.rows, &moving).await.err(),
                    2 => home.rows.catch_up(&moving).await.err(),
                    3 => home.rows.fence(&moving).await.err(),
                    _ => home.rows.clean_up(&moving).await.err(),
                }
            };
            tokio::join!(working, ending);
            step(&home, &moving, number).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        assert_eq!((home.seen(id).await, home.others(id).await), (seen, others));
        assert_eq!(home.next(id).await, (4, 3, true));
    }
}

#[tokio::test]
async fn abandoned_at_any_step_it_leaves_nothing_and_the_tenant_works() {
    for (id, to) in BOTH {
        for steps in [0, 2, 3, 4] {
            let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
            let (before, others) = (home.seen(id).await, home.others(id).await);
            let moving = moving(id, &to);
            for number in 0..steps.min(3) {
                step(&home, &moving, number).await;
            }
            match steps {
                3 => home.rows.fence(&moving).await.unwrap(),
                // Killed in the middle of it, when the marks are there.
                4 => {
                    for polls in (20..).step_by(10) {
                        drop(dropped_after(polls, home.rows.fence(&moving)).await);
                        // Changes nothing, whenever the marks come.
                        let probe = sqlx::query("UPDATE words SET word = word WHERE word = 'first'");
                        if home.as_tenant(id, probe.execute(&home.pool)).await.is_err() {
                            break;
                        }
                    }
                }
                _ => {}
            }
            home.rows.abandon(&moving).await.unwrap();
            home.rows.abandon(&moving).await.unwrap();
            assert_eq!((home.left(&moving.to).await, home.marks().await), (0, 0));
            assert_eq!((home.seen(id).await, home.others(id).await), (before, others), "{steps}");
            assert_eq!(home.next(id).await, (4, 3, true));
            // And it can be begun again.
            if steps == 4 {
                home.move_all(&moving).await;
                assert_eq!(home.next(id).await, (5, 4, true));
            }
        }
    }
}
