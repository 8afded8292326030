//! The views that stand for PostgreSQL's own catalogs: the same, without what is Tenantry's.
//!
//! Each is made from the columns that the server's own relation has, so a newer server's have all of theirs.

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{CATALOGS, INFORMATION_SCHEMA, Quoted};

use super::install;

/// Makes the views that are missing, and all anew for another version of the server.
pub(super) async fn create(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let made_for = made_for(owner).await?;
    if install::meta(owner).await?.catalogs != made_for {
        drop_all(owner).await?;
    }
    for source in missing(owner).await? {
        let text = format!("CREATE VIEW tenantry_catalog.{} AS {}", Quoted::new(&source.view()), source.body());
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *owner).await?;
    }
    let text = "UPDATE tenantry.meta SET catalogs = $1 WHERE catalogs <> $1";
    sqlx::query(text).bind(made_for).execute(owner).await.map(drop)
}

/// The relations that have no view yet.
pub(super) async fn missing(connection: &mut PgConnection) -> Result<Vec<Source>, sqlx::Error> {
    let text = "
SELECT n.nspname::text AS schema, c.relname::text AS name,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
       CASE WHEN n.nspname = 'information_schema' THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname = 'pg_catalog' AND c.relname = ANY ($1) OR n.nspname = 'information_schema' AND c.relname = ANY ($2))
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace s ON s.oid = v.relnamespace
                    WHERE s.nspname = 'tenantry_catalog'
                        AND v.relname = CASE WHEN n.nspname = 'pg_catalog' THEN c.relname::text
                                             ELSE 'information_schema_' || c.relname END)
ORDER BY n.nspname, c.relname";
    sqlx::query_as(text).bind(CATALOGS).bind(INFORMATION_SCHEMA).fetch_all(connection).await
}

async fn made_for(owner: &mut PgConnection) -> Result<String, sqlx::Error> {
    let text = "SELECT current_setting('server_version_num')::int / 10000";
    let server: i32 = sqlx::query_scalar(text).fetch_one(owner).await?;
    Ok(format!("{server}.{REVISION}"))
}

async fn drop_all(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "SELECT relname::text FROM pg_catalog.pg_class \
                WHERE relnamespace = 'tenantry_catalog'::regnamespace AND relkind = 'v'";
    let views: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut *owner).await?;
    for view in views {
        let text = format!("DROP VIEW tenantry_catalog.{}", Quoted::new(&view));
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *owner).await?;
    }
    Ok(())
}

/// One of PostgreSQL's own relations.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Source {
    schema: String,
    name: String,
    columns: Vec<String>,
    definition: Option<String>,
}

impl Source {
    /// The name of the view that stands for it.
    pub(super) fn view(&self) -> String {
        match self.schema.as_str() {
            "information_schema" => format!("information_schema_{}", self.name),
            _ => self.name.clone(),
        }
    }

    fn body(&self) -> String {
        let column = |name: &String| match name.as_str() {
            // Its type is one that a view cannot have.
            "attmissingval" => "x.attmissingval::text AS attmissingval".to_owned(),
            _ => format!("x.{}", Quoted::new(name)),
        };
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        let source = match &self.definition {
            Some(definition) if shows_owners_only(definition) => format!("({})", shown_to_all(definition)),
            _ => format!("{}.{}", Quoted::new(&self.schema), Quoted::new(&self.name)),
        };
        format!("SELECT {} FROM {source} x WHERE {}", columns.join(", "), self.condition())
    }

