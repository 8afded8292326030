//! What is kept and what is undone.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Executor, Postgres, Row, SqlSafeStr};
use tenantry_sql::Code;
use tenantry_sqlx::{ScopeError, ScopedPool};

use super::Deployment;

async fn tags(pool: &ScopedPool<Postgres>) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tags").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_statement_by_itself_is_kept_or_undone_as_a_whole() {
    let deployment = Deployment::with(|options| options.connections_max = 1).await;
    let work = async {
        let pool = &deployment.pool;
        sqlx::query("INSERT INTO tags VALUES ('a'), ('b')").execute(pool).await.unwrap();
        assert_eq!(tags(pool).await, 4);
        sqlx::query("INSERT INTO tags VALUES ('c'), ('a')").execute(pool).await.unwrap_err();
        assert_eq!(tags(pool).await, 4);
        // One connection for several statements.
        let mut connection = pool.acquire().await.unwrap();
        connection.execute("INSERT INTO tags VALUES ('c')").await.unwrap();
        connection.execute("INSERT INTO tags VALUES ('c')").await.unwrap_err();
        connection.execute("INSERT INTO tags VALUES ('d')").await.unwrap();
        drop(connection);
        assert_eq!(tags(pool).await, 6);
    };
    deployment.as_tenant(1, work).await;
    deployment.as_tenant(2, async { assert_eq!(tags(&deployment.pool).await, 2) }).await;
}

/// As on a private database, where the server runs a statement to its end whoever reads the rows.
#[tokio::test]
async fn a_statement_whose_rows_nobody_reads_is_kept() {
    let deployment = Deployment::with(|options| options.connections_max = 1).await;
    let work = async {
        let pool = &deployment.pool;
        let insert = "INSERT INTO tags SELECT 'tag ' || n FROM generate_series(1, 1000) AS n RETURNING name";
        let mut rows = sqlx::query(insert).fetch(pool);
        assert!(rows.try_next().await.unwrap().is_some());
        drop(rows);
        assert_eq!(tags(pool).await, 1002);
        let mut connection = pool.acquire().await.unwrap();
        let mut rows = connection.fetch("DELETE FROM tags RETURNING name");
        assert!(rows.try_next().await.unwrap().is_some());
        drop(rows);
        let left = connection.fetch_one("SELECT count(*) FROM tags").await.unwrap();
        assert_eq!(left.get::<i64, _>(0), 0);
    };
    deployment.as_tenant(1, work).await;
}

/// The statement before is ended first, whatever comes next on the connection.
#[tokio::test]
async fn what_nobody_has_read_is_kept_before_a_preparation_and_a_transaction() {
    let deployment = Deployment::with(|options| options.connections_max = 2).await;
    let work = async {
        let pool = &deployment.pool;
        let mut connection = pool.acquire().await.unwrap();
        for (at, expected) in [(1, 3), (2, 4)] {
            let insert = sqlx::query("INSERT INTO tags VALUES ('tag ' || $1) RETURNING name").bind(at.to_string());
            let mut rows = connection.fetch(insert);
            assert!(rows.try_next().await.unwrap().is_some());
            drop(rows);
            if at == 1 {
                connection.prepare(AssertSqlSafe("SELECT name FROM tags").into_sql_str()).await.unwrap();
            } else {
                // It is a transaction, not a savepoint within what is left of the statement.
                let mut transaction = connection.begin().await.unwrap();
                transaction.execute("DELETE FROM tags").await.unwrap();
                assert_eq!(tags(pool).await, expected);
                transaction.rollback().await.unwrap();
            }
            assert_eq!(tags(pool).await, expected);
        }
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn what_is_deferred_is_found_at_the_end() {
    let deployment = Deployment::with(|options| options.connections_max = 1).await;
    let work = async {
        let pool = &deployment.pool;
        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("SET CONSTRAINTS ALL DEFERRED").await.ok();
        transaction.execute("INSERT INTO users (id, email) VALUES (1, 'a')").await.unwrap();
        for _ in 0..2 {
            // Refused at once unless constraints can be deferred by statements.
            let inserted = transaction.execute("INSERT INTO notes (user_id, title) VALUES (1, 'same')").await;
            if inserted.is_err() {
                return;
            }
        }
        let error = transaction.commit().await.unwrap_err();
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{error}");
        assert_eq!(tags(pool).await, 2);
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn statements_begin_and_end_transactions_on_a_connection() {
    let deployment = Deployment::with(|options| options.connections_max = 1).await;
    let work = async {
        let pool = &deployment.pool;
        let mut connection = pool.acquire().await.unwrap();
        for (script, expected) in [
            (&["BEGIN", "INSERT INTO tags VALUES ('a')", "COMMIT"][..], 3),
            (&["BEGIN ISOLATION LEVEL REPEATABLE READ -- so", "DELETE FROM tags", "ROLLBACK"], 3),
            (&["BEGIN", "SAVEPOINT s", "DELETE FROM tags", "ROLLBACK TO s", "INSERT INTO tags VALUES ('b')", "END"], 4),
            (&["COMMIT", "ROLLBACK", "BEGIN", "BEGIN", "ABORT"], 4),
        ] {
            for statement in script {
                connection.execute(*statement).await.unwrap();
            }
            let count = connection.fetch_one("SELECT count(*) FROM tags").await.unwrap();
            assert_eq!(count.get::<i64, _>(0), expected, "{script:?}");
        }
        // What is still open is undone when the connection goes back.
        connection.execute("BEGIN").await.unwrap();
        connection.execute("DELETE FROM tags").await.unwrap();
        drop(connection);
        assert_eq!(tags(pool).await, 4);

        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("INSERT INTO tags VALUES ('c')").await.unwrap();
        let mut savepoint = transaction.begin().await.unwrap();
        let error = savepoint.execute("COMMIT").await.unwrap_err();
        assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(Code::Unknown), "{error}");
        drop(savepoint);
        let error = transaction.execute("COMMIT AND CHAIN").await.unwrap_err();
        assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(Code::Unknown), "{error}");
        transaction.execute("COMMIT").await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(tags(pool).await, 5);
    };
    deployment.as_tenant(1, work).await;
}

#[tokio::test]
async fn a_transaction_begins_as_it_is_told() {
    let deployment = Deployment::new().await;
    let work = async {
        let pool = &deployment.pool;
        let mut reads = pool.begin_with("BEGIN READ ONLY").await.unwrap();
        let error = reads.execute("DELETE FROM tags").await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("25006"));
        drop(reads);
        let mut later = pool.begin().await.unwrap();
        later.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await.unwrap();
        let level = later.fetch_one("SHOW transaction_isolation").await.unwrap();
        assert_eq!(level.get::<String, _>(0), "serializable");
        drop(later);
        let error = pool.begin_with("DELETE FROM tags").await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::NoBeginning)), "{error}");
        let error = pool.begin_with("COMMIT").await.unwrap_err();
        assert!(matches!(ScopeError::of(&error), Some(ScopeError::NoBeginning)), "{error}");
    };
    deployment.as_tenant(1, work).await;
}
