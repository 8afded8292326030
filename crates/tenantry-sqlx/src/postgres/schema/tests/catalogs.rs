//! The views that stand for PostgreSQL's own catalogs.

use sqlx::AssertSqlSafe;

use super::Home;

#[tokio::test]
async fn they_show_the_applications_schema_and_nothing_of_tenantry() {
    let mut home = Home::with(
        "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p, a text CHECK (a <> '')); \
         CREATE VIEW v AS SELECT id FROM t; COMMENT ON TABLE t IS 'ours'",
    )
    .await;
    let views = home
        .ask("SELECT relname::text FROM pg_class WHERE relnamespace = 'tenantry_catalog'::regnamespace ORDER BY 1")
        .await;
    assert!(views.len() > 60, "{views:?}");
    let mut application = home.connect().await;
    for view in &views {
        let text = format!("SELECT x::text FROM tenantry_catalog.{view} x WHERE x::text LIKE '%tenant%'");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&mut application).await.unwrap();
        // The owner of a test's database has a name of its own; only Tenantry's would have this in it.
        assert!(rows.is_empty(), "{view}: {rows:?}");
    }
    for (query, expected) in [
        (
            "SELECT relname::text FROM tenantry_catalog.pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace ORDER BY 1",
            vec!["p", "t", "v"],
        ),
        (
            "SELECT attname::text FROM tenantry_catalog.pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum",
            vec!["id", "p", "a"],
        ),
        ("SELECT description FROM tenantry_catalog.pg_description WHERE objoid = 't'::regclass", vec!["ours"]),
        (
            "SELECT table_name::text FROM tenantry_catalog.information_schema_tables WHERE table_schema = 'public' ORDER BY 1",
            vec!["p", "t", "v"],
        ),
        (
            "SELECT constraint_name::text FROM tenantry_catalog.information_schema_table_constraints WHERE table_name = 't' AND constraint_type <> 'CHECK' ORDER BY 1",
            vec!["t_p_fkey", "t_pkey"],
        ),
        (
            "SELECT table_name || '.' || column_name FROM tenantry_catalog.information_schema_constraint_column_usage WHERE constraint_name = 't_p_fkey'",
            vec!["p.id"],
        ),
        (
            "SELECT column_name::text FROM tenantry_catalog.information_schema_key_column_usage WHERE constraint_name = 't_p_fkey'",
            vec!["p"],
        ),
        (
            "SELECT unique_constraint_name::text FROM tenantry_catalog.information_schema_referential_constraints",
            vec!["p_pkey"],
        ),
        (
            "SELECT check_clause::text FROM tenantry_catalog.information_schema_check_constraints WHERE constraint_name = 't_a_check'",
            vec!["((a <> ''::text))"],
        ),
        (
            "SELECT (view_definition IS NOT NULL)::text FROM tenantry_catalog.information_schema_views WHERE table_name = 'v'",
            vec!["true"],
        ),
        ("SELECT datname = current_database() || '' FROM tenantry_catalog.pg_database", vec!["true"]),
        (
            "SELECT nspname::text FROM tenantry_catalog.pg_namespace WHERE nspname !~ '^pg_|^information' ORDER BY 1",
            vec!["public"],
        ),
    ] {
        let query = query.replace("datname = current_database() || ''", "(datname = current_database())::text");
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(query.clone())).fetch_all(&mut application).await.unwrap();
        assert_eq!(rows, expected, "{query}");
    }
}
