//! Which shared table belongs to which of the application's, by what stays when they are renamed.

use sqlx::PgConnection;

/// A table of the application's, and the shared one.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Followed {
    /// The number that the table keeps.
    pub(super) number: i64,
    /// What the application's table is called now; nothing when it was dropped.
    pub(super) logical: Option<String>,
    /// What the shared table is called now; nothing when there is none yet.
    pub(super) shared: Option<String>,
    /// Whether all tenants read it and none may change it.
    pub(super) global: bool,
}

/// All of them, by number.
pub(super) async fn read(connection: &mut PgConnection) -> Result<Vec<Followed>, sqlx::Error> {
    let text = "SELECT t.number, l.relname::text AS logical, s.relname::text AS shared, t.global \
                FROM tenantry.tables t LEFT JOIN pg_class l ON l.oid = t.logical LEFT JOIN pg_class s ON s.oid = t.shared \
                ORDER BY t.number";
    sqlx::query_as(text).fetch_all(connection).await
}

/// Gives numbers to tables of the application's that have none.
pub(super) async fn number_new(connection: &mut PgConnection, globals: &[String]) -> Result<(), sqlx::Error> {
    // By their age, so that the same migrations give the same numbers.
    let text = "INSERT INTO tenantry.tables (logical, global) \
                SELECT c.oid::regclass, c.relname = ANY ($1) FROM pg_class c \
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
                    AND NOT EXISTS (SELECT 1 FROM tenantry.tables t WHERE t.logical = c.oid) ORDER BY c.oid";
    sqlx::query(text).bind(globals).execute(connection).await.map(drop)
}

/// Remembers the shared tables that were created, by their names, which are the same.
pub(super) async fn remember_shared(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "UPDATE tenantry.tables t SET shared = s.oid::regclass \
                FROM pg_class l JOIN pg_class s ON s.relname = l.relname \
                WHERE l.oid = t.logical AND t.shared IS NULL AND s.relkind = 'r' \
                    AND s.relnamespace = 'tenantry_shared'::regnamespace";
    sqlx::raw_sql(text).execute(connection).await.map(drop)
}

/// Forgets tables that were dropped.
pub(super) async fn forget_dropped(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "DELETE FROM tenantry.tables t WHERE NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.logical)";
    sqlx::raw_sql(text).execute(connection).await.map(drop)
}
