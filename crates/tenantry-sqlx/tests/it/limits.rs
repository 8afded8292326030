//! What plans allow on SQLite: rows, and the time of a statement.

use std::time::Duration;

use futures_util::{TryStreamExt, future::join_all};
use sqlx::{AssertSqlSafe, Sqlite};
use tenantry_core::{Code, Limits};
use tenantry_resource::within;
use tenantry_sqlx::{ScopeError, ScopedPool};

use crate::scoped::{Deployment, NOTES};

/// The migrations give every tenant two tags.
pub(crate) const OF_MIGRATIONS: i64 = 2;

pub(crate) fn rows_max(max: u64) -> Limits {
    let mut limits = Limits::NONE;
    limits.rows_max = Some(max);
    limits
}

pub(crate) fn time_max(max: Duration) -> Limits {
    let mut limits = Limits::NONE;
    limits.statement_time_max = Some(max);
    limits
}

/// What a refusal says, to the operator and to the tenant's user.
pub(crate) fn refused(error: &sqlx::Error) -> (Code, String, String) {
    let refusal = ScopeError::of(error).and_then(ScopeError::refusal).unwrap_or_else(|| panic!("{error}"));
    (refusal.code(), refusal.to_string(), refusal.public().into_owned())
}

pub(crate) fn is_full(error: &sqlx::Error) -> bool {
    refused(error).0 == Code::RowsFull
}

async fn tags(pool: &ScopedPool<Sqlite>) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tags").fetch_one(pool).await.unwrap()
}

async fn insert(pool: &ScopedPool<Sqlite>, from: i64, to: i64) -> Result<u64, sqlx::Error> {
    let text = "WITH RECURSIVE n(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2) \
                INSERT INTO tags SELECT 'tag ' || n FROM n";
    sqlx::query(text).bind(from).bind(to).execute(pool).await.map(|done| done.rows_affected())
}

