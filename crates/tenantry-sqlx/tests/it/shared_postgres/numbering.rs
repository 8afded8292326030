//! Ids that each tenant has of its own.

use sqlx::{Postgres, Row};
use tenantry_sql::Code;
use tenantry_sqlx::{Ids, PostgresOptions, ScopeError, ScopedPool};

use super::{Deployment, NOTES};
use crate::scoped::migrator;

fn per_tenant(options: &mut PostgresOptions) {
    options.numbering = [("*".to_owned(), Ids::PerTenant)].into();
}

async fn insert(pool: &ScopedPool<Postgres>, title: &str) -> (i64, i64) {
    let user =
        sqlx::query("INSERT INTO users (email) VALUES ($1) RETURNING id").bind(title).fetch_one(pool).await.unwrap();
    let note = "INSERT INTO notes (title, user_id) VALUES ($1, $2) RETURNING id";
    let note = sqlx::query_scalar(note).bind(title).bind(user.get::<i64, _>(0)).fetch_one(pool).await.unwrap();
    (user.get(0), note)
}

#[tokio::test]
async fn ids_are_those_of_a_private_database() {
    let deployment = Deployment::with(per_tenant).await;
    let pool = &deployment.pool;
    // initech has one.
    for tenant in [1, 2, 3] {
        let work = async {
            assert_eq!(insert(pool, "a").await, (1, 1));
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query("INSERT INTO users (email) VALUES ('b'), ('c')").execute(&mut *transaction).await.unwrap();
            transaction.rollback().await.unwrap();
            assert_eq!(insert(pool, "b").await, (4, 2));
            sqlx::query("INSERT INTO users (id, email) VALUES (70, 'x'), (DEFAULT, 'y')").execute(pool).await.unwrap();
            let upsert =
                "INSERT INTO users (email) VALUES ('b') ON CONFLICT (email) DO UPDATE SET email = 'c' RETURNING id";
            let upserted: i64 = sqlx::query_scalar(upsert).fetch_one(pool).await.unwrap();
            assert_eq!((upserted, insert(pool, "z").await), (4, (7, 3)));
        };
        deployment.as_tenant(tenant, work).await;
    }
    for (id, tenant) in [(8, 2), (8, 1), (9, 1), (9, 2)] {
        let email = format!("{id}");
        assert_eq!(deployment.as_tenant(tenant, insert(pool, &email)).await.0, id);
    }
}

#[tokio::test]
async fn it_can_be_configured_later() {
    let deployment = Deployment::new().await;
    for (tenant, id) in [(1, 1), (2, 2), (1, 3)] {
        assert_eq!(deployment.as_tenant(tenant, insert(&deployment.pool, &format!("{id}"))).await, (id, id));
    }
    let pool = deployment.another(per_tenant);
    assert_eq!(deployment.as_tenant(2, insert(&pool, "other")).await, (3, 3));
    assert_eq!(deployment.as_tenant(1, insert(&pool, "other")).await, (4, 4));
    // Another process that has not started again is none the worse for it.
    assert_eq!(deployment.as_tenant(1, insert(&deployment.pool, "more")).await, (5, 5));
    let pool = deployment.another(|_| {});
    assert_eq!(deployment.as_tenant(2, insert(&pool, "last")).await, (6, 6));
}

#[tokio::test]
async fn nothing_is_seen_of_how_it_is_done() {
    let deployment = Deployment::with(per_tenant).await;
    let few = "CREATE TABLE few (id int GENERATED ALWAYS AS IDENTITY (MAXVALUE 2)); CREATE TABLE less (id serial); \
               ALTER SEQUENCE less_id_seq MAXVALUE 2";
    deployment.pool.migrate(&migrator(&[NOTES, few])).await.unwrap();
    let work = async {
        let pool = &deployment.pool;
        for text in [
            "SELECT relname::text FROM pg_class WHERE relnamespace::regnamespace::text NOT LIKE 'pg\\_%' AND relkind = 'S'",
            "SELECT sequence_name::text FROM information_schema.sequences",
            "SELECT seqrelid::regclass::text FROM pg_sequence",
        ] {
            let mut names: Vec<String> = sqlx::query_scalar(text).fetch_all(pool).await.unwrap();
            names.sort();
            // The standard's own view has none of identities.
            names.retain(|name| !name.starts_with("few") && !name.starts_with("users"));
            assert_eq!(names, ["less_id_seq", "notes_id_seq"], "{text}");
        }
        for text in ["SELECT nextval('users_id_seq')", "SELECT currval('users_id_seq')", "SELECT lastval()"] {
            let error = sqlx::query(text).execute(pool).await.unwrap_err();
            assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(Code::SharedState), "{text}: {error}");
        }
        for text in ["SELECT tenantry.next_id(1)", "SELECT * FROM tenantry_ids.t1_1", "SELECT * FROM tenantry.counters"]
        {
            let error = sqlx::query(text).execute(pool).await.unwrap_err();
            assert!(ScopeError::of(&error).is_some_and(|error| error.code().is_some()), "{text}: {error}");
        }
        for table in ["few", "less"] {
            let text = format!("INSERT INTO {table} DEFAULT VALUES");
            for _ in 0..2 {
                sqlx::query(sqlx::AssertSqlSafe(text.as_str())).execute(pool).await.unwrap();
            }
            let error = sqlx::query(sqlx::AssertSqlSafe(text.as_str())).execute(pool).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("2200H"));
            assert_eq!(error.as_database_error().unwrap().message(), "nextval: reached maximum value of sequence (2)");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("tenant") && !shown.contains("_2"), "{shown}");
        }
    };
    deployment.as_tenant(2, work).await;
}
