//! What is erased is gone, and nothing else is.

use super::*;
use crate::bad_luck::dropped_after;

#[tokio::test]
async fn counting_makes_nothing() {
    let home = Home::new().await;
    for id in [ACME, INITECH] {
        assert!(home.rows.count(&tenant(id)).await.unwrap().is_nothing());
        assert!(home.rows.erase(&tenant(id)).await.unwrap().is_nothing());
    }
    assert!(!home.deployment.folder.path().join("own").exists());
    let nowhere = tempfile::tempdir().unwrap();
    let rows = SqliteRows::new(SqliteOptions::new(nowhere.path().join("shared.db"), nowhere.path().join("own")));
    for id in [ACME, INITECH] {
        assert!(rows.count(&tenant(id)).await.unwrap().is_nothing());
        assert!(rows.erase(&tenant(id)).await.unwrap().is_nothing());
    }
    assert_eq!(nowhere.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_erased_is_gone_and_nothing_else_is() {
    for id in [ACME, INITECH] {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let (others, count) = (home.others(id).await, home.rows.count(&tenant(id)).await.unwrap());
        assert!(count.items > 10);
        assert_eq!(home.rows.erase(&tenant(id)).await.unwrap(), count);
        assert!(home.rows.count(&tenant(id)).await.unwrap().is_nothing());
        assert_eq!(home.others(id).await, others);
        let mut shared = instance(&home.deployment.folder.path().join("shared.db")).await;
        let left = "SELECT (SELECT count(*) FROM _tenantry_sequence WHERE _tenant = 1), \
                           (SELECT count(*) FROM _tenantry_tenants WHERE id = 1)";
        let left = rows(&mut shared, left).await;
        let expected = if id == ACME { "integer 0" } else { "integer 1" };
        assert_eq!(left, [[expected, expected]]);
        let files = home.deployment.folder.path().join("own").read_dir().unwrap();
        let files: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(files.iter().any(|file| file.starts_with("3.")), id == ACME, "{files:?}");
    }
}

#[tokio::test]
async fn what_was_to_become_a_database_is_erased_with_it() {
    for used in [&[INITECH][..], &[]] {
        let home = Home::used(used).await;
        let own = home.deployment.folder.path().join("own");
        std::fs::create_dir_all(&own).unwrap();
        // As a process leaves it that is killed while it imports.
        for end in ["", "-journal", "-wal", "-shm"] {
            std::fs::write(own.join(format!("3.db.importing{end}")), "rows").unwrap();
        }
        std::fs::write(own.join("4.db.importing"), "those of another").unwrap();
        let counted = home.rows.count(&tenant(INITECH)).await.unwrap();
        assert!(counted.bytes >= 4, "{counted:?}");
        assert_eq!(home.rows.erase(&tenant(INITECH)).await.unwrap(), counted);
        assert!(home.rows.count(&tenant(INITECH)).await.unwrap().is_nothing());
        let files = own.read_dir().unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(files.collect::<Vec<_>>(), ["4.db.importing"]);
    }
}

#[tokio::test]
async fn many_rows_are_erased_in_turns_with_others() {
    let home = Home::used(&[ACME, GLOBEX]).await;
    home.execute(
        ACME,
        "INSERT INTO links WITH RECURSIVE n (i) AS (VALUES (10) UNION ALL SELECT i + 1 FROM n LIMIT 60000) SELECT i, i % 7 FROM n",
    )
    .await;
    let count = home.count(ACME).await;
    home.told.store(0, Ordering::Relaxed);
    let globex = tenant(ACME);
    let mut written = 0;
    {
        let mut erasing = std::pin::pin!(home.rows.erase(&globex));
        loop {
            tokio::select! {
                biased;
                () = home.execute(GLOBEX, "INSERT INTO links VALUES ((SELECT max(a) FROM links) + 1, 0)") => written += 1,
                erased = &mut erasing => {
                    assert_eq!(erased.unwrap().items, count);
                    assert_eq!(home.told.load(Ordering::Relaxed), count, "a listener is told of each batch");
                    break;
                }
            }
        }
    }
    assert!(written > 0);
    assert_eq!(home.count(ACME).await, 0);
}

#[tokio::test]
async fn dropped_at_any_point_it_is_begun_again() {
    for id in [ACME, INITECH] {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let others = home.others(id).await;
        let erased = tenant(id);
        let mut dropped = 0;
        for polls in 1.. {
            if let Some(erased) = dropped_after(polls, home.rows.erase(&erased)).await {
                erased.unwrap();
                break;
            }
            dropped += 1;
        }
        assert!(dropped > 0, "{dropped}");
        assert!(home.rows.count(&erased).await.unwrap().is_nothing());
        assert_eq!(home.others(id).await, others);
    }
}
