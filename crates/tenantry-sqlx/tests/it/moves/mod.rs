//! The rows of a tenant move while it works.

mod killed;
mod refused;

use std::sync::Arc;

use tenantry_core::{Change, Placement, Plane, Tenant};
use tenantry_resource::within;
use tenantry_sqlx::{MoveError, RowsMove, ScopeError};

use crate::{
    adopt::instance,
    planes::{ACME, GLOBEX, HOOLI, Home, INITECH, tenant},
};

/// A tenant of each placement, and where it moves to.
const BOTH: [(i64, Placement); 2] = [(ACME, Placement::Dedicated), (INITECH, Placement::Shared)];

impl Home {
    fn moving(&self, id: i64, to: Placement) -> RowsMove<'_> {
        self.rows.moving(&tenant(id), tenant(id).placement, to)
    }

    /// Writes into the catalog where the tenant is.
    async fn switch(&self, id: i64, to: Placement) -> Result<(), std::io::Error> {
        let mut moved: Tenant = self.deployment.scope(id).tenant().clone();
        moved.revision = tenantry_core::Revision::new(moved.revision.get() + 1);
        moved.placement = to;
        self.deployment.mirror.apply(Change::Upserted(moved));
        Ok(())
    }

    async fn move_all(&self, id: i64, to: Placement) {
        let moving = self.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        moving.catch_up().await.unwrap();
        moving.fence().await.unwrap();
        self.switch(id, to).await.unwrap();
        moving.clean_up().await.unwrap();
    }

    /// How many rows are where a tenant with this placement has them.
    async fn left(&self, id: i64, placement: Placement) -> u64 {
        let mut tenant = tenant(id);
        tenant.placement = placement;
        self.rows.count(&tenant).await.unwrap().items
    }
}

#[tokio::test]
async fn a_tenant_moves_there_and_back_and_nobody_else_does() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let from = tenant(id).placement;
        let (seen, others) = (home.seen(id).await, home.others(id).await);
        home.move_all(id, to.clone()).await;
        assert_eq!(home.seen(id).await, seen);
        assert_eq!(home.others(id).await, others);
        assert_eq!(home.left(id, from.clone()).await, 0);
        assert_eq!(home.next(id).await, 4);
        let seen = home.seen(id).await;
        let back = home.rows.moving(&tenant(id), to.clone(), from.clone());
        back.prepare().await.unwrap();
        back.copy().await.unwrap();
        back.fence().await.unwrap();
        home.switch(id, from).await.unwrap();
        back.clean_up().await.unwrap();
        assert_eq!(home.seen(id).await, seen);
        assert_eq!(home.others(id).await, others);
        assert_eq!(home.left(id, to).await, 0);
        assert_eq!(home.next(id).await, 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost() {
    for (id, to) in BOTH {
        let home = Arc::new(Home::used(&[ACME, GLOBEX, INITECH]).await);
        let others = home.others(id).await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let writer = Arc::clone(&home);
        #[expect(clippy::disallowed_methods, reason = "it enters scopes by itself")]
        let writing = tokio::spawn(async move {
            let mut acknowledged: Vec<(i64, String)> = Vec::new();
            let mut number = 0;
            while !*stopped.borrow() {
                number += 1;
                let insert =
                    sqlx::query_scalar("INSERT INTO notes (title) VALUES (?) RETURNING id").bind(number.to_string());
                match within(writer.deployment.scope(id), insert.fetch_one(writer.pool())).await {
                    Ok(row) => acknowledged.push((row, number.to_string())),
                    Err(error) => assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error}"),
                }
                if number % 3 == 0 {
                    let update = sqlx::query("UPDATE accounts SET money = money + 1 WHERE id = 1");
                    within(writer.deployment.scope(id), update.execute(writer.pool())).await.ok();
                }
            }
            acknowledged
        });
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        for _ in 0..3 {
            moving.catch_up().await.unwrap();
        }
        moving.fence().await.unwrap();
        home.switch(id, to).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        stop.send(true).unwrap();
        let acknowledged = writing.await.unwrap();
        moving.clean_up().await.unwrap();
        let notes = sqlx::query_as("SELECT id, title FROM notes WHERE title GLOB '[0-9]*' AND id > 2 ORDER BY id");
        let notes: Vec<(i64, String)> = within(home.deployment.scope(id), notes.fetch_all(home.pool())).await.unwrap();
        assert!(!acknowledged.is_empty());
        assert_eq!(notes, acknowledged);
        assert_eq!(home.others(id).await, others);
    }
}

