//! A copy is exactly what it is a copy of, wherever both are.

use tenantry_sqlx::RowsError;

use super::*;
use crate::bad_luck::dropped_after;

/// Every combination of where the one and the other are.
const WAYS: [(i64, i64); 4] = [(ACME, GLOBEX), (ACME, INITECH), (INITECH, ACME), (INITECH, HOOLI)];

#[tokio::test]
async fn a_copy_has_exactly_the_rows_and_counts_on_from_there() {
    for (from, to) in WAYS {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI, UMBRELLA]).await;
        home.execute(to, "INSERT INTO notes (title) VALUES ('more'), ('and more')").await;
        let (source, others) = (home.seen(from).await, home.others(to).await);
        assert_ne!(home.seen(to).await, source);
        home.told.store(0, Ordering::Relaxed);
        let copied = home.copy(from, to).await;
        assert_eq!(home.told.load(Ordering::Relaxed), copied.items, "a listener is told of all");
        assert_eq!(home.seen(to).await, source, "{from} to {to}");
        assert_eq!(home.others(to).await, others, "{from} to {to}");
        assert_eq!((copied.items, home.count(from).await), (home.count(to).await, copied.items), "{from} to {to}");
        assert_eq!((home.next(from).await, home.next(to).await), (4, 4), "{from} to {to}");
        // Once more, over what has been written since.
        home.copy(from, to).await;
        assert_eq!(home.seen(to).await, home.seen(from).await, "{from} to {to}");
    }
}

#[tokio::test]
async fn a_copy_is_made_where_nothing_has_been() {
    for (from, to) in WAYS {
        let home = Home::used(&[from]).await;
        home.copy(from, to).await;
        assert_eq!(home.seen(to).await, home.seen(from).await, "{from} to {to}");
        assert_eq!((home.next(from).await, home.next(to).await), (4, 4), "{from} to {to}");
    }
}

#[tokio::test]
async fn a_copy_of_a_tenant_that_was_never_used_is_a_new_one() {
    for (from, to) in WAYS {
        let home = Home::used(&[to]).await;
        assert_eq!(home.count(from).await, 0);
        assert_eq!(home.copy(from, to).await.items, 3, "{from} to {to}");
        assert_eq!(home.seen(to).await, home.seen(UMBRELLA).await, "{from} to {to}");
        assert_eq!(home.count(from).await, 0, "nothing has been made of it");
    }
}

#[tokio::test]
async fn a_copy_onto_itself_is_what_it_was() {
    let home = Home::used(&[ACME]).await;
    let before = home.seen(ACME).await;
    home.copy(ACME, ACME).await;
    assert_eq!(home.seen(ACME).await, before);
}

#[tokio::test]
async fn dropped_at_any_point_it_leads_to_the_same() {
    for (from, to) in WAYS {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI, UMBRELLA]).await;
        let (source, others) = (home.seen(from).await, home.others(to).await);
        let mut dropped = 0;
        for polls in (1..).step_by(2) {
            home.execute(to, "UPDATE notes SET title = title || '!'").await;
            let before = home.seen(to).await;
            let (one, other) = (tenant(from), tenant(to));
            let copied = dropped_after(polls, home.rows.copy(&one, &other)).await;
            let seen = home.seen(to).await;
            assert!(seen == before || seen == source, "{from} to {to}: a mixture after {polls}");
            let Some(copied) = copied else {
                dropped += 1;
                continue;
            };
            copied.unwrap();
            break;
        }
        assert!(dropped > 0, "{from} to {to} was dropped at {dropped} points");
        assert_eq!(home.seen(to).await, source, "{from} to {to}");
        assert_eq!(home.others(to).await, others, "{from} to {to}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_of_one_moment_while_both_are_in_use() {
    for (from, to) in WAYS {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let writing = async {
            for amount in 1..=40 {
                within(home.deployment.scope(from), async {
                    let mut transaction = home.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
                    for (id, sign) in [(1, -1), (2, 1)] {
                        let update = sqlx::query("UPDATE accounts SET money = money + ? WHERE id = ?");
                        update.bind(sign * amount).bind(id).execute(&mut *transaction).await.unwrap();
                    }
                    transaction.commit().await.unwrap();
                })
                .await;
            }
        };
        let copying = async {
            for _ in 0..10 {
                home.copy(from, to).await;
            }
        };
        let reading = async {
            for _ in 0..40 {
                let sum = sqlx::query_scalar("SELECT sum(money) FROM accounts");
                let sum: i64 = within(home.deployment.scope(to), sum.fetch_one(home.pool())).await.unwrap();
                assert_eq!(sum, 200, "{from} to {to}");
            }
        };
        tokio::join!(writing, copying, reading);
        home.copy(from, to).await;
        assert_eq!(home.seen(to).await, home.seen(from).await);
    }
}

#[tokio::test]
async fn rows_of_another_schema_are_refused_and_replaced_as_a_whole() {
    let home = Home::used(&[ACME, INITECH]).await;
    let later = "ALTER TABLE notes ADD COLUMN colour TEXT DEFAULT 'red'";
    let pool = home.deployment.another(|options| options.global = vec!["countries".into()]);
    pool.migrate(&crate::scoped::migrator(&[SCHEMA, later])).await.unwrap();
    let before = home.seen_by(&pool, ACME).await;
    let refused = home.rows.copy(&tenant(INITECH), &tenant(ACME)).await.unwrap_err();
    let Some(RowsError::Schema(differences)) = refused.source.downcast_ref() else { panic!("{refused:?}") };
    assert_eq!(differences[0].object, "table notes");
    assert_eq!(home.seen_by(&pool, ACME).await, before);
    home.copy(ACME, INITECH).await;
    assert_eq!(home.seen_by(&pool, INITECH).await, before);
    home.copy(INITECH, ACME).await;
    assert_eq!(home.seen_by(&pool, ACME).await, before);
}

#[tokio::test]
async fn rows_that_may_refer_to_nothing_are_refused() {
    let home = Home::used(&[ACME, INITECH]).await;
    home.execute(INITECH, "INSERT INTO countries VALUES ('de')").await;
    home.execute(INITECH, "UPDATE users SET country = 'de'").await;
    let before = home.seen(ACME).await;
    let refused = home.rows.copy(&tenant(INITECH), &tenant(ACME)).await.unwrap_err();
    assert!(
        matches!(refused.source.downcast_ref(), Some(RowsError::Global(table)) if table == "countries"),
        "{refused:?}"
    );
    assert_eq!(home.seen(ACME).await, before);
}
