//! What gives the next number, and who may call it.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::Quoted;

use super::super::super::Ids;

/// A function of `tenantry` that gives the next number, and runs as the owner.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) body: &'static str,
}

impl Function {
    /// The statements that make it what it has to be, callable by the application's role alone.
    pub(super) fn create(&self, role: &str) -> String {
        let (Self { name, body }, role) = (self, Quoted::new(role));
        format!(
            "CREATE OR REPLACE FUNCTION tenantry.{name}(bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE STRICT \
             SECURITY DEFINER AS $_tenant${body}$_tenant$; \
             REVOKE ALL ON FUNCTION tenantry.{name}(bigint) FROM PUBLIC; \
             GRANT EXECUTE ON FUNCTION tenantry.{name}(bigint) TO {role}"
        )
    }
}

/// Both of them. Whatever they name has its schema in front: whoever calls them says what is searched. The tenant is a
/// number before anything is made of it.
///
/// They are in PL/pgSQL, which keeps its plans; the server plans a function in SQL again for each statement.
pub(super) const FUNCTIONS: [Function; 2] = [
    Function {
        name: "next_id",
        body: "BEGIN RETURN pg_catalog.nextval(pg_catalog.format('tenantry_ids.t%s_%s', $1, \
               pg_catalog.current_setting('tenantry.tenant')::pg_catalog.int8)::pg_catalog.regclass); END",
    },
    Function {
        name: "next_gapless",
        body: "DECLARE number pg_catalog.int8; BEGIN UPDATE tenantry.counters c SET last = c.last OPERATOR(pg_catalog.+) c.step \
               WHERE c.number OPERATOR(pg_catalog.=) $1 AND c._tenant OPERATOR(pg_catalog.=) \
               pg_catalog.current_setting('tenantry.tenant')::pg_catalog.int8 RETURNING c.last INTO STRICT number; \
               RETURN number; END",
    },
];

/// Makes what is missing, and writes down what is configured.
pub(in super::super) async fn install(
    owner: &mut PgConnection,
    role: &str,
    numbering: &BTreeMap<String, Ids>,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(TABLES).execute(&mut *owner).await?;
    if !sqlx::query_scalar(COUNTERS_GUARDED).fetch_one(&mut *owner).await? {
        sqlx::raw_sql(GUARD_COUNTERS).execute(&mut *owner).await?;
    }
    let mut text = format!("GRANT SELECT ON tenantry.ids TO {}", Quoted::new(role));
    for function in FUNCTIONS {
        text.push_str("; ");
        text.push_str(&function.create(role));
    }
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *owner).await?;
    sqlx::raw_sql("DELETE FROM tenantry.numbering").execute(&mut *owner).await?;
    for (table, ids) in numbering {
        let insert = sqlx::query("INSERT INTO tenantry.numbering (logical, kind) VALUES ($1, $2)");
        insert.bind(table).bind(ids.as_str()).execute(&mut *owner).await?;
    }
    Ok(())
}

/// Whether row-level security keeps tenants' counters apart. Only `pg_catalog` must be on the search path.
pub(super) const COUNTERS_GUARDED: &str = "
SELECT c.relrowsecurity AND c.relforcerowsecurity AND ARRAY(
    SELECT pg_catalog.concat_ws(' ', p.polcmd, p.polpermissive, p.polroles, pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                                pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid
) = ARRAY['* t {0} (_tenant = (current_setting(''tenantry.tenant''::text))::bigint) \
           (_tenant = (current_setting(''tenantry.tenant''::text))::bigint)']
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('tenantry.counters')
";

/// Lets it.
pub(super) const GUARD_COUNTERS: &str = "\
ALTER TABLE tenantry.counters ENABLE ROW LEVEL SECURITY; ALTER TABLE tenantry.counters FORCE ROW LEVEL SECURITY; \
DROP POLICY IF EXISTS _tenant ON tenantry.counters; CREATE POLICY _tenant ON tenantry.counters \
USING (_tenant = current_setting('tenantry.tenant')::bigint) WITH CHECK (_tenant = current_setting('tenantry.tenant')::bigint)";

const TABLES: &str = "
CREATE SCHEMA IF NOT EXISTS tenantry_ids;
CREATE TABLE IF NOT EXISTS tenantry.numbering (
    logical text PRIMARY KEY,
    kind    text NOT NULL
);
CREATE TABLE IF NOT EXISTS tenantry.ids (
    number   bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sequence regclass NOT NULL UNIQUE,
    kind     text     NOT NULL CHECK (kind IN ('per-tenant', 'gapless')),
    options  text     NOT NULL
);
CREATE TABLE IF NOT EXISTS tenantry.counters (
    number  bigint NOT NULL REFERENCES tenantry.ids ON DELETE CASCADE,
    _tenant bigint NOT NULL,
    last    bigint NOT NULL,
    step    bigint NOT NULL,
    PRIMARY KEY (number, _tenant)
) WITH (fillfactor = 50);
";
