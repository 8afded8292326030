//! What is not sure is not done.

use super::*;

/// A connection to where the copy is, past everything.
async fn copy_of(home: &Home, moving: &Moving) -> (PgConnection, &'static str) {
    let url = home.database.admin_url();
    let options = PgConnectOptions::from_str(&url).unwrap();
    if moving.to.placement == Placement::Shared {
        return (PgConnection::connect_with(&options).await.unwrap(), "tenantry_shared");
    }
    let name = format!("{}_{}", home.database.name(), moving.to.id);
    (PgConnection::connect_with(&options.database(&name)).await.unwrap(), "public")
}

#[tokio::test]
async fn a_copy_that_is_not_the_same_is_found_out_and_mended() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let (seen, others) = (home.seen(id).await, home.others(id).await);
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        let (mut copy, schema) = copy_of(&home, &moving).await;
        let which = if to == Placement::Shared { format!("_tenant = {id}") } else { "true".to_owned() };
        for (tampered, apart) in [
            (format!("UPDATE {schema}.accounts SET money = money + 1 WHERE id = 1 AND {which}"), 1),
            (format!("DELETE FROM {schema}.words WHERE word = 'first' AND {which}"), 1),
            (format!("UPDATE {schema}.users SET favourite = NULL, boss = 2 WHERE {which}"), 2),
            (format!("DELETE FROM {schema}.words WHERE {which}"), 4),
        ] {
            sqlx::raw_sql(AssertSqlSafe(tampered.as_str())).execute(&mut copy).await.unwrap();
            assert_eq!(home.rows.catch_up(&moving).await.unwrap(), apart, "{tampered}");
            assert_eq!(home.rows.catch_up(&moving).await.unwrap(), 0, "{tampered}");
        }
        home.fence_and_switch(&moving).await;
        assert_eq!((home.seen(id).await, home.others(id).await), (seen, others));
    }
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_the_same_switches_nothing() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        // Something in the copy changes what comes.
        let (mut copy, schema) = copy_of(&home, &moving).await;
        let sabotage = format!(
            "CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.money := 0; RETURN NEW; END$$; \
             CREATE RULE spoil AS ON UPDATE TO {schema}.words DO ALSO NOTHING; DROP RULE spoil ON {schema}.words; \
             CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON {schema}.accounts FOR EACH ROW WHEN (NEW.id = 9) EXECUTE FUNCTION public.spoil()"
        );
        sqlx::raw_sql(AssertSqlSafe(sabotage)).execute(&mut copy).await.unwrap();
        home.execute(id, "INSERT INTO accounts VALUES (9, 777)").await;
        let failed = home.rows.fence(&moving).await.unwrap_err();
        match cause(&failed) {
            MoveError::Mismatch { table, .. } => assert_eq!(table, "accounts"),
            // A trigger makes another schema of a database of its own.
            MoveError::Rows(RowsError::Schema(_)) => assert_eq!(to, Placement::Dedicated),
            other => panic!("{other:?}"),
        }
        assert!(matches!(cause(&home.rows.clean_up(&moving).await.unwrap_err()), MoveError::NotMoved));
        home.execute(id, "INSERT INTO words VALUES ('works')").await;
        let mended = format!("DROP TRIGGER spoil ON {schema}.accounts; DROP FUNCTION public.spoil()");
        sqlx::raw_sql(AssertSqlSafe(mended)).execute(&mut copy).await.unwrap();
        home.fence_and_switch(&moving).await;
        assert_eq!(home.next(id).await, (4, 3, true));
    }
}

