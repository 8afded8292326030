//! The rows of a tenant move while it works.

mod killed;
mod refused;
mod rows;

use tenantry_core::{Change, MovableRows, Moving, PlaneError, Revision};
use tenantry_sqlx::{MoveError, RowsError, ScopeError};

use super::*;

/// A tenant of each placement, and where it moves to.
const BOTH: [(i64, Placement); 2] = [(ACME, Placement::Dedicated), (INITECH, Placement::Shared)];

impl Home {
    /// Writes into the catalog where the tenant is.
    fn switch(&self, id: i64, to: Placement) {
        let mut moved = self.admission.admit_id(TenantId::new(id)).unwrap().tenant().clone();
        moved.revision = Revision::new(moved.revision.get() + 1);
        moved.placement = to;
        self.mirror.apply(Change::Upserted(moved));
    }

    async fn move_all(&self, moving: &Moving) {
        self.rows.prepare(moving).await.unwrap();
        MovableRows::copy(&self.rows, moving).await.unwrap();
        self.rows.catch_up(moving).await.unwrap();
        self.fence_and_switch(moving).await;
        self.rows.clean_up(moving).await.unwrap();
    }

    async fn fence_and_switch(&self, moving: &Moving) {
        self.rows.fence(moving).await.unwrap();
        self.switch(moving.to.id.get(), moving.to.placement.clone());
    }

    /// How many rows are where the tenant would have them.
    async fn left(&self, tenant: &Tenant) -> u64 {
        self.rows.count(tenant).await.unwrap().items
    }

    /// Marks in the shared tables.
    async fn marks(&self) -> i64 {
        let text = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE '\\_tenant\\_gone%'";
        sqlx::query_scalar(text).fetch_one(&mut self.admin().await).await.unwrap()
    }

    async fn refused(&self, id: i64, text: &str) {
        let error = self.as_tenant(id, sqlx::query(AssertSqlSafe(text)).execute(&self.pool)).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{text}: {error:?}");
    }
}

fn moving(id: i64, to: &Placement) -> Moving {
    Moving::new(&tenant(id), tenant(id).placement, to.clone())
}

fn back(moving: &Moving) -> Moving {
    Moving { from: moving.to.clone(), to: moving.from.clone() }
}

fn cause(error: &PlaneError) -> &MoveError {
    error.source.downcast_ref().unwrap()
}

#[tokio::test]
async fn a_tenant_moves_there_and_back_and_nobody_else_does() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let (seen, others) = (home.seen(id).await, home.others(id).await);
        let there = moving(id, &to);
        home.move_all(&there).await;
        assert_eq!(home.seen(id).await, seen);
        assert_eq!(home.others(id).await, others);
        assert_eq!((home.left(&there.from).await, home.marks().await), (0, 0));
        assert_eq!(home.next(id).await, (4, 3, true));
        let seen = home.seen(id).await;
        home.move_all(&back(&there)).await;
        assert_eq!(home.seen(id).await, seen);
        assert_eq!(home.others(id).await, others);
        assert_eq!((home.left(&there.to).await, home.marks().await), (0, 0));
        assert_eq!(home.next(id).await, (5, 4, true));
        home.move_all(&there).await;
        assert_eq!(home.next(id).await, (6, 5, true));
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
                    sqlx::query_scalar("INSERT INTO users (email) VALUES ($1) RETURNING id").bind(number.to_string());
                match writer.as_tenant(id, insert.fetch_one(&writer.pool)).await {
                    Ok(row) => acknowledged.push((row, number.to_string())),
                    Err(error) => assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error}"),
                }
                if number % 3 == 0 {
                    let update = sqlx::query("UPDATE accounts SET money = money + 1 WHERE id = 1");
                    writer.as_tenant(id, update.execute(&writer.pool)).await.ok();
                }
            }
            acknowledged
        });
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        for _ in 0..3 {
            home.rows.catch_up(&moving).await.unwrap();
        }
        home.fence_and_switch(&moving).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        stop.send(true).unwrap();
        let acknowledged = writing.await.unwrap();
        home.rows.clean_up(&moving).await.unwrap();
        let users = sqlx::query_as("SELECT id, email FROM users WHERE email ~ '^[0-9]+$' ORDER BY id");
        let users: Vec<(i64, String)> = home.as_tenant(id, users.fetch_all(&home.pool)).await.unwrap();
        assert!(!acknowledged.is_empty());
        assert_eq!(users, acknowledged);
        assert_eq!(home.others(id).await, others);
    }
}

