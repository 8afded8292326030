//! Imports that fail, are killed, or are not to be.

use std::ops::ControlFlow;

use tenantry_core::Status;

use super::{round_trips::said, *};
use crate::{adopt::raw, bad_luck::dropped_after};

/// A deployment whose acme has rows, enough for several pieces, and its archive.
async fn world() -> (Deployment, std::path::PathBuf) {
    let world = Deployment::new();
    world.migrate(&[KINDS]).await.unwrap();
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000) \
                INSERT INTO kinds (i, t) SELECT n, hex(zeroblob(1000)) FROM n";
    world.execute(ACME, &[fill.to_owned(), "INSERT INTO loose VALUES ('a', 'b')".to_owned()]).await;
    world.execute(ACME, &["UPDATE kinds SET parent = 2000".to_owned()]).await;
    let file = world.file("acme.tar.zst");
    world.export(ACME, &file).await.unwrap();
    (world, file)
}

#[tokio::test]
async fn an_import_that_is_killed_is_begun_again() {
    let (world, file) = world().await;
    let acme = world.all(ACME, KINDS_TABLES).await;
    let mut raw = raw(&world).await;
    let mut marked = 0;
    for id in [GLOBEX, INITECH] {
        let (mut kills, mut polls) = (0, 1);
        // Each time later, until it gets to its end.
        loop {
            match dropped_after(polls, world.import(id, &file)).await {
                None => {}
                Some(Ok(_)) => break,
                // The one before was killed when all was done: what it had asked for last was its end.
                Some(Err(used)) if kills > 0 && said(&used).contains("has rows of its own already") => break,
                Some(Err(error)) => panic!("{error}"),
            }
            (kills, polls) = (kills + 1, polls + polls / 3 + 1);
            let is_marked = "SELECT EXISTS (SELECT 1 FROM _tenantry_adoptions WHERE tenant = 2)";
            if sqlx::query_scalar(is_marked).fetch_one(&mut raw).await.unwrap() {
                let query = sqlx::query("SELECT 1").fetch_all(&world.pool);
                match within(world.scope(id), query).await {
                    Err(refused) => {
                        assert!(refused.to_string().contains("incomplete"), "{refused}");
                        marked += 1;
                    }
                    // What the import had asked for last was on its way, and took the mark away meanwhile.
                    Ok(_) => assert_eq!(world.all(id, KINDS_TABLES).await, acme),
                }
            }
        }
        assert!(kills > 0, "{kills}");
        assert_eq!(world.all(id, KINDS_TABLES).await, acme);
    }
    assert!(marked > 0, "{marked}");
    assert_eq!(world.all(ACME, KINDS_TABLES).await, acme);
}

#[tokio::test]
async fn who_has_rows_gets_no_others() {
    let (world, file) = world().await;
    let mut active = tenant(GLOBEX);
    active.status = Status::Active;
    assert!(matches!(world.import_as(&active, &file).await, Err(ArchiveError::Ready(_))));
    for id in [GLOBEX, INITECH] {
        world.execute(id, &["INSERT INTO loose VALUES ('mine', 1)".to_owned()]).await;
        let before = world.all(id, KINDS_TABLES).await;
        let refused = said(&world.import(id, &file).await.unwrap_err());
        assert!(refused.contains("has rows of its own already"), "{refused}");
        assert_eq!(world.all(id, KINDS_TABLES).await, before);
    }
}

#[tokio::test]
async fn of_what_is_stopped_nothing_is_left() {
    let (world, file) = world().await;
    let portable = world.portable();
    let stop = || {
        Options::default()
            .on_progress(|progress| if progress.rows > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let other = world.file("other.tar.zst");
    let stopped = archive::export(&tenant(ACME), rows_alone(&portable), &other, stop()).await;
    assert!(matches!(stopped, Err(ArchiveError::Stopped)));
    let names: Vec<_> =
        std::fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with("other")), "{names:?}");
    for id in [GLOBEX, INITECH] {
        let from = std::fs::File::open(&file).unwrap();
        let stopped = archive::import(&tenant(id), rows_alone(&portable), &[], from, stop()).await;
        assert!(matches!(stopped, Err(ArchiveError::Stopped)));
    }
    assert!(std::fs::read_dir(world.file("own")).unwrap().next().is_none());
    world.import(GLOBEX, &file).await.unwrap();
}

#[tokio::test]
async fn rows_that_cannot_be_are_refused_by_name() {
    let (world, file) = world().await;
    let away = Deployment::new();
    let strict = KINDS.replace("i INTEGER,", "i INTEGER CHECK (i <> 1377),");
    away.migrate(&[&strict]).await.unwrap();
    for id in [GLOBEX, INITECH] {
        let refused = said(&away.import(id, &file).await.unwrap_err());
        assert!(refused.contains("line 1377 of kinds cannot be a row here: CHECK constraint failed"), "{refused}");
    }
    // A row that refers to one that is gone, which only the raw file can have.
    let mut raw = raw(&world).await;
    sqlx::raw_sql("PRAGMA foreign_keys = OFF; DELETE FROM kinds WHERE id = 2000").execute(&mut raw).await.unwrap();
    world.export(ACME, &file).await.unwrap();
    for id in [GLOBEX, INITECH] {
        let refused = said(&world.import(id, &file).await.unwrap_err());
        assert!(refused.contains("rows of kinds refer to rows of kinds that are not there"), "{refused}");
    }
}
