//! Makes the schemas, and says who may do what.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tenantry_sql::Quoted;

use super::{super::Ids, catalogs, error::SchemaError, follow, gone, lock, numbering};

/// The number that a new layout of Tenantry's own tables gets.
const LAYOUT: i32 = 1;

/// Who uses the database, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// The role that the application's statements run as.
    pub(crate) application: &'a str,
    /// Tables that all tenants read and none may change.
    pub(crate) globals: &'a [String],
    /// Where the ids of tables' rows come from.
    pub(crate) numbering: &'a BTreeMap<String, Ids>,
}

/// What Tenantry remembers of the database.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Meta {
    pub(super) version: i64,
    pub(super) application: String,
    /// Tables that are, or will be, read by all tenants.
    pub(super) globals: Vec<String>,
    /// Which server's catalogs the views were made for.
    pub(super) catalogs: String,
}

/// Makes what is missing of Tenantry's schemas, all or nothing. Runs as the owner; nobody else is let in meanwhile.
///
/// # Errors
///
/// A [`SchemaError`], if the database is not one that tenants can share; or what the server says.
pub(crate) async fn install(owner: &mut PgConnection, setup: Setup<'_>) -> Result<(), sqlx::Error> {
    check_server(owner).await?;
    let mut transaction = owner.begin().await?;
    let owner = &mut *transaction;
    lock::take_for_transaction(owner).await?;
    check_role(owner, setup.application).await?;
    if let Some(layout) = layout(owner).await?.filter(|layout| *layout > LAYOUT) {
        return Err(SchemaError::Layout { layout }.into());
    }
    if let Some(table) = inhabited(owner).await?.into_iter().next() {
        return Err(SchemaError::Inhabited { table }.into());
    }
    sqlx::raw_sql(TABLES).execute(&mut *owner).await?;
    sqlx::raw_sql(gone::FUNCTION).execute(&mut *owner).await?;
    let text = "INSERT INTO tenantry.meta (layout, application, globals) VALUES ($1, $2, $3) \
                ON CONFLICT (one) DO UPDATE SET application = excluded.application, globals = excluded.globals";
    sqlx::query(text).bind(LAYOUT).bind(setup.application).bind(setup.globals).execute(&mut *owner).await?;
    numbering::install(owner, setup.application, setup.numbering).await?;
    catalogs::create(owner).await?;
    permit(owner, setup.application).await?;
    follow::follow(owner, &[]).await?;
    follow::check(owner).await?;
    transaction.commit().await
}

/// What Tenantry remembers.
pub(super) async fn meta(connection: &mut PgConnection) -> Result<Meta, sqlx::Error> {
    sqlx::query_as("SELECT version, application, globals, catalogs FROM tenantry.meta").fetch_one(connection).await
}

/// Which state of the schema the database has.
///
/// # Errors
///
/// What the server says.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let version: i64 = sqlx::query_scalar("SELECT version FROM tenantry.meta").fetch_one(connection).await?;
    Ok(u64::try_from(version).unwrap_or_default())
}

/// Which of the application's own tables have rows, which they must not: the shared tables have them.
pub(super) async fn inhabited(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let text = "SELECT relname::text FROM pg_catalog.pg_class \
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname";
    let tables: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut *connection).await?;
    if tables.is_empty() {
        return Ok(tables);
    }
    let each: Vec<_> = tables
        .iter()
        .enumerate()
        .map(|(at, name)| format!("SELECT {at} AS at WHERE EXISTS (SELECT 1 FROM public.{})", Quoted::new(name)))
        .collect();
    let text = AssertSqlSafe(format!("{} ORDER BY at", each.join(" UNION ALL ")));
    let with_rows: Vec<i32> = sqlx::query_scalar(text).persistent(false).fetch_all(connection).await?;
    Ok(with_rows.into_iter().filter_map(|at| tables.get(usize::try_from(at).ok()?).cloned()).collect())
}

async fn check_server(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let (number, version): (i32, String) = sqlx::query_as(text).fetch_one(owner).await?;
    if number < 150_000 { Err(SchemaError::Server { version }.into()) } else { Ok(()) }
}

