//! The rows that a tenant begins with: those that the migrations made.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tenantry_core::{Placement, TenantId};
use tenantry_sql::{Quoted, SHARED_SCHEMA, TENANT};

use super::{error::SchemaError, gone, lock, migrate::enter, numbering};
use crate::scoped::ScopeError;

/// The tenant whose rows are those of a tenant that has done nothing yet.
pub(in crate::postgres) const PRISTINE: i64 = 0;

/// What a row is called: as no column is.
const ROW: &str = "_tenantry_row";

/// Makes sure that the tenant has its first rows, once. Runs as the owner.
///
/// # Errors
///
/// [`SchemaError::Migrating`] while migrations run; [`ScopeError::Moved`] when the rows have been moved from here; or what the
/// server says.
pub(crate) async fn provision(owner: &mut PgConnection, tenant: i64) -> Result<(), sqlx::Error> {
    let mut transaction = owner.begin().await?;
    if !lock::keep_schema(&mut transaction).await? {
        return Err(SchemaError::Migrating { tenant }.into());
    }
    // Who is second waits for the first one here.
    let text = "INSERT INTO tenantry.tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING";
    let registered = sqlx::query(text).bind(tenant).execute(&mut *transaction).await?;
    if registered.rows_affected() > 0 {
        if gone::have_left(&mut transaction, TenantId::new(tenant), &Placement::Shared).await? {
            return Err(ScopeError::Moved.into());
        }
        copy_pristine(&mut transaction, tenant).await?;
        numbering::provision(&mut transaction, tenant).await?;
    }
    transaction.commit().await
}

/// Whether a tenant has its rows here. Runs as the owner.
pub(in crate::postgres) async fn has_tenant(owner: &mut PgConnection, tenant: i64) -> Result<bool, sqlx::Error> {
    let text = "SELECT EXISTS (SELECT FROM tenantry.tenants WHERE tenant = $1)";
    sqlx::query_scalar(text).bind(tenant).fetch_one(owner).await
}

/// All tenants that have their rows, the pristine one first.
pub(super) async fn all(owner: &mut PgConnection) -> Result<Vec<i64>, sqlx::Error> {
    let text = "SELECT tenant FROM tenantry.tenants ORDER BY tenant";
    let mut tenants: Vec<i64> = sqlx::query_scalar(text).fetch_all(owner).await?;
    tenants.insert(0, PRISTINE);
    Ok(tenants)
}

/// Row-level security lets nobody, not even the owner, see two tenants' rows in one statement. So the rows are taken out
/// as one tenant and put in as another, in the server's own notation for a table's rows.
async fn copy_pristine(owner: &mut PgConnection, tenant: i64) -> Result<(), sqlx::Error> {
    enter(owner, Some(PRISTINE)).await?;
    let mut copied = Vec::new();
    for table in tables(owner).await? {
        let name = format!("{}.{}", Quoted::new(SHARED_SCHEMA), Quoted::new(&table.name));
        let text = format!("SELECT array_agg({ROW})::text FROM {name} {ROW} WHERE {TENANT} = $1");
        let rows: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(text)).bind(PRISTINE).persistent(false).fetch_one(&mut *owner).await?;
        copied.extend(rows.map(|rows| (name, table.columns, rows)));
    }
    enter(owner, Some(tenant)).await?;
    if !copied.is_empty() {
        // In one statement, at whose end all foreign keys are checked, so that no order of tables can be wrong.
        let parts: Vec<_> =
            copied.iter().enumerate().map(|(at, (name, columns, _))| insert(at, name, columns)).collect();
        let text = AssertSqlSafe(format!("WITH {} SELECT", parts.join(", ")));
        let query = sqlx::query(text).persistent(false).bind(tenant);
        copied.iter().fold(query, |query, (_, _, rows)| query.bind(rows)).execute(&mut *owner).await?;
    }
    enter(owner, None).await
}

fn insert(at: usize, name: &str, columns: &[String]) -> String {
    let list: String = columns.iter().map(|column| format!(", {}", Quoted::new(column))).collect();
    let values: String = columns.iter().map(|column| format!(", {ROW}.{}", Quoted::new(column))).collect();
    let rows = at + 2;
    format!(
        "part{at} AS (INSERT INTO {name} ({TENANT}{list}) OVERRIDING SYSTEM VALUE SELECT $1{values} FROM \
         unnest(${rows}::text::{name}[]) {ROW})"
    )
}

/// A table of tenants, and the columns of it that are not computed.
#[derive(sqlx::FromRow)]
struct TenantsTable {
    name: String,
    columns: Vec<String>,
}

async fn tables(owner: &mut PgConnection) -> Result<Vec<TenantsTable>, sqlx::Error> {
    let text = "SELECT c.relname::text AS name, ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a \
                WHERE a.attrelid = c.oid AND a.attnum > 1 AND NOT a.attisdropped AND a.attgenerated = '' \
                ORDER BY a.attnum) AS columns \
                FROM tenantry.tables t JOIN pg_catalog.pg_class c ON c.oid = t.shared WHERE NOT t.global ORDER BY t.number";
    sqlx::query_as(text).fetch_all(owner).await
}