#[tokio::test]
async fn a_copy_whose_rows_change_each_other_switches_nothing() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        // Who changes an account loses a word, and who gets it back loses money: rows that were the same already.
        let (mut copy, schema) = copy_of(&home, &moving).await;
        let which = if to == Placement::Shared { format!("_tenant = {id}") } else { "true".to_owned() };
        let sabotage = format!(
            "CREATE FUNCTION public.lose_word() RETURNS trigger LANGUAGE plpgsql AS \
                 $$BEGIN DELETE FROM {schema}.words WHERE word = 'first' AND {which}; RETURN NULL; END$$; \
             CREATE FUNCTION public.lose_money() RETURNS trigger LANGUAGE plpgsql AS \
                 $$BEGIN UPDATE {schema}.accounts SET money = 0 WHERE id = 1 AND {which}; RETURN NULL; END$$; \
             CREATE TRIGGER lose_word AFTER UPDATE ON {schema}.accounts FOR EACH ROW EXECUTE FUNCTION public.lose_word(); \
             CREATE TRIGGER lose_money AFTER INSERT ON {schema}.words FOR EACH ROW EXECUTE FUNCTION public.lose_money()"
        );
        sqlx::raw_sql(AssertSqlSafe(sabotage)).execute(&mut copy).await.unwrap();
        home.execute(id, "UPDATE accounts SET money = 778 WHERE id = 1").await;
        let failed = home.rows.fence(&moving).await.unwrap_err();
        match cause(&failed) {
            MoveError::Mismatch { .. } => {}
            MoveError::Rows(RowsError::Schema(_)) => assert_eq!(to, Placement::Dedicated),
            other => panic!("{other:?}"),
        }
        home.execute(id, "INSERT INTO words VALUES ('works')").await;
        let mended = "DROP FUNCTION public.lose_word() CASCADE; DROP FUNCTION public.lose_money() CASCADE";
        sqlx::raw_sql(mended).execute(&mut copy).await.unwrap();
        let seen = home.seen(id).await;
        home.fence_and_switch(&moving).await;
        assert_eq!(home.seen(id).await, seen);
    }
}

#[tokio::test]
async fn who_keeps_rows_locked_is_waited_for_and_keeps_nobody_waiting() {
    let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
    let moving = moving(ACME, &Placement::Dedicated);
    home.rows.prepare(&moving).await.unwrap();
    MovableRows::copy(&home.rows, &moving).await.unwrap();
    // Somebody else's transaction, which takes its time.
    let scope = home.admission.admit_id(TenantId::new(GLOBEX)).unwrap();
    let mut long = within(scope, home.pool.begin()).await.unwrap();
    let scope = home.admission.admit_id(TenantId::new(GLOBEX)).unwrap();
    within(scope, sqlx::query("INSERT INTO words VALUES ('long')").execute(&mut *long)).await.unwrap();
    let fencing = home.rows.fence(&moving);
    let working = async {
        for _ in 0..5 {
            home.execute(UMBRELLA, "INSERT INTO words VALUES ('meanwhile')").await;
            home.execute(ACME, "INSERT INTO words VALUES ('meanwhile')").await;
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
        long.commit().await.unwrap();
    };
    let (fenced, ()) = tokio::join!(fencing, working);
    fenced.unwrap();
    home.switch(ACME, Placement::Dedicated);
    let words = sqlx::query_scalar("SELECT count(*) FROM words WHERE word = 'meanwhile'").fetch_one(&home.pool);
    let words: i64 = home.as_tenant(ACME, words).await.unwrap();
    assert_eq!(words, 5);
}

#[tokio::test]
async fn it_is_not_taken_back_when_nothing_is_left_where_they_were() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = moving(id, &to);
        home.move_all(&moving).await;
        let seen = home.seen(id).await;
        assert!(matches!(cause(&home.rows.abandon(&moving).await.unwrap_err()), MoveError::Moved));
        assert_eq!(home.seen(id).await, seen);
    }
    let home = Home::used(&[ACME]).await;
    let nowhere = moving(ACME, &Placement::Shared);
    assert!(matches!(cause(&home.rows.prepare(&nowhere).await.unwrap_err()), MoveError::SamePlace));
    let not_moved = moving(ACME, &Placement::Dedicated);
    assert!(matches!(cause(&home.rows.clean_up(&not_moved).await.unwrap_err()), MoveError::NotMoved));
    let unknowing = PgRows::new(home.options.clone());
    assert!(matches!(cause(&unknowing.prepare(&not_moved).await.unwrap_err()), MoveError::MigrationsUnknown));
}

