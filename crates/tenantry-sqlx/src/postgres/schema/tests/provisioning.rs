//! The first rows of tenants.

use sqlx::{Connection, PgConnection};

use super::{super::lock, Home, provision};

const SEEDS: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE \"Mixed case\" (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"A b\" text, m mood, j jsonb, b bytea, n numeric, f float8, t timestamptz,
        arr text[], twice int GENERATED ALWAYS AS (2 * coalesce(array_length(arr, 1), 0)) STORED, up int REFERENCES \"Mixed case\");
    INSERT INTO \"Mixed case\" (\"A b\", m, j, b, n, f, t, arr) VALUES
        ('a,b\"c\\d', 'glad', '{\"x\": [1, null]}', decode('00ff5c', 'hex'), 1.50, 0.1, '2020-01-01 00:00:00.123456+00',
         ARRAY['', 'NULL', '{}', '\"']),
        (NULL, NULL, NULL, NULL, NULL, 1e300, 'infinity', '{}');
    UPDATE \"Mixed case\" SET up = id;
    CREATE TABLE one (id int PRIMARY KEY, two int);
    CREATE TABLE two (id int PRIMARY KEY, one int REFERENCES one);
    INSERT INTO one VALUES (1, 1);
    INSERT INTO two VALUES (1, 1);
    ALTER TABLE one ADD FOREIGN KEY (two) REFERENCES two;
";

#[tokio::test]
async fn a_tenant_begins_with_what_the_migrations_made() {
    let mut home = Home::with(SEEDS).await;
    provision(&mut home.owner, 7).await.unwrap();
    provision(&mut home.owner, 8).await.unwrap();
    let of = "SELECT (to_jsonb(w) - '_tenant')::text || w.f FROM tenantry_shared.\"Mixed case\" w ORDER BY id";
    let rows = home.column(7, of).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows, home.column(0, of).await);
    assert_eq!(rows, home.column(8, of).await);
    assert_eq!(home.column(7, "SELECT one::text FROM tenantry_shared.two").await, ["1"]);
}

#[tokio::test]
async fn it_is_done_once_whoever_comes_first() {
    let mut home = Home::with("CREATE TABLE t (id int); INSERT INTO t VALUES (1)").await;
    let mut other = PgConnection::connect(home.database.url()).await.unwrap();
    let (one, two) = tokio::join!(provision(&mut home.owner, 7), provision(&mut other, 7));
    one.unwrap();
    two.unwrap();
    provision(&mut home.owner, 7).await.unwrap();
    assert_eq!(home.column(7, "SELECT id::text FROM tenantry_shared.t").await, ["1"]);
    assert!(provision(&mut home.owner, 0).await.is_err(), "the pristine tenant is nobody's");
}

#[tokio::test]
async fn nobody_is_made_while_the_schema_changes() {
    let mut home = Home::with("CREATE TABLE t (id int)").await;
    let mut migrating = PgConnection::connect(home.database.url()).await.unwrap();
    lock::take(&mut migrating).await.unwrap();
    let error = provision(&mut home.owner, 7).await.unwrap_err().to_string();
    assert!(error.contains("being migrated"), "{error}");
    lock::release(&mut migrating).await.unwrap();
    provision(&mut home.owner, 7).await.unwrap();
}