    /// What leaves Tenantry's own out.
    fn condition(&self) -> String {
        if self.schema == "information_schema" {
            let schemas = self.columns.iter().filter(|name| name.ends_with("_schema") || *name == "schema_name");
            let each: Vec<_> = schemas.map(|name| format!("(x.{name} <> ALL ({OWN_NAMES})) IS NOT FALSE")).collect();
            return if each.is_empty() { "true".to_owned() } else { each.join(" AND ") };
        }
        let namespace = |column: &str| format!("x.{column} NOT IN ({OWN})");
        let relation = |column: &str| format!("x.{column} NOT IN ({OWN_RELATIONS})");
        match self.name.as_str() {
            // Whose rows are in which of these is not told.
            "pg_class" => format!("{} AND x.relnamespace <> 'pg_toast'::regnamespace", namespace("relnamespace")),
            "pg_namespace" => namespace("oid"),
            "pg_type" => namespace("typnamespace"),
            "pg_constraint" => namespace("connamespace"),
            "pg_proc" => namespace("pronamespace"),
            "pg_collation" => namespace("collnamespace"),
            "pg_conversion" => namespace("connamespace"),
            "pg_opclass" => namespace("opcnamespace"),
            "pg_operator" => namespace("oprnamespace"),
            "pg_opfamily" => namespace("opfnamespace"),
            "pg_ts_config" => namespace("cfgnamespace"),
            "pg_statistic_ext" => namespace("stxnamespace"),
            "pg_attribute" => relation("attrelid"),
            "pg_attrdef" => relation("adrelid"),
            "pg_index" => relation("indrelid"),
            "pg_inherits" => relation("inhrelid"),
            "pg_sequence" => relation("seqrelid"),
            "pg_trigger" => format!("{} AND {}", relation("tgrelid"), relation("tgconstrrelid")),
            "pg_rewrite" => relation("ev_class"),
            "pg_foreign_table" => relation("ftrelid"),
            "pg_partitioned_table" => relation("partrelid"),
            "pg_description" => format!("(x.classoid, x.objoid) NOT IN ({OWN_OBJECTS})"),
            "pg_depend" => format!(
                "(x.classid, x.objid) NOT IN ({OWN_OBJECTS}) AND (x.refclassid, x.refobjid) NOT IN ({OWN_OBJECTS})"
            ),
            "pg_indexes" | "pg_matviews" | "pg_rules" | "pg_tables" | "pg_views" => {
                format!("x.schemaname <> ALL ({OWN_NAMES})")
            }
            "pg_database" => "x.datname = current_database()".to_owned(),
            _ => "true".to_owned(),
        }
    }
}

/// Whether a view of `information_schema` shows some of its rows or columns only to the owner of what they are about,
/// which on a private database the application is.
fn shows_owners_only(definition: &str) -> bool {
    definition.contains("pg_has_role(") && !definition.contains("pg_authid")
}

/// The same with everybody for the owner.
fn shown_to_all(definition: &str) -> String {
    let mut text = String::new();
    let mut rest = definition.trim().trim_end_matches(';');
    while let Some((before, after)) = rest.split_once("pg_has_role(") {
        text.push_str(before);
        text.push_str("true");
        rest = after_call(after);
    }
    text + rest
}

/// What follows the parenthesis that closes a call.
fn after_call(text: &str) -> &str {
    let mut open = 1_usize;
    for (at, char) in text.char_indices() {
        match char {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return text.get(at + 1..).unwrap_or_default();
        }
    }
    ""
}

/// Raised when the views have to be made anew.
const REVISION: u32 = 2;

/// The schemas that are Tenantry's.
macro_rules! own {
    () => {
        "'tenantry', 'tenantry_shared', 'tenantry_catalog', 'tenantry_ids'"
    };
}

/// What of `pg_class` and its kin belongs to a schema of Tenantry's, as pairs of a catalog and an object.
macro_rules! own_objects {
    ($catalog:literal, $from:literal) => {
        concat!("SELECT '", $catalog, "'::regclass::oid, o.oid FROM ", $from, " WHERE n.nspname IN (", own!(), ")")
    };
}

const OWN_NAMES: &str = concat!("ARRAY[", own!(), "]");

const OWN: &str = concat!("SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN (", own!(), ")");

const OWN_RELATIONS: &str = concat!(
    "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname IN (",
    own!(),
    ")"
);

const OWN_OBJECTS: &str = concat!(
    own_objects!("pg_class", "pg_catalog.pg_class o JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace"),
    " UNION ALL ",
    own_objects!("pg_type", "pg_catalog.pg_type o JOIN pg_catalog.pg_namespace n ON n.oid = o.typnamespace"),
    " UNION ALL ",
    own_objects!(
        "pg_constraint",
        "pg_catalog.pg_constraint o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace"
    ),
    " UNION ALL ",
    own_objects!(
        "pg_attrdef",
        "pg_catalog.pg_attrdef o JOIN pg_catalog.pg_class c ON c.oid = o.adrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    ),
    " UNION ALL ",
    own_objects!(
        "pg_rewrite",
        "pg_catalog.pg_rewrite o JOIN pg_catalog.pg_class c ON c.oid = o.ev_class \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    ),
    " UNION ALL ",
    own_objects!(
        "pg_trigger",
        "pg_catalog.pg_trigger o JOIN pg_catalog.pg_class c ON c.oid = o.tgrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    ),
    " UNION ALL ",
    "SELECT 'pg_namespace'::regclass, oid FROM pg_catalog.pg_namespace WHERE nspname IN (",
    own!(),
    ")",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_sees_what_the_owner_would() {
        let text = " SELECT 1 WHERE pg_has_role((x.relowner)::name, 'USAGE'::text) OR pg_has_role(y, 'MEMBER'::text);";
        assert_eq!(shown_to_all(text), "SELECT 1 WHERE true OR true");
    }
}
