//! Whether two schemas are the same.
//!
//! Both are described by their servers, in the same words; what is described alike is the same. Views are taken by their
//! columns, since they have no rows, and servers of different versions print their bodies differently.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection};

use super::rows::Rows;
use crate::adopt::{
    Difference,
    elsewhere::{FileColumn, FileTable},
};

/// What there is to say about each object of a schema.
pub(in crate::postgres) type Facts = BTreeMap<String, Vec<String>>;

/// What there is in the schema `public`. Only `pg_catalog` must be on the search path.
pub(in crate::postgres) async fn facts(connection: &mut PgConnection) -> Result<Facts, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(FACTS).fetch_all(connection).await?;
    let mut facts = Facts::new();
    for (object, fact) in rows {
        facts.entry(object).or_default().push(fact);
    }
    Ok(facts)
}

/// Which migrations have run, according to sqlx's record in a schema; nothing if there is none.
pub(in crate::postgres) async fn migrations(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    let table = format!("{schema}._sqlx_migrations");
    let is_there = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table);
    if !is_there.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let text =
        AssertSqlSafe(format!("SELECT version || ' ' || description FROM {table} WHERE success ORDER BY version"));
    sqlx::query_scalar(text).fetch_all(connection).await.map(Some)
}

/// The differences between two schemas, object by object.
pub(in crate::postgres) fn differences(source: &Facts, shared: &Facts) -> Vec<Difference> {
    let objects: BTreeSet<_> = source.keys().chain(shared.keys()).collect();
    objects.into_iter().filter_map(|object| difference(object, source.get(object), shared.get(object))).collect()
}

fn difference(object: &str, source: Option<&Vec<String>>, shared: Option<&Vec<String>>) -> Option<Difference> {
    let all = || vec!["all of it".to_owned()];
    let (only_source, only_shared) = match (source, shared) {
        (Some(source), Some(shared)) => (without(source, shared), without(shared, source)),
        (source, shared) => (source.map(|_| all()).unwrap_or_default(), shared.map(|_| all()).unwrap_or_default()),
    };
    let is_none = only_source.is_empty() && only_shared.is_empty();
    (!is_none).then(|| Difference { object: object.to_owned(), only_source, only_shared })
}

/// In which migrations the two differ, as far as both say which have run.
pub(super) fn of_migrations(source: Option<&Vec<String>>, shared: Option<&Vec<String>>) -> Option<Difference> {
    let (source, shared) = source.zip(shared)?;
    let version = |line: &str| line.split(' ').next().map(str::to_owned);
    let only = |here: &[String], there: &[String]| -> Vec<String> {
        let known: BTreeSet<_> = there.iter().map(|line| version(line)).collect();
        here.iter().filter(|line| !known.contains(&version(line))).cloned().collect()
    };
    let (only_source, only_shared) = (only(source, shared), only(shared, source));
    let is_none = only_source.is_empty() && only_shared.is_empty();
    (!is_none).then(|| Difference { object: "the migrations".to_owned(), only_source, only_shared })
}

/// The differences between the tables of a file and those of a server: missing tables and columns. What columns are declared
/// to be differs anyway; whether a value fits is said of each.
pub(super) fn of_file(source: &[FileTable], shared: &[Rows]) -> Vec<Difference> {
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let all = || vec!["all of it".to_owned()];
    let mut differences = Vec::new();
    for table in source {
        let Some(rows) = shared.iter().find(|rows| is(&rows.table, &table.name)) else {
            let (object, only_shared) = (format!("table {}", table.name), Vec::new());
            differences.push(Difference { object, only_source: all(), only_shared });
            continue;
        };
        let own = |column: &&FileColumn| !column.is_computed && !rows.columns.iter().any(|name| is(name, &column.name));
        let theirs = |name: &&String| !table.columns.iter().any(|column| is(name, &column.name));
        let only_source: Vec<_> =
            table.columns.iter().filter(own).map(|column| format!("column {}", column.name)).collect();
        let only_shared: Vec<_> = rows.columns.iter().filter(theirs).map(|name| format!("column {name}")).collect();
        if !only_source.is_empty() || !only_shared.is_empty() {
            differences.push(Difference { object: format!("table {}", rows.table), only_source, only_shared });
        }
    }
    for rows in shared.iter().filter(|rows| !source.iter().any(|table| is(&table.name, &rows.table))) {
        let (object, only_source) = (format!("table {}", rows.table), Vec::new());
        differences.push(Difference { object, only_source, only_shared: all() });
    }
    differences
}

