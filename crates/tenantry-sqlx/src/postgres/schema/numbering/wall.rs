//! What the doctor looks at: that the application's role gets numbers by nothing but the functions, and these are ours.

use sqlx::PgConnection;
use tenantry_sql::Quoted;

use super::{
    super::doctor::Finding,
    functions::{COUNTERS_GUARDED, FUNCTIONS, GUARD_COUNTERS},
};

/// What is wrong with the walls around tenants' numbers.
pub(in super::super) async fn examine(connection: &mut PgConnection, role: &str) -> Result<Vec<Finding>, sqlx::Error> {
    let mut findings = Vec::new();
    let quoted = Quoted::new(role);
    let open: Vec<String> = sqlx::query_scalar(OPEN).fetch_all(&mut *connection).await?;
    for object in open {
        let what = format!("role {role} has privileges on {object}, where tenants' numbers are");
        findings.push(Finding::broken(what, format!("REVOKE ALL ON {object} FROM PUBLIC, {quoted}")));
    }
    if !sqlx::query_scalar(COUNTERS_GUARDED).fetch_one(&mut *connection).await? {
        let what = "tenantry.counters, which number tenants' rows, are not kept apart by row-level security alone";
        findings.push(Finding::broken(what, GUARD_COUNTERS));
    }
    let owner: String = sqlx::query_scalar(OWNER).fetch_one(&mut *connection).await?;
    for function in FUNCTIONS {
        let signature = format!("tenantry.{}(bigint)", function.name);
        let query = sqlx::query_scalar(AS_IT_SHOULD_BE).bind(&signature).bind(function.body);
        if query.fetch_one(&mut *connection).await? {
            continue;
        }
        let what = format!("function {signature} is not the one that gives tenants their numbers");
        let owned = format!("ALTER FUNCTION {signature} OWNER TO {owner}");
        findings.push(Finding::broken(what, format!("{}; {owned}", function.create(role))));
    }
    let names: Vec<_> = FUNCTIONS.iter().map(|function| format!("{}(bigint)", function.name)).collect();
    let others: Vec<String> = sqlx::query_scalar(OTHERS).bind(names).fetch_all(&mut *connection).await?;
    for function in others {
        let what = format!("function {function} runs as the owner, and role {role} may call it");
        findings.push(Finding::broken(what, format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {quoted}")));
    }
    Ok(findings)
}

/// What the role may use past the functions. There are as many sequences as tenants times tables: those without a list of
/// privileges are the owner's alone.
const OPEN: &str = "
SELECT 'SCHEMA tenantry_ids' FROM pg_catalog.pg_namespace n
WHERE n.nspname = 'tenantry_ids' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT 'TABLE tenantry.counters' FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass('tenantry.counters')
    AND (pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
         OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE'))
UNION ALL
SELECT pg_catalog.format('SEQUENCE tenantry_ids.%I', c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tenantry_ids' AND c.relacl IS NOT NULL
    AND CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE') ELSE false END
";

const OWNER: &str = "
SELECT pg_catalog.quote_ident(r.rolname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE c.oid = pg_catalog.to_regclass('tenantry.meta')
";

const AS_IT_SHOULD_BE: &str = "
SELECT EXISTS (
    SELECT 1 FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.oid = pg_catalog.to_regprocedure($1) AND p.prosrc = $2 AND l.lanname = 'plpgsql' AND p.prosecdef
        AND p.proconfig IS NULL AND p.proisstrict AND p.provolatile = 'v' AND p.prorettype = 20
        AND p.proowner = (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('tenantry.meta'))
        AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))
";

const OTHERS: &str = "
SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('tenantry', 'tenantry_ids', 'tenantry_shared', 'tenantry_catalog') AND p.prosecdef
    AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
    AND NOT (n.nspname = 'tenantry'
        AND pg_catalog.format('%s(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) = ANY ($1))
ORDER BY 1
";
