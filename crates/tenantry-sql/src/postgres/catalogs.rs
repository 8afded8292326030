//! R-CATALOG: PostgreSQL's own relations that applications ask for their schema, and what stands for them.
//!
//! In the schema `tenantry_catalog` there is a view for each, from which everything of Tenantry's own is left out. What
//! shows sessions, other databases, statistics or the contents of columns is not among them.

/// The schema with the views that stand for PostgreSQL's own relations.
pub const CATALOG_SCHEMA: &str = "tenantry_catalog";

/// The relations of `pg_catalog` that have a view of the same name. That of `pg_database` has to show the current
/// database only.
#[rustfmt::skip]
pub const CATALOGS: &[&str] = &[
    "pg_aggregate", "pg_am", "pg_attrdef", "pg_attribute", "pg_available_extensions",
    "pg_cast", "pg_class", "pg_collation", "pg_constraint", "pg_conversion",
    "pg_database", "pg_depend", "pg_description",
    "pg_enum", "pg_extension",
    "pg_foreign_table",
    "pg_index", "pg_indexes", "pg_inherits",
    "pg_language",
    "pg_matviews",
    "pg_namespace",
    "pg_opclass", "pg_operator", "pg_opfamily",
    "pg_partitioned_table", "pg_proc",
    "pg_range", "pg_rewrite", "pg_rules",
    "pg_sequence", "pg_statistic_ext",
    "pg_tables", "pg_tablespace", "pg_timezone_abbrevs", "pg_timezone_names", "pg_trigger", "pg_ts_config", "pg_type",
    "pg_views",
];

/// The relations of `information_schema` that have a view, whose name has `information_schema_` in front.
#[rustfmt::skip]
pub const INFORMATION_SCHEMA: &[&str] = &[
    "attributes",
    "character_sets", "check_constraints", "collations", "column_domain_usage", "column_privileges",
    "column_udt_usage", "columns", "constraint_column_usage", "constraint_table_usage",
    "domain_constraints", "domain_udt_usage", "domains",
    "element_types",
    "information_schema_catalog_name",
    "key_column_usage",
    "parameters",
    "referential_constraints", "role_table_grants", "routines",
    "schemata", "sequences",
    "table_constraints", "table_privileges", "tables", "triggered_update_columns", "triggers",
    "user_defined_types",
    "view_column_usage", "view_table_usage", "views",
];

/// The view that stands for a relation. One that is named without its schema is one of `pg_catalog`, which comes first on
/// the search path.
pub(crate) fn view_of(schema: Option<&str>, name: &str) -> Option<String> {
    match schema {
        None | Some("pg_catalog") if CATALOGS.binary_search(&name).is_ok() => {
            Some(format!("\"{CATALOG_SCHEMA}\".\"{name}\""))
        }
        Some("information_schema") if INFORMATION_SCHEMA.binary_search(&name).is_ok() => {
            Some(format!("\"{CATALOG_SCHEMA}\".\"information_schema_{name}\""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_others_has_no_view() {
        assert!(CATALOGS.is_sorted_by(|a, b| a < b) && INFORMATION_SCHEMA.is_sorted_by(|a, b| a < b));
        for name in [
            "pg_authid",
            "pg_locks",
            "pg_largeobject",
            "pg_roles",
            "pg_settings",
            "pg_shadow",
            "pg_stat_activity",
            "pg_statistic",
            "pg_stats",
            "pg_user",
            "pg_sequences",
            "pg_prepared_statements",
        ] {
            assert_eq!(view_of(None, name), None, "{name}");
        }
        assert_eq!(view_of(None, "tables"), None);
        assert_eq!(
            view_of(Some("information_schema"), "tables").as_deref(),
            Some(r#""tenantry_catalog"."information_schema_tables""#)
        );
    }
}
