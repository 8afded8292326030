//! What plans allow on PostgreSQL: rows, and the time of a statement.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Executor, Postgres};
use tenantry_core::Code;
use tenantry_resource::within;
use tenantry_sqlx::ScopedPool;

use super::Deployment;
use crate::limits::{OF_MIGRATIONS, is_full, refused, rows_max, time_max};

async fn tags(pool: &ScopedPool<Postgres>) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tags").fetch_one(pool).await.unwrap()
}

async fn insert(pool: &ScopedPool<Postgres>, from: i64, to: i64) -> Result<u64, sqlx::Error> {
    let text = "INSERT INTO tags SELECT 'tag ' || n FROM generate_series($1, $2) AS n";
    sqlx::query(text).bind(from).bind(to).execute(pool).await.map(|done| done.rows_affected())
}

#[tokio::test]
async fn a_tenant_has_as_many_rows_as_its_plan_allows() {
    let deployment = Deployment::limited(rows_max(10)).await;
    let pool = &deployment.pool;
    let work = async {
        assert_eq!(insert(pool, 1, 8).await.unwrap(), 8);
        let error =
            sqlx::query("INSERT INTO users (email) VALUES ('a') RETURNING id").fetch_one(pool).await.unwrap_err();
        let (code, operator, _) = refused(&error);
        assert_eq!(code, Code::RowsFull);
        assert!(operator.contains("acme") && operator.contains("plans.small.rows_max"), "{operator}");
        sqlx::query("UPDATE tags SET name = name || '!'").execute(pool).await.unwrap();
        let upsert = "INSERT INTO tags VALUES ('first!') ON CONFLICT (name) DO UPDATE SET name = excluded.name";
        sqlx::query(upsert).execute(pool).await.unwrap();
        sqlx::query("DELETE FROM tags WHERE name IN ('first!', 'second!')").execute(pool).await.unwrap();
        insert(pool, 9, 10).await.unwrap();
        assert!(is_full(&insert(pool, 11, 11).await.unwrap_err()));
        assert_eq!(tags(pool).await, 10);
        sqlx::query("TRUNCATE tags").execute(pool).await.unwrap();
        insert(pool, 1, 10).await.unwrap();
    };
    deployment.as_tenant(1, work).await;
    let other = async { assert_eq!(insert(pool, 1, 100).await.unwrap(), 100) };
    deployment.as_tenant(2, other).await;
}

