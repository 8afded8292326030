//! What is not sure is not done.

use tenantry_sqlx::RowsError;

use super::*;
use crate::{planes::SCHEMA, scoped::migrator};

/// A connection to where the copy is, past everything.
async fn copy_of(home: &Home, to: &Placement, id: i64) -> sqlx::SqliteConnection {
    let file = if *to == Placement::Shared { "shared.db".to_owned() } else { format!("own/{id}.db") };
    let mut connection = instance(&home.deployment.folder.path().join(file)).await;
    sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn a_copy_that_is_not_the_same_is_found_out_and_mended() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let seen = home.seen(id).await;
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        moving.prove().await.unwrap();
        let which = if to == Placement::Shared { format!("_tenant = {id}") } else { "true".to_owned() };
        let mut copy = copy_of(&home, &to, id).await;
        for (tampered, of) in [
            (format!("UPDATE accounts SET money = money + 1 WHERE id = 1 AND {which}"), "accounts"),
            (format!("DELETE FROM links WHERE b = 1 AND a = 2 AND {which}"), "links"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(tampered)).execute(&mut copy).await.unwrap();
            let refused = moving.prove().await.unwrap_err();
            assert!(matches!(&refused, MoveError::Mismatch { table, .. } if table == of), "{refused}");
            assert!(moving.catch_up().await.unwrap() > 0);
            moving.prove().await.unwrap();
            assert_eq!(moving.catch_up().await.unwrap(), 0);
        }
        moving.fence().await.unwrap();
        home.switch(id, to).await.unwrap();
        assert_eq!(home.seen(id).await, seen);
    }
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_the_same_switches_nothing() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        // Refuses the row that comes next.
        let mut copy = copy_of(&home, &to, id).await;
        sqlx::raw_sql("CREATE UNIQUE INDEX \"_tenantry_test\" ON accounts (money) WHERE money = 777")
            .execute(&mut copy)
            .await
            .unwrap();
        home.execute(id, "INSERT INTO accounts VALUES (3, 777), (4, 777)").await;
        let failed = moving.fence().await.unwrap_err();
        assert!(matches!(failed, MoveError::Rows(_)), "{failed}");
        assert!(matches!(moving.clean_up().await.unwrap_err(), MoveError::NotMoved));
        home.execute(id, "INSERT INTO notes (title) VALUES ('works')").await;
        sqlx::raw_sql("DROP INDEX \"_tenantry_test\"").execute(&mut copy).await.unwrap();
        moving.fence().await.unwrap();
        home.switch(id, to).await.unwrap();
        assert_eq!(home.next(id).await, 5);
    }
}

#[tokio::test]
async fn it_is_not_taken_back_when_nothing_is_left_where_they_were() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        moving.fence().await.unwrap();
        home.switch(id, to).await.unwrap();
        let seen = home.seen(id).await;
        moving.clean_up().await.unwrap();
        assert!(matches!(moving.abandon().await.unwrap_err(), MoveError::Moved));
        assert_eq!(home.seen(id).await, seen);
    }
    let home = Home::used(&[ACME]).await;
    let nowhere = home.moving(ACME, Placement::Shared);
    assert!(matches!(nowhere.prepare().await.unwrap_err(), MoveError::SamePlace));
    assert!(matches!(home.moving(ACME, Placement::Dedicated).clean_up().await.unwrap_err(), MoveError::NotMoved));
}

#[tokio::test]
async fn a_copy_that_is_gone_is_made_again() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        let mut target = tenant(id);
        target.placement = to.clone();
        home.rows.erase(&target).await.unwrap();
        let finished = moving.fence().await;
        if to == Placement::Dedicated {
            assert!(matches!(finished.unwrap_err(), MoveError::Rows(RowsError::Database(_))));
            moving.copy().await.unwrap();
            moving.fence().await.unwrap();
            home.switch(id, to).await.unwrap();
        } else {
            finished.unwrap();
            home.switch(id, to).await.unwrap();
        }
        assert_eq!(home.next(id).await, 4);
    }
}

#[tokio::test]
async fn a_migration_on_the_way_is_caught_up_with() {
    let home = Home::used(&[ACME, GLOBEX]).await;
    let moving = home.moving(ACME, Placement::Dedicated);
    moving.prepare().await.unwrap();
    moving.copy().await.unwrap();
    let later = "ALTER TABLE notes ADD COLUMN colour TEXT DEFAULT 'red'";
    // Processes that start with the new migrations.
    let another = || home.deployment.another(|options| options.global = vec!["countries".into()]);
    another().migrate(&migrator(&[SCHEMA, later])).await.unwrap();
    let refused = moving.fence().await.unwrap_err();
    assert!(matches!(refused, MoveError::Rows(RowsError::Schema(_))), "{refused}");
    assert!(moving.catch_up().await.unwrap() > 0);
    moving.fence().await.unwrap();
    home.switch(ACME, Placement::Dedicated).await.unwrap();
    // Another one, with the rows of the tenant still there.
    let (pool, all) = (another(), migrator(&[SCHEMA, later, "UPDATE notes SET colour = 'blue'"]));
    let refused = pool.migrate(&all).await.unwrap_err();
    assert!(refused.to_string().contains("have been moved and are not removed yet"), "{refused}");
    moving.clean_up().await.unwrap();
    pool.migrate(&all).await.unwrap();
    let insert =
        sqlx::query_as("INSERT INTO notes (title) VALUES ('next') RETURNING id, (SELECT min(colour) FROM notes)");
    let inserted: (i64, String) = within(home.deployment.scope(ACME), insert.fetch_one(&pool)).await.unwrap();
    assert_eq!(inserted, (4, "blue".to_owned()));
}

#[tokio::test]
async fn what_is_marked_is_copied_as_it_is() {
    let home = Home::used(&[ACME, GLOBEX]).await;
    let seen = home.seen(ACME).await;
    let moving = home.moving(ACME, Placement::Dedicated);
    moving.prepare().await.unwrap();
    moving.copy().await.unwrap();
    moving.fence().await.unwrap();
    // Whoever has looked at the record before the switch.
    for to in [HOOLI, INITECH] {
        home.rows.copy(&tenant(ACME), &tenant(to)).await.unwrap();
        assert_eq!(home.seen(to).await, seen, "{to}");
    }
}
