//! PostgreSQL for tests.

use sqlx::{Connection, PgConnection};
use tenantry_test::server::{TestDatabase, TestServer};

#[tokio::test]
async fn a_database_is_there_for_its_test_and_gone_afterwards() {
    let mut database = TestDatabase::new().await.unwrap();
    let other = TestDatabase::new().await.unwrap();
    assert_ne!(database.name(), other.name());
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query("CREATE SCHEMA own").execute(&mut owner).await.unwrap();

    let app = database.role("app").await.unwrap();
    let mut connection = PgConnection::connect(&app.url).await.unwrap();
    let who: (String, bool) =
        sqlx::query_as("SELECT current_user::text, rolsuper FROM pg_roles WHERE rolname = current_user")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(who, (app.name.clone(), false));
    sqlx::query("CREATE SCHEMA mine").execute(&mut connection).await.unwrap_err();
    let wrong = app.url.replace(&app.password, "guessed");
    assert!(PgConnection::connect(&wrong).await.is_err(), "a password is asked for");

    let name = database.name().to_owned();
    drop(database);
    let mut admin = PgConnection::connect(&other.admin_url()).await.unwrap();
    for (table, column) in [("pg_database", "datname"), ("pg_roles", "rolname")] {
        let text = format!("SELECT count(*) FROM {table} WHERE {column} LIKE '{name}%'");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&mut admin).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    admin.close().await.unwrap();
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_server_of_a_tests_own_can_be_stopped_and_started() {
    let server = TestServer::start().unwrap();
    let database = TestDatabase::on(&server).await.unwrap();
    server.stop().unwrap();
    assert!(PgConnection::connect(database.url()).await.is_err());
    server.start_again().unwrap();
    PgConnection::connect(database.url()).await.unwrap();
}