async fn check_role(owner: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let text =
        "SELECT (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = $1), current_user = $1";
    let (mighty, is_owner): (Option<bool>, bool) = sqlx::query_as(text).bind(role).fetch_one(owner).await?;
    let why = match (mighty, is_owner) {
        (None, _) => "there is no such role",
        (_, true) => "it is the owner, whom nothing stops",
        (Some(true), _) => "row-level security does not apply to it",
        _ => return Ok(()),
    };
    Err(SchemaError::Role { role: role.to_owned(), why }.into())
}

/// The layout of Tenantry's own tables; nothing when there are none.
async fn layout(owner: &mut PgConnection) -> Result<Option<i32>, sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass('tenantry.meta') IS NOT NULL").fetch_one(&mut *owner).await?;
    if !there {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT layout FROM tenantry.meta").fetch_optional(owner).await
}

/// Lets the application's role do what it must, and takes from everybody what nobody needs, as far as the owner may.
async fn permit(owner: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let role = Quoted::new(role);
    let (database, superuser): (String, bool) = sqlx::query_as(
        "SELECT quote_ident(current_database()), rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user",
    )
    .fetch_one(&mut *owner)
    .await?;
    let text = format!(
        "GRANT USAGE ON SCHEMA public, tenantry, tenantry_shared, tenantry_catalog TO {role};
         GRANT SELECT ON tenantry.meta, tenantry.tenants, tenantry.tables TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA tenantry_catalog TO {role};
         GRANT CONNECT ON DATABASE {database} TO {role};
         REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};
         REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC, {role};"
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *owner).await?;
    if superuser {
        for function in REACHING_OTHERS {
            let text = format!("REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC, {role}");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *owner).await?;
        }
    }
    Ok(())
}

/// Functions that everybody may call, that reach other sessions or keep what all tenants would share. No statement that
/// is scoped calls them; only a superuser can take them away besides.
pub(super) const REACHING_OTHERS: &[&str] = &[
    "lo_create(oid)",
    "lo_creat(integer)",
    "lo_from_bytea(oid, bytea)",
    "lo_get(oid)",
    "lo_get(oid, bigint, integer)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_unlink(oid)",
    "pg_cancel_backend(integer)",
    "pg_export_snapshot()",
    "pg_terminate_backend(integer, bigint)",
    "query_to_xml(text, boolean, boolean, text)",
    "query_to_xml_and_xmlschema(text, boolean, boolean, text)",
    "query_to_xmlschema(text, boolean, boolean, text)",
    "ts_stat(text)",
    "ts_stat(text, text)",
];

const TABLES: &str = "
CREATE SCHEMA IF NOT EXISTS tenantry;
CREATE SCHEMA IF NOT EXISTS tenantry_shared;
CREATE SCHEMA IF NOT EXISTS tenantry_catalog;
CREATE TABLE IF NOT EXISTS tenantry.meta (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    layout      integer NOT NULL,
    version     bigint  NOT NULL DEFAULT 0,
    application text    NOT NULL,
    globals     text[]  NOT NULL,
    catalogs    text    NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS tenantry.tenants (
    tenant         bigint      PRIMARY KEY CHECK (tenant > 0),
    provisioned_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS tenantry.adoptions (
    tenant      bigint      PRIMARY KEY REFERENCES tenantry.tenants (tenant) ON DELETE CASCADE,
    source      text        NOT NULL,
    fingerprint text        NOT NULL,
    adopted_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS tenantry.tables (
    number  bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    logical regclass NOT NULL UNIQUE,
    shared  regclass UNIQUE,
    global  boolean  NOT NULL
);
CREATE TABLE IF NOT EXISTS tenantry.moves (
    tenant  bigint PRIMARY KEY CHECK (tenant > 0),
    place   text   NOT NULL CHECK (place IN ('shared', 'dedicated')),
    reached text   NOT NULL CHECK (reached IN ('begun', 'proved', 'left'))
);
";