#[tokio::test]
async fn who_has_not_heard_of_the_switch_reads_and_cannot_write() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let before = home.seen(id).await;
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        moving.fence().await.unwrap();
        assert_eq!(home.seen(id).await, before);
        for text in [
            "INSERT INTO notes (title) VALUES ('lost')",
            "INSERT INTO accounts VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET money = 0",
            "UPDATE accounts SET money = 0",
            "DELETE FROM links",
        ] {
            let run = sqlx::query(sqlx::AssertSqlSafe(text)).execute(home.pool());
            let error = within(home.deployment.scope(id), run).await.unwrap_err();
            assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{text}: {error}");
        }
        home.execute(GLOBEX, "INSERT INTO notes (title) VALUES ('others go on')").await;
        // A process that starts now.
        let pool = home.deployment.another(|options| options.global = vec!["countries".into()]);
        let insert = sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&pool);
        let error = within(home.deployment.scope(id), insert).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error}");
        moving.fence().await.unwrap();
        home.switch(id, to).await.unwrap();
        assert_eq!(home.seen(id).await, before);
        home.execute(id, "INSERT INTO notes (title) VALUES ('kept')").await;
    }
}

#[tokio::test]
async fn a_tenant_that_was_never_used_moves_as_a_new_one() {
    for (id, to) in BOTH {
        let home = Home::used(&[GLOBEX]).await;
        home.move_all(id, to).await;
        assert_eq!(home.seen(id).await, home.seen(crate::planes::UMBRELLA).await);
    }
}

#[tokio::test]
async fn a_statement_waits_for_rows_that_are_on_their_way() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let patient = home.deployment.another(|options| {
            options.global = vec!["countries".into()];
            options.move_wait_max = std::time::Duration::from_secs(60);
        });
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        moving.fence().await.unwrap();
        let insert = sqlx::query_scalar::<_, i64>("INSERT INTO notes (title) VALUES (?) RETURNING id").bind("waited");
        let update = sqlx::query("UPDATE accounts SET money = money + 1 WHERE id = ?").bind(1);
        let waiting = within(home.deployment.scope(id), async {
            tokio::join!(insert.fetch_one(&patient), update.execute(&patient))
        });
        let switching = async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            // Who only reads does not wait.
            let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM notes").fetch_one(&patient);
            within(home.deployment.scope(id), count).await.unwrap();
            home.switch(id, to.clone()).await.unwrap();
        };
        let ((inserted, updated), ()) = tokio::join!(waiting, switching);
        assert_eq!((inserted.unwrap(), updated.unwrap().rows_affected()), (4, 1));
        moving.clean_up().await.unwrap();
        let titles = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM notes WHERE title = 'waited'");
        assert_eq!(within(home.deployment.scope(id), titles.fetch_one(home.pool())).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_connection_from_before_the_move_is_no_way_to_lose_anything() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let scope = home.deployment.scope(id);
        let mut connection = within(scope.clone(), home.pool().acquire()).await.unwrap();
        let mut transaction = within(scope.clone(), home.pool().begin()).await.unwrap();
        let moving = home.moving(id, to.clone());
        moving.prepare().await.unwrap();
        moving.copy().await.unwrap();
        moving.fence().await.unwrap();
        home.switch(id, to.clone()).await.unwrap();
        moving.clean_up().await.unwrap();
        let insert = || sqlx::query("INSERT INTO notes (title) VALUES ('lost')");
        let error = within(scope.clone(), insert().execute(&mut connection)).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error}");
        let error = within(scope.clone(), insert().execute(&mut *transaction)).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error}");
        drop((connection, transaction));
        // A new one is where the rows are, though the scope is from before.
        let inserted = within(scope, insert().execute(home.pool())).await.unwrap();
        assert_eq!(inserted.rows_affected(), 1);
        assert_eq!(home.left(id, tenant(id).placement).await, 0);
    }
}