#[tokio::test]
async fn a_tenant_has_as_many_rows_as_its_plan_allows() {
    let deployment = Deployment::limited(rows_max(10));
    deployment.migrate(&[NOTES]).await.unwrap();
    let pool = &deployment.pool;
    within(deployment.scope(1), async {
        assert_eq!(insert(pool, 1, 8).await.unwrap(), 8);
        let error = sqlx::query("INSERT INTO users (email) VALUES ('a')").execute(pool).await.unwrap_err();
        let (code, operator, user) = refused(&error);
        assert_eq!(
            (code, user.as_str()),
            (Code::RowsFull, "there is no room for more entries; what is deleted makes room.")
        );
        for named in ["acme", "plans.small.rows_max", "10 rows", "raise"] {
            assert!(operator.contains(named), "{operator}");
        }
        assert_eq!(tenantry_resource::current().unwrap().noted().unwrap().code(), Code::RowsFull);
        // What is changed and deleted needs no room.
        sqlx::query("UPDATE tags SET name = name || '!'").execute(pool).await.unwrap();
        sqlx::query("DELETE FROM tags WHERE name IN ('first!', 'second!')").execute(pool).await.unwrap();
        insert(pool, 9, 10).await.unwrap();
        assert!(is_full(&insert(pool, 11, 11).await.unwrap_err()));
        assert_eq!(tags(pool).await, 10);
    })
    .await;
    within(deployment.scope(2), async {
        assert_eq!(insert(pool, 1, 100).await.unwrap(), 100, "another plan, another tenant's rows");
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_has_no_room_is_undone_as_a_whole() {
    let deployment = Deployment::limited(rows_max(10));
    deployment.migrate(&[NOTES]).await.unwrap();
    let pool = &deployment.pool;
    within(deployment.scope(1), async {
        assert!(is_full(&insert(pool, 1, 9).await.unwrap_err()));
        assert_eq!(tags(pool).await, OF_MIGRATIONS);
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query("INSERT INTO users (email) VALUES ('a')").execute(&mut *transaction).await.unwrap();
        let text = "INSERT INTO tags VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f'), ('g'), ('h')";
        for text in
            [text.to_owned(), text.replace("INSERT", "INSERT OR IGNORE"), text.replace("INSERT", "INSERT OR FAIL")]
        {
            let error = sqlx::query(AssertSqlSafe(text)).execute(&mut *transaction).await.unwrap_err();
            assert!(is_full(&error));
        }
        // As after any other error, the transaction goes on.
        sqlx::query("INSERT INTO users (email) VALUES ('b')").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(pool).await.unwrap();
        assert_eq!((users, tags(pool).await), (2, OF_MIGRATIONS));
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_is_room_again() {
    let deployment = Deployment::limited(rows_max(10));
    deployment.migrate(&[NOTES]).await.unwrap();
    let pool = &deployment.pool;
    let fill = "INSERT INTO tags VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f'), ('g'), ('h')";
    within(deployment.scope(1), async {
        for way in 0..3 {
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query(fill).execute(&mut *transaction).await.unwrap();
            let elsewhere = sqlx::query("INSERT INTO tags VALUES ('i')").execute(&mut *transaction).await;
            assert!(is_full(&elsewhere.unwrap_err()));
            match way {
                0 => transaction.rollback().await.unwrap(),
                1 => drop(transaction),
                _ => {
                    // What is deleted in a transaction makes room in it, and what a savepoint deletes only if it is kept.
                    let mut savepoint = transaction.begin().await.unwrap();
                    sqlx::query("DELETE FROM tags WHERE name = 'a'").execute(&mut *savepoint).await.unwrap();
                    sqlx::query("INSERT INTO tags VALUES ('i')").execute(&mut *savepoint).await.unwrap();
                    savepoint.rollback().await.unwrap();
                    let full = sqlx::query("INSERT INTO tags VALUES ('i')").execute(&mut *transaction).await;
                    assert!(is_full(&full.unwrap_err()));
                    transaction.rollback().await.unwrap();
                }
            }
        }
        assert_eq!(sqlx::query(fill).execute(pool).await.unwrap().rows_affected(), 8);
        assert!(is_full(&insert(pool, 1, 1).await.unwrap_err()));
    })
    .await;
}

#[tokio::test]
async fn rows_of_triggers_of_tables_without_ids_and_of_others_count() {
    let deployment = Deployment::limited(rows_max(100));
    let log = "CREATE TABLE log (what TEXT);
               CREATE TABLE plain (key TEXT PRIMARY KEY) WITHOUT ROWID;
               CREATE TRIGGER logged AFTER INSERT ON users BEGIN INSERT INTO log VALUES (NEW.email); END;";
    deployment.migrate(&[NOTES, log]).await.unwrap();
    let pool = &deployment.pool;
    within(deployment.scope(1), async {
        let text = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
                    INSERT INTO users (email) SELECT n FROM n";
        let error = sqlx::query(text).bind(50).execute(pool).await.unwrap_err();
        assert!(is_full(&error), "each has one in the log");
        sqlx::query(text).bind(48).execute(pool).await.unwrap();
        sqlx::query("INSERT INTO plain VALUES ('a'), ('b')").execute(pool).await.unwrap();
        assert!(is_full(&sqlx::query("INSERT INTO plain VALUES ('c')").execute(pool).await.unwrap_err()));
        // An id of which there is a row already is no new row.
        let upsert =
            "INSERT INTO users (id, email) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = excluded.email";
        sqlx::query(upsert).execute(pool).await.unwrap();
    })
    .await;
    // Another process knows nothing of all that, and counts.
    let other = deployment.another(|_| {});
    within(deployment.scope(1), async {
        assert!(is_full(&sqlx::query("INSERT INTO tags VALUES ('c')").execute(&other).await.unwrap_err()));
        sqlx::query("DELETE FROM log").execute(&other).await.unwrap();
        sqlx::query("INSERT INTO tags VALUES ('c')").execute(&other).await.unwrap();
    })
    .await;
    // What the other one has deleted, the first one counts when it has no room.
    within(deployment.scope(1), async {
        let mut inserted = false;
        for _ in 0..100 {
            inserted = inserted || sqlx::query("INSERT INTO tags VALUES ('d')").execute(pool).await.is_ok();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(inserted);
    })
    .await;
}

#[tokio::test]
async fn many_at_once_do_not_exceed_it() {
    let deployment = Deployment::limited(rows_max(50));
    deployment.migrate(&[NOTES]).await.unwrap();
    let tasks = (0..20).map(|task| {
        let (pool, scope) = (deployment.pool.clone(), deployment.scope(1));
        within(scope, async move {
            let mut inserted = 0;
            for at in 0..10 {
                let text = AssertSqlSafe(format!("INSERT INTO tags VALUES ('{task} {at}')"));
                match sqlx::query(text).execute(&pool).await {
                    Ok(done) => inserted += done.rows_affected(),
                    Err(error) => assert!(is_full(&error), "{error}"),
                }
            }
            inserted
        })
    });
    let inserted: u64 = join_all(tasks).await.into_iter().sum();
    assert_eq!(inserted, 48);
    within(deployment.scope(1), async { assert_eq!(tags(&deployment.pool).await, 50) }).await;
}

const ENDLESS: &str = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT max(n) FROM n, tags";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_stopped_when_its_time_is_up() {
    let deployment = Deployment::limited(time_max(Duration::from_millis(100)));
    deployment.migrate(&[NOTES]).await.unwrap();
    let pool = &deployment.pool;
    // On shared tables, and on a database of the tenant's own.
    for tenant in [1, 3] {
        let stopped =
            within(deployment.scope(tenant), async { sqlx::query(ENDLESS).fetch_all(pool).await.unwrap_err() });
        // Another tenant's statements run meanwhile, and longer than that.
        let other = within(deployment.scope(2), async {
            let text = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000000) SELECT max(n) FROM n";
            sqlx::query_scalar::<_, i64>(text).fetch_one(pool).await.unwrap()
        });
        let (stopped, counted) = tokio::join!(stopped, other);
        assert_eq!(counted, 2_000_000);
        let (code, operator, user) = refused(&stopped);
        assert_eq!((code, user.as_str()), (Code::StatementTimeout, "this took too long, and was stopped."));
        assert!(operator.contains("plans.small.statement_time_max") && operator.contains("100ms"), "{operator}");
        within(deployment.scope(tenant), async {
            for _ in 0..20 {
                assert_eq!(tags(pool).await, OF_MIGRATIONS, "the connection is good");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_a_stopped_statement_has_written_is_undone_and_nothing_goes_on_after_it() {
    let deployment = Deployment::limited(time_max(Duration::from_millis(100)));
    deployment.migrate(&[NOTES]).await.unwrap();
    let pool = &deployment.pool;
    let endless =
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) INSERT INTO users (email) SELECT n FROM n";
    for tenant in [1, 3] {
        within(deployment.scope(tenant), async {
            let stopped = sqlx::query(endless).execute(pool).await.unwrap_err();
            assert_eq!(refused(&stopped).0, Code::StatementTimeout);
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query("INSERT INTO tags VALUES ('a')").execute(&mut *transaction).await.unwrap();
            // One that only reads leaves the transaction as it is, on shared tables.
            if tenant == 1 {
                sqlx::query(ENDLESS).fetch_optional(&mut *transaction).await.unwrap_err();
                sqlx::query("INSERT INTO tags VALUES ('b')").execute(&mut *transaction).await.unwrap();
            }
            sqlx::query(endless).execute(&mut *transaction).await.unwrap_err();
            // SQLite would take it for a transaction by itself.
            let after = sqlx::query("INSERT INTO tags VALUES ('c')").execute(&mut *transaction).await.unwrap_err();
            assert_eq!(refused(&after).0, Code::StatementTimeout);
            assert_eq!(refused(&transaction.commit().await.unwrap_err()).0, Code::StatementTimeout);
            assert_eq!(tags(pool).await, OF_MIGRATIONS);
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query(endless).execute(&mut *transaction).await.unwrap_err();
            transaction.rollback().await.unwrap();
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query("INSERT INTO users (email) VALUES ('a')").execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(pool).await.unwrap();
            assert_eq!(users, 1);
        })
        .await;
    }
}

/// SQLite goes on counting the steps of a statement that is kept.
#[tokio::test]
async fn a_statement_that_is_used_again_has_all_of_its_time() {
    let deployment = Deployment::limited(time_max(Duration::from_secs(5)));
    deployment.migrate(&[NOTES]).await.unwrap();
    within(deployment.scope(1), async {
        let text = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) SELECT n FROM n";
        let mut connection = deployment.pool.acquire().await.unwrap();
        for _ in 0..300 {
            let rows: Vec<i64> =
                sqlx::query_scalar::<_, i64>(text).bind(1000).fetch(&mut connection).try_collect().await.unwrap();
            assert_eq!(rows.len(), 1000);
        }
    })
    .await;
}
