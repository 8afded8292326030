//! Which indexes row-level security keeps from being used.
//!
//! PostgreSQL lets no function see a row that a policy may still refuse, unless it is known to show its arguments to
//! nobody (`LEAKPROOF`). A condition with another function is looked at only afterwards, so no index is searched by it:
//! `lower(email) = $1` goes through all of the tenant's rows, whatever index there is.

use sqlx::PgConnection;

use super::Finding;

/// The functions that would have to be known to be leakproof, each with the indexes that wait for it.
pub(super) async fn examine(connection: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let functions: Vec<(String, Vec<String>)> = sqlx::query_as(FUNCTIONS).fetch_all(connection).await?;
    let finding = |(function, indexes): (String, Vec<String>)| {
        let list = indexes.join(", ");
        let what = format!(
            "{function} is not known to be leakproof, so conditions with it go through all of a tenant's rows and do not \
             use the index: {list}"
        );
        Finding::advice(what, format!("ALTER FUNCTION {function} LEAKPROOF"))
    };
    Ok(functions.into_iter().map(finding).collect())
}

const FUNCTIONS: &str = r"
WITH keys AS (
    SELECT c.relname::text AS name, i.indclass, i.indexprs::text AS expressions
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'tenantry_shared'::regnamespace
), used AS (
    -- What the expressions of the index call.
    SELECT k.name, m.found[1]::oid AS function
    FROM keys k CROSS JOIN LATERAL regexp_matches(k.expressions, ':(?:funcid|opfuncid) (\d+)', 'g') m (found)
    UNION
    -- What the index can be searched by.
    SELECT k.name, o.oprcode FROM keys k CROSS JOIN LATERAL unnest(k.indclass) u (class)
    JOIN pg_opclass s ON s.oid = u.class JOIN pg_am m ON m.oid = s.opcmethod
    JOIN pg_amop a ON a.amopfamily = s.opcfamily AND a.amoplefttype = s.opcintype AND a.amoppurpose = 's'
        AND (m.amname <> 'btree' OR a.amoprighttype = s.opcintype)
    JOIN pg_operator o ON o.oid = a.amopopr
    UNION
    -- What these classes are there for.
    SELECT k.name, 'textlike(text, text)'::regprocedure FROM keys k CROSS JOIN LATERAL unnest(k.indclass) u (class)
    JOIN pg_opclass s ON s.oid = u.class WHERE s.opcname IN ('text_pattern_ops', 'varchar_pattern_ops')
)
SELECT p.oid::regprocedure::text, array_agg(DISTINCT u.name ORDER BY u.name)
FROM used u JOIN pg_proc p ON p.oid = u.function WHERE NOT p.proleakproof GROUP BY p.oid ORDER BY 1
";
