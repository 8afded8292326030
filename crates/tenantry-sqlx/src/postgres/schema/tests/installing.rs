//! What is made first, and what is refused.

use std::collections::BTreeMap;

use sqlx::Connection;

use super::{Home, Setup, as_tenant, install};

#[tokio::test]
async fn it_can_be_done_again() {
    let mut home = Home::with("CREATE TABLE t (id int PRIMARY KEY)").await;
    let count = "SELECT count(*)::text FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'tenantry%'";
    let before = home.ask(count).await;
    let application = home.application.name.clone();
    let globals = ["countries".to_owned()];
    install(&mut home.owner, Setup { application: &application, globals: &globals, numbering: &BTreeMap::new() })
        .await
        .unwrap();
    assert_eq!(home.ask(count).await, before);
    assert_eq!(home.ask("SELECT version::text FROM tenantry.meta").await, ["1"]);
}

#[tokio::test]
async fn two_at_once_make_it_once() {
    let mut home = Home::bare().await;
    let mut other = sqlx::PgConnection::connect(home.database.url()).await.unwrap();
    let application = home.application.name.clone();
    let setup = Setup { application: &application, globals: &[], numbering: &BTreeMap::new() };
    let (one, two) = tokio::join!(install(&mut home.owner, setup), install(&mut other, setup));
    one.unwrap();
    two.unwrap();
}

#[tokio::test]
async fn tables_that_are_there_without_rows_are_followed() {
    let mut home = Home::bare().await;
    let script = "CREATE TABLE t (gone int, id int PRIMARY KEY, gone_too int, name text NOT NULL); \
                  ALTER TABLE t DROP COLUMN gone, DROP COLUMN gone_too; CREATE TABLE countries (code text PRIMARY KEY)";
    sqlx::raw_sql(script).execute(&mut home.owner).await.unwrap();
    let (application, globals) = (home.application.name.clone(), ["countries".to_owned()]);
    install(&mut home.owner, Setup { application: &application, globals: &globals, numbering: &BTreeMap::new() })
        .await
        .unwrap();
    assert_eq!(
        home.shared("t").await,
        ["id integer not null", "name text not null", "t_pkey: PRIMARY KEY (_tenant, id)"]
    );
    home.migrate("ALTER TABLE t RENAME COLUMN name TO title; ALTER TABLE t ADD COLUMN more int").await.unwrap();
    assert_eq!(
        home.shared("t").await[..3],
        ["id integer not null", "more integer", "t_pkey: PRIMARY KEY (_tenant, id)"]
    );
}

#[tokio::test]
async fn what_is_no_database_for_tenants_is_refused() {
    let mut home = Home::bare().await;
    let (application, owner) = (home.application.name.clone(), home.database.name().to_owned() + "_owner");
    for (role, says) in
        [("nobody_at_all", "there is no such role"), (&owner, "it is the owner"), ("postgres", "security")]
    {
        let error = install(&mut home.owner, Setup { application: role, globals: &[], numbering: &BTreeMap::new() })
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{error}");
    }
    let setup = Setup { application: &application, globals: &[], numbering: &BTreeMap::new() };
    sqlx::raw_sql("CREATE TABLE public.t (); INSERT INTO t DEFAULT VALUES").execute(&mut home.owner).await.unwrap();
    let error = install(&mut home.owner, setup).await.unwrap_err().to_string();
    assert!(error.contains("public.t has rows") && error.contains("adopt"), "{error}");
    let nothing = home.ask("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'tenantry%'").await;
    assert!(nothing.is_empty(), "{nothing:?}");

    sqlx::raw_sql("TRUNCATE t").execute(&mut home.owner).await.unwrap();
    install(&mut home.owner, setup).await.unwrap();
    sqlx::raw_sql("UPDATE tenantry.meta SET layout = 99").execute(&mut home.owner).await.unwrap();
    let error = install(&mut home.owner, setup).await.unwrap_err().to_string();
    assert!(error.contains("layout 99"), "{error}");
}

#[tokio::test]
async fn the_applications_role_is_held_by_the_walls() {
    let mut home = Home::with("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE countries (code text)").await;
    home.tenants(&[1, 2], "INSERT INTO tenantry_shared.t (_tenant, id) VALUES ($T, $T)").await;
    let mut application = home.connect().await;
    assert_eq!(home.column(1, "SELECT id::text FROM tenantry_shared.t").await, ["1"]);
    let unset = sqlx::query("SELECT * FROM tenantry_shared.t").execute(&mut application).await.unwrap_err().to_string();
    assert!(unset.contains("tenantry.tenant") || unset.contains("bigint"), "{unset}");
    assert_eq!(as_tenant(&mut application, 1, "DELETE FROM tenantry_shared.t WHERE id = 2").await.unwrap(), 0);
    for refused in [
        "INSERT INTO tenantry_shared.t (_tenant, id) VALUES (2, 7)",
        "UPDATE tenantry_shared.t SET _tenant = 2",
        "TRUNCATE tenantry_shared.t",
        "INSERT INTO tenantry_shared.countries VALUES ('x')",
        "INSERT INTO public.t VALUES (1)",
        "CREATE TABLE public.u ()",
        "CREATE TEMP TABLE u ()",
        "CREATE SCHEMA u",
        "INSERT INTO tenantry.tenants (tenant) VALUES (9)",
        "UPDATE tenantry.meta SET version = 9",
        "ALTER TABLE tenantry_shared.t NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY _tenant ON tenantry_shared.t",
    ] {
        let error = as_tenant(&mut application, 1, refused).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{refused}: {error}");
    }
    // Nor is the owner let past the policies.
    let owners: i64 = {
        let mut transaction = home.owner.begin().await.unwrap();
        super::super::migrate::enter(&mut transaction, Some(2)).await.unwrap();
        let text = "SELECT sum(id)::int8 FROM tenantry_shared.t";
        sqlx::query_scalar(text).fetch_one(&mut *transaction).await.unwrap()
    };
    assert_eq!(owners, 2);
}