fn without(facts: &[String], others: &[String]) -> Vec<String> {
    facts.iter().filter(|fact| !others.contains(fact)).cloned().collect()
}

/// Objects and facts. What belongs to an extension is the extension's business, and sqlx's record of migrations belongs to
/// no tenant.
const FACTS: &str = "
WITH own AS (
    SELECT c.* FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('public') AND c.relname <> '_sqlx_migrations'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), type AS (
    SELECT t.* FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = to_regnamespace('public') AND t.typtype IN ('e', 'd', 'r', 'c')
        AND (c.oid IS NULL OR c.relkind = 'c')
        AND NOT EXISTS (SELECT 1 FROM pg_depend d
                        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
), fact (object, kind, at, fact) AS (
    SELECT 'table ' || relname, 0, 0, CASE relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a partitioned table'
                                                 WHEN 'f' THEN 'a foreign table' ELSE 'a materialized view' END
    FROM own WHERE relkind IN ('r', 'p', 'f', 'm')
    UNION ALL
    SELECT 'table ' || c.relname, 1, 0, 'inheritance' FROM own c
    WHERE c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'c' THEN 'type ' ELSE 'table ' END || c.relname, 2, a.attnum,
           concat_ws(' ', 'column', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                     'COLLATE ' || (SELECT quote_ident(o.collname) FROM pg_collation o
                                    WHERE o.oid = a.attcollation AND o.oid <> t.typcollation),
                     CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                     CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                                        WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
                     CASE a.attgenerated WHEN '' THEN 'DEFAULT ' ELSE 'GENERATED ALWAYS AS ' END
                         || pg_get_expr(d.adbin, d.adrelid))
    FROM own c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v', 'c')
    UNION ALL
    SELECT 'table ' || c.relname, 3, 0, format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid))
    FROM own c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT 'index ' || x.relname, 0, 0, pg_get_indexdef(i.indexrelid)
    FROM own c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'sequence ' || c.relname, 0, 0,
           format('%s from %s to %s by %s%s', format_type(q.seqtypid, NULL), q.seqmin, q.seqmax, q.seqincrement,
                  CASE WHEN q.seqcycle THEN ', again and again' END)
    FROM own c JOIN pg_sequence q ON q.seqrelid = c.oid
    UNION ALL
    SELECT 'trigger ' || g.tgname || ' on ' || c.relname, 0, 0, pg_get_triggerdef(g.oid)
    FROM own c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
        AND g.tgfoid IS DISTINCT FROM to_regprocedure('tenantry.gone()')
    UNION ALL
    SELECT 'rule ' || w.rulename || ' on ' || c.relname, 0, 0, pg_get_ruledef(w.oid)
    FROM own c JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'type ' || t.typname, 0, 0,
           CASE t.typtype WHEN 'e' THEN 'one of ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                                                    FROM pg_enum e WHERE e.enumtypid = t.oid)
                          WHEN 'd' THEN concat_ws(' ', 'domain over', format_type(t.typbasetype, t.typtypmod),
                                                  CASE WHEN t.typnotnull THEN 'NOT NULL' END,
                                                  (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname)
                                                   FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
                          WHEN 'r' THEN 'range of ' || (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r
                                                        WHERE r.rngtypid = t.oid)
                          ELSE 'composite' END
    FROM type t
)
SELECT object, fact FROM fact ORDER BY object, kind, at, fact
";
