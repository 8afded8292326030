//! What is asked of shared tables.

use sqlx::{Connection, SqliteConnection};
use tenantry_test::{Private, Schema, Value, physical};

const LOGICAL: &[&str] = &["CREATE TABLE a (id INTEGER PRIMARY KEY, x)", "CREATE TABLE b (y)"];

const PHYSICAL: &str = "
    CREATE TABLE a (_tenant INTEGER NOT NULL, id INTEGER NOT NULL, x, PRIMARY KEY (_tenant, id)) WITHOUT ROWID;
    CREATE TABLE b (_tenant INTEGER NOT NULL, _tenant_rowid INTEGER NOT NULL, y, PRIMARY KEY (_tenant, _tenant_rowid))
        WITHOUT ROWID;
    CREATE TABLE countries (name);
    CREATE TABLE _tenantry_tables (number);
    INSERT INTO a VALUES (1, 1, 'x'), (2, 1, 'CANARY');
    INSERT INTO b VALUES (1, 1, 'y'), (2, 1, 'CANARY');";

#[tokio::test]
async fn the_tenants_rows_and_those_of_others_are_told_apart() {
    let mut private = Private::open(LOGICAL, &[]).await.unwrap();
    let schema = Schema::read(private.connection()).await.unwrap();
    let mut shared = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(PHYSICAL).execute(&mut shared).await.unwrap();

    let state = physical::state(&mut shared, &schema, 1).await.unwrap();
    assert_eq!(state.0["a"], [[Value::Integer(1), Value::Integer(1), Value::from("x")]]);
    assert_eq!(state.0["b"], [[Value::Integer(1), Value::from("y")]]);
    for text in ["INSERT INTO a VALUES (1, 1, 'x')", "INSERT INTO a (x) VALUES ('x')"] {
        // The private side shows it in the same way.
        private.run(text, &[]).await;
    }
    private.run("DELETE FROM a", &[]).await;
    private.run("INSERT INTO a VALUES (1, 'x')", &[]).await;
    private.run("INSERT INTO b VALUES ('y')", &[]).await;
    assert_eq!(private.state(&schema).await.unwrap(), state);

    let before = physical::others(&mut shared, 1).await.unwrap();
    sqlx::raw_sql("UPDATE a SET x = 5 WHERE _tenant = 1").execute(&mut shared).await.unwrap();
    assert_eq!(physical::others(&mut shared, 1).await.unwrap(), before);
    for change in ["UPDATE b SET y = 5 WHERE _tenant = 2", "INSERT INTO countries VALUES (1)"] {
        let before = physical::others(&mut shared, 1).await.unwrap();
        sqlx::raw_sql(change).execute(&mut shared).await.unwrap();
        assert_ne!(physical::others(&mut shared, 1).await.unwrap(), before, "{change}");
    }
}