#[tokio::test]
async fn who_has_not_heard_of_the_switch_reads_and_cannot_write() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let before = home.seen(id).await;
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        home.rows.fence(&moving).await.unwrap();
        for text in [
            "INSERT INTO notes (title) VALUES ('lost')",
            "INSERT INTO accounts VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET money = 0",
            "INSERT INTO accounts VALUES (1, 0) ON CONFLICT DO NOTHING",
            "UPDATE accounts SET money = 0",
            "DELETE FROM words",
            "WITH gone AS (DELETE FROM invoices RETURNING id) SELECT id FROM gone",
        ] {
            home.refused(id, text).await;
        }
        if to == Placement::Shared {
            home.refused(id, "TRUNCATE words").await;
        }
        assert_eq!(home.seen(id).await, before);
        home.execute(GLOBEX, "INSERT INTO notes (title) VALUES ('others go on')").await;
        home.execute(GLOBEX, "DELETE FROM words").await;
        // A process that starts now.
        let pool = ScopedPool::postgres(home.options.clone(), Some(Arc::clone(&home.admission)));
        pool.migrate(&schema()).await.unwrap();
        let insert = sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&pool);
        let error = home.as_tenant(id, insert).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error}");
        let seen: Vec<(String, String)> = home.as_tenant(id, sqlx::query_as(ALL).fetch_all(&pool)).await.unwrap();
        assert_eq!(seen, before);
        home.switch(id, to);
        assert_eq!(home.seen(id).await, before);
        home.execute(id, "INSERT INTO notes (title) VALUES ('kept')").await;
        let seen = home.seen(id).await;
        home.rows.clean_up(&moving).await.unwrap();
        assert_eq!(home.seen(id).await, seen);
    }
}

#[tokio::test]
async fn who_has_not_heard_when_all_is_cleaned_up_makes_no_rows_anew() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = moving(id, &to);
        // It hears nothing of the catalog for a time that is too long for it.
        let mut deaf = home.options.clone();
        deaf.silence_max = std::time::Duration::ZERO;
        let deaf = ScopedPool::postgres(deaf, Some(Arc::clone(&home.admission)));
        deaf.migrate(&schema()).await.unwrap();
        home.mirror.confirm(std::time::Instant::now());
        let look = || sqlx::query("SELECT * FROM words").fetch_all(&deaf);
        home.as_tenant(id, look()).await.unwrap();
        home.move_all(&moving).await;
        let seen = home.seen(id).await;
        // Processes whose catalog is out of date: one that starts now, and those that knew the tenant before.
        home.switch(id, moving.from.placement.clone());
        let lost = sqlx::query("INSERT INTO words VALUES ('lost')").execute(&deaf);
        let error = home.as_tenant(id, lost).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error:?}");
        let pool = ScopedPool::postgres(home.options.clone(), Some(Arc::clone(&home.admission)));
        pool.migrate(&schema()).await.unwrap();
        let insert = sqlx::query("INSERT INTO words VALUES ('lost')").execute(&pool);
        let error = home.as_tenant(id, insert).await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::Moved)), "{error:?}");
        if to == Placement::Shared {
            let lost = sqlx::query("INSERT INTO words VALUES ('lost')").execute(&home.pool);
            assert!(home.as_tenant(id, lost).await.is_err());
        }
        assert_eq!(home.left(&moving.from).await, 0);
        home.switch(id, to);
        assert_eq!(home.seen(id).await, seen);
    }
}

#[tokio::test]
async fn a_tenant_that_was_never_used_moves_as_a_new_one() {
    for (id, to) in BOTH {
        let home = Home::used(&[GLOBEX]).await;
        home.move_all(&moving(id, &to)).await;
        assert_eq!(home.seen(id).await, home.seen(UMBRELLA).await);
        assert_eq!(home.next(id).await, (1, 1, true));
    }
}