/// The server says only how many rows the statement around it gives or changes.
#[tokio::test]
async fn what_is_inserted_within_a_statement_is_counted() {
    let deployment = Deployment::limited(rows_max(10)).await;
    let pool = &deployment.pool;
    let inserting = |from: i64, to: i64, rest: &str| {
        let insert = "INSERT INTO tags SELECT 'tag ' || n FROM generate_series";
        AssertSqlSafe(format!("WITH i AS ({insert}({from}, {to}) AS n RETURNING name) {rest}"))
    };
    let work = async {
        insert(pool, 1, 1).await.unwrap();
        for rest in [
            "SELECT count(*) FROM i",
            ", d AS (DELETE FROM tags WHERE false RETURNING 1) SELECT count(*) FROM i",
            "INSERT INTO users (email) VALUES ('a')",
            "UPDATE tags SET name = name WHERE false",
            "DELETE FROM tags WHERE name = 'first'",
        ] {
            assert!(is_full(&sqlx::query(inserting(2, 100, rest)).execute(pool).await.unwrap_err()), "{rest}");
            assert_eq!(tags(pool).await, OF_MIGRATIONS + 1, "{rest}");
        }
        let deletes_first = "WITH d AS (DELETE FROM tags WHERE name = 'tag 1' RETURNING 1), i AS \
                             (INSERT INTO tags SELECT 'tag ' || n FROM generate_series(2, 100) AS n RETURNING 1) SELECT 1";
        assert!(is_full(&sqlx::query(deletes_first).execute(pool).await.unwrap_err()));
        // Nor is it how many rows are deleted.
        let text = "WITH d AS (DELETE FROM tags WHERE name = 'tag 1' RETURNING 1) SELECT n FROM d, generate_series(1, 1000) AS n";
        assert_eq!(sqlx::query(text).fetch_all(pool).await.unwrap().len(), 1000);
        assert!(is_full(&insert(pool, 1, 100).await.unwrap_err()));
        // What is undone has taken no room.
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query(inserting(1, 8, "SELECT count(*) FROM i")).execute(&mut *transaction).await.unwrap();
        assert!(is_full(&transaction.execute("INSERT INTO tags VALUES ('more')").await.unwrap_err()));
        transaction.rollback().await.unwrap();
        let all = sqlx::query_scalar::<_, i64>(inserting(1, 7, "SELECT count(*) FROM i")).fetch_one(pool).await;
        assert_eq!(all.unwrap(), 7);
        insert(pool, 8, 8).await.unwrap();
        assert!(is_full(&insert(pool, 9, 9).await.unwrap_err()));
        assert_eq!(tags(pool).await, 10);
        // What is deleted within makes room for what is inserted.
        let text = "WITH d AS (DELETE FROM tags WHERE name = 'tag 1' RETURNING name) INSERT INTO tags SELECT name || '!' FROM d";
        sqlx::query(text).execute(pool).await.unwrap();
        assert_eq!(tags(pool).await, 10);
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn a_transaction_without_room_is_one_that_has_failed() {
    let deployment = Deployment::limited(rows_max(10)).await;
    let pool = &deployment.pool;
    let fill = "INSERT INTO tags VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f'), ('g'), ('h')";
    let work = async {
        for way in 0..3 {
            let mut transaction = pool.begin().await.unwrap();
            transaction.execute(fill).await.unwrap();
            let mut savepoint = transaction.begin().await.unwrap();
            assert!(is_full(&savepoint.execute("INSERT INTO tags VALUES ('i')").await.unwrap_err()));
            // As after any error.
            savepoint.execute("SELECT 1").await.unwrap_err();
            savepoint.rollback().await.unwrap();
            transaction.execute("DELETE FROM tags WHERE name = 'a'").await.unwrap();
            transaction.execute("INSERT INTO tags VALUES ('i')").await.unwrap();
            assert!(is_full(&transaction.execute("INSERT INTO tags VALUES ('j')").await.unwrap_err()));
            match way {
                0 => transaction.rollback().await.unwrap(),
                1 => drop(transaction),
                // sqlx does not look whether the server has undone it.
                _ => drop(transaction.commit().await),
            }
            assert_eq!(tags(pool).await, OF_MIGRATIONS);
        }
        pool.acquire().await.unwrap().execute(fill).await.unwrap();
        assert_eq!(tags(pool).await, 10);
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn another_process_counts_what_is_there() {
    let deployment = Deployment::limited(rows_max(10)).await;
    let (pool, other) = (&deployment.pool, &deployment.another(|_| {}));
    let work = async {
        insert(pool, 1, 8).await.unwrap();
        assert!(is_full(&insert(other, 9, 9).await.unwrap_err()));
        sqlx::query("DELETE FROM tags").execute(other).await.unwrap();
        insert(other, 1, 9).await.unwrap();
        let mut refusals = 0;
        for at in 0..100 {
            refusals += u32::from(insert(pool, 100 + at, 100 + at).await.is_err());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((refusals, tags(pool).await), (99, 10));
    };
    deployment.as_tenant(1, work).await;
}

/// A statement whose rows nobody reads is kept, and known to be so before the next one.
#[tokio::test]
async fn nobody_has_room_who_does_not_wait_for_the_end() {
    let deployment = Deployment::limited(rows_max(20)).await;
    let pool = &deployment.pool;
    let work = async {
        insert(pool, 1, 10).await.unwrap();
        for at in 0..30 {
            let text = AssertSqlSafe(format!(
                "INSERT INTO users (email) SELECT '{at} ' || n FROM generate_series(1, 3) AS n RETURNING id"
            ));
            let mut rows = sqlx::query(text).fetch(pool);
            rows.try_next().await.ok();
            drop(rows);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(pool).await.unwrap();
        // Ninety, if nobody looked. How often it is looked depends on how long that takes.
        assert!(users < 45, "{users}");
    };
    deployment.as_tenant(1, work).await;
}

const ENDLESS: &str = "WITH RECURSIVE n(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM n) SELECT max(n) FROM n";
const LONG: &str =
    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000) SELECT max(n) FROM n";

#[tokio::test]
async fn a_statement_is_stopped_when_its_time_is_up() {
    let deployment = Deployment::limited(time_max(Duration::from_millis(100))).await;
    let pool = &deployment.pool;
    for tenant in [1, 3] {
        let stopped = within(deployment.scope(tenant), async {
            let mut transaction = pool.begin().await.unwrap();
            transaction.execute("INSERT INTO tags VALUES ('a')").await.unwrap();
            let error = transaction.execute(ENDLESS).await.unwrap_err();
            transaction.execute("SELECT 1").await.unwrap_err();
            drop(transaction);
            assert_eq!(refused(&sqlx::query(ENDLESS).execute(pool).await.unwrap_err()).0, refused(&error).0);
            error
        });
        let other = within(deployment.scope(2), async {
            sqlx::query(LONG).execute(pool).await.unwrap();
        });
        let (stopped, ()) = tokio::join!(stopped, other);
        let (code, operator, user) = refused(&stopped);
        assert_eq!((code, user.as_str()), (Code::StatementTimeout, "this took too long, and was stopped."));
        assert!(operator.contains("plans.small.statement_time_max") && operator.contains("100ms"), "{operator}");
        deployment.as_tenant(tenant, async { assert_eq!(tags(pool).await, OF_MIGRATIONS) }).await;
    }
    // Nothing of it is left for others on the same connections.
    deployment.as_tenant(2, async { sqlx::query(LONG).execute(pool).await.unwrap() }).await;
}

/// What the application sets by itself is its own affair, and an error of the database.
#[tokio::test]
async fn a_shorter_time_of_the_applications_own_is_said_by_the_database() {
    let deployment = Deployment::limited(time_max(Duration::from_secs(60))).await;
    let work = async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        transaction.execute(AssertSqlSafe("SET LOCAL statement_timeout = 50")).await.unwrap();
        let error = transaction.execute(ENDLESS).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("57014"));
    };
    deployment.as_tenant(1, work).await;
}