#[tokio::test]
async fn a_migration_on_the_way_is_caught_up_with() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let there = moving(id, &to);
        home.rows.prepare(&there).await.unwrap();
        MovableRows::copy(&home.rows, &there).await.unwrap();
        let later =
            "ALTER TABLE accounts ADD COLUMN colour text NOT NULL DEFAULT 'red'; UPDATE accounts SET colour = 'green'";
        let migrations = migrator(&[SCHEMA, later]);
        // Processes that start with the new migrations.
        let another = || ScopedPool::postgres(home.options.clone(), Some(Arc::clone(&home.admission)));
        let pool = another();
        pool.migrate(&migrations).await.unwrap();
        let colours = || sqlx::query_scalar("SELECT DISTINCT colour FROM accounts");
        let green: Vec<String> = home.as_tenant(id, colours().fetch_all(&pool)).await.unwrap();
        assert_eq!(green, ["green"]);
        if to == Placement::Dedicated {
            let refused = home.rows.fence(&there).await.unwrap_err();
            assert!(matches!(cause(&refused), MoveError::Rows(RowsError::Schema(_))), "{refused:?}");
        }
        let rows = PgRows::new(home.options.clone()).migrated_by(&migrations);
        rows.catch_up(&there).await.unwrap();
        rows.fence(&there).await.unwrap();
        // Another one, with the rows of the tenant still there.
        let blue = migrator(&[SCHEMA, later, "UPDATE accounts SET colour = 'blue'"]);
        let migrated = another().migrate(&blue).await;
        if to == Placement::Dedicated {
            let refused = migrated.unwrap_err().to_string();
            assert!(refused.contains("no migration runs"), "{refused}");
        } else {
            migrated.unwrap();
        }
        home.switch(id, to.clone());
        rows.clean_up(&there).await.unwrap();
        let pool = another();
        pool.migrate(&blue).await.unwrap();
        let seen: Vec<String> = home.as_tenant(id, colours().fetch_all(&pool)).await.unwrap();
        assert_eq!(seen, ["blue"]);
    }
}

#[tokio::test]
async fn a_tenant_that_is_erased_on_the_way_leaves_nothing() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let others = home.others(id).await;
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        home.rows.fence(&moving).await.unwrap();
        for tenant in [&moving.from, &moving.to] {
            home.rows.erase(tenant).await.unwrap();
            assert_eq!(home.left(tenant).await, 0);
        }
        assert_eq!(home.marks().await, 0);
        assert_eq!(home.others(id).await, others);
        let records = "SELECT count(*) FROM tenantry.moves";
        let records: i64 = sqlx::query_scalar(records).fetch_one(&mut home.admin().await).await.unwrap();
        assert_eq!(records, 0);
    }
}

#[tokio::test]
async fn a_target_that_is_gone_is_told_and_the_tenant_works_where_it_was() {
    let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
    let (seen, others) = (home.seen(ACME).await, home.others(ACME).await);
    let moving = moving(ACME, &Placement::Dedicated);
    let gone = format!("DROP DATABASE {}_{ACME} WITH (FORCE)", home.database.name());
    let works = async || {
        home.execute(ACME, "INSERT INTO words VALUES ('works')").await;
        home.execute(ACME, "DELETE FROM words WHERE word = 'works'").await;
        assert_eq!((home.seen(ACME).await, home.others(ACME).await), (seen.clone(), others.clone()));
        assert_eq!(home.marks().await, 0);
    };
    for is_caught_up in [false, true] {
        home.rows.prepare(&moving).await.unwrap();
        home.admin().await.execute(AssertSqlSafe(gone.as_str())).await.unwrap();
        // It was only prepared, and is made again.
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        if is_caught_up {
            home.rows.catch_up(&moving).await.unwrap();
        }
        home.admin().await.execute(AssertSqlSafe(gone.as_str())).await.unwrap();
        let failed = match is_caught_up {
            false => home.rows.catch_up(&moving).await.unwrap_err(),
            true => home.rows.fence(&moving).await.unwrap_err(),
        };
        let RowsError::Database(sqlx::Error::Database(error)) = (match cause(&failed) {
            MoveError::Rows(error) => error,
            other => panic!("{other:?}"),
        }) else {
            panic!("{failed:?}")
        };
        // There is no such database (invalid_catalog_name).
        assert_eq!(error.code().as_deref(), Some("3D000"));
        assert!(failed.to_string().contains("acme"), "{failed}");
        works().await;
        home.rows.abandon(&moving).await.unwrap();
        works().await;
    }
    // And when somebody has made room for it again.
    home.move_all(&moving).await;
    assert_eq!((home.seen(ACME).await, home.others(ACME).await), (seen, others));
}
