//! What was exported is what is imported.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_value_comes_back_wherever_it_goes(statements in statements()) {
        block_on(async {
            let home = Deployment::new();
            home.migrate(&[KINDS]).await.unwrap();
            home.execute(ACME, &statements).await;
            home.execute(GLOBEX, &["INSERT INTO loose VALUES ('globex', 1)".to_owned()]).await;
            let (acme, globex) = (home.all(ACME, KINDS_TABLES).await, home.all(GLOBEX, KINDS_TABLES).await);
            let file = home.file("acme.tar.zst");
            let summary = home.export(ACME, &file).await.unwrap();
            prop_assert_eq!(summary.rows.iter().sum::<u64>(), acme[..4].iter().map(|rows| rows.len() as u64).sum::<u64>());

            // To another deployment: to shared tables, and to a database of one's own.
            let away = Deployment::new();
            away.migrate(&[KINDS]).await.unwrap();
            for id in [GLOBEX, INITECH] {
                let imported = away.import(id, &file).await.unwrap();
                prop_assert_eq!(&imported.summary, &summary);
                prop_assert_eq!(&away.all(id, KINDS_TABLES).await, &acme);
            }
            // From a database of one's own back to shared tables.
            let back = away.file("initech.tar.zst");
            away.export(INITECH, &back).await.unwrap();
            away.import(ACME, &back).await.unwrap();
            prop_assert_eq!(&away.all(ACME, KINDS_TABLES).await, &acme);
            prop_assert_eq!(&home.all(GLOBEX, KINDS_TABLES).await, &globex);

            // Ids go on where they would have gone on.
            let next = "INSERT INTO kinds (t) VALUES ('next') RETURNING id";
            let mut ids = vec![within(home.scope(ACME), rows(&home.pool, next)).await];
            for id in [ACME, GLOBEX, INITECH] {
                ids.push(within(away.scope(id), rows(&away.pool, next)).await);
            }
            prop_assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_tenant_that_was_never_used_is_a_new_one() {
    let deployment = Deployment::new();
    deployment.migrate(&[KINDS]).await.unwrap();
    for (from, to) in [(ACME, GLOBEX), (INITECH, ACME)] {
        let file = deployment.file("new.tar.zst");
        let summary = deployment.export(from, &file).await.unwrap();
        assert_eq!(summary.rows.iter().sum::<u64>(), 2);
        deployment.import(to, &file).await.unwrap();
        assert_eq!(deployment.all(to, KINDS_TABLES).await[3].len(), 2);
    }
    assert!(!deployment.file("own/3.db").exists(), "a look makes nothing");
}

#[tokio::test]
async fn another_version_of_the_product_takes_what_fits() {
    let (home, away) = (Deployment::new(), Deployment::new());
    home.migrate(&[KINDS]).await.unwrap();
    home.execute(ACME, &["INSERT INTO loose VALUES ('a', 1)".to_owned()]).await;
    let file = home.file("acme.tar.zst");
    home.export(ACME, &file).await.unwrap();
    away.migrate(&[
        KINDS,
        "ALTER TABLE loose ADD more TEXT DEFAULT 'new'; ALTER TABLE loose ADD less; CREATE TABLE later (id INTEGER PRIMARY KEY)",
    ])
    .await
    .unwrap();
    for id in [ACME, INITECH] {
        away.import(id, &file).await.unwrap();
        let loose = within(away.scope(id), rows(&away.pool, "SELECT a, more, less FROM loose")).await;
        assert_eq!(loose, [["TEXT [61]", "TEXT [6e, 65, 77]", "NULL"]]);
    }
    // The other way round, columns are missing.
    let file = away.file("acme.tar.zst");
    away.export(ACME, &file).await.unwrap();
    let schema =
        archive::inspect(std::fs::File::open(&file).unwrap(), &archive::ReadLimits::default()).unwrap().header.schema;
    away.portable().fits(&tenant(GLOBEX), &schema).await.unwrap();
    let foreseen = said(&home.portable().fits(&tenant(GLOBEX), &schema).await.unwrap_err());
    let refused = home.import(GLOBEX, &file).await.unwrap_err();
    assert!(said(&refused).ends_with(&foreseen), "{foreseen}");
    let text = said(&refused);
    for part in
        ["there is no table \"later\" here", "table \"loose\" has no column \"more\" here", "no column \"less\""]
    {
        assert!(text.contains(part), "{text}");
    }
}

/// An error with all that is behind it.
pub(super) fn said(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn an_export_is_of_one_moment() {
    let home = Deployment::new();
    home.migrate(&["CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER); CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER, text TEXT)"])
        .await
        .unwrap();
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 60000) ";
    home.execute(
        ACME,
        &[format!("{fill} INSERT INTO a (n) SELECT 1 FROM n"), format!("{fill} INSERT INTO b (n) SELECT 0 FROM n")],
    )
    .await;
    let file = home.file("acme.tar.zst");
    let (portable, acme) = (home.portable(), tenant(ACME));
    let mut told = 0;
    let how = Options::default().on_progress(|_| {
        told += 1;
        if told == 1 {
            // Much is read ahead, but not all of it.
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    block_on(home.execute(ACME, &["UPDATE a SET n = 0; ".to_owned(), "UPDATE b SET n = 1".to_owned()]));
                });
            });
        }
        std::ops::ControlFlow::Continue(())
    });
    archive::export(&acme, rows_alone(&portable), &file, how).await.unwrap();
    home.import(GLOBEX, &file).await.unwrap();
    let sums =
        within(home.scope(GLOBEX), rows(&home.pool, "SELECT (SELECT sum(n) FROM a), (SELECT sum(n) FROM b)")).await;
    assert_eq!(sums, [["integer 60000", "integer 0"]]);
}
