//! The functions that a statement may call: what they compute depends on their arguments, the clock and chance, and on
//! nothing that belongs to the session, to the server or to other tenants.

use super::{extensions, settings};
use crate::{Code, SchemaMap};

/// Whether a statement may call a function of `pg_catalog`, or of an extension that is installed.
pub(crate) fn may_call(schema: Option<&str>, name: &str, literal: Option<&str>, map: &SchemaMap) -> bool {
    let of_extension = || extensions::functions(name).any(|extension| map.has_extension(extension));
    match schema {
        None if name == "current_setting" => literal.is_some_and(settings::may_read),
        None => is_allowed(name) || of_extension(),
        Some("pg_catalog") if name == "current_setting" => literal.is_some_and(settings::may_read),
        Some("pg_catalog") => is_allowed(name),
        Some("information_schema") => name == "_pg_expandarray",
        Some("public") => of_extension(),
        Some(_) => false,
    }
}

/// Whether it is a function of `pg_catalog` that is known to be harmless.
pub(crate) fn is_allowed(name: &str) -> bool {
    ALLOWED.binary_search(&name).is_ok() || INTROSPECTION.binary_search(&name).is_ok()
}

/// Whether the name of a field could be that of a function that must not be called: `(x).f` means `f(x)` where `x` has no
/// such field.
pub(crate) fn is_no_field(name: &str) -> bool {
    let prefixes = ["pg_", "lo_", "dblink", "txid_", "ts_"];
    prefixes.iter().any(|prefix| name.starts_with(prefix)) || code_of(name) != Code::Function
}

/// Why a function that is not allowed is refused.
pub(crate) fn code_of(name: &str) -> Code {
    match name {
        "current_setting" | "set_config" => Code::Setting,
        "nextval" | "setval" | "currval" | "lastval" => Code::SharedState,
        "pg_notify" | "pg_export_snapshot" | "pg_terminate_backend" | "pg_cancel_backend" => Code::Lock,
        _ if name.starts_with("pg_advisory") || name.starts_with("pg_try_advisory") => Code::Lock,
        _ => Code::Function,
    }
}

/// What to do instead of calling it, where the code's own hint says too little.
pub(crate) fn hint_of(name: &str) -> Option<&'static str> {
    match name {
        "nextval" => Some("leave the column out of INSERT, and its default gives the next one"),
        "currval" | "lastval" => Some("use INSERT … RETURNING, which gives the id of the row"),
        "setval" => Some("a number that is inserted is not given out again; leave the sequence alone"),
        "set_config" => Some("use SET LOCAL"),
        _ => None,
    }
}

/// What tells about the schema. The sequences, tables and types that the application may ask about are its own, and what is
/// shared is not shown by the views that stand for the catalogs.
#[rustfmt::skip]
const INTROSPECTION: &[&str] = &[
    "col_description", "current_database", "current_schema", "current_schemas",
    "format_type",
    "has_any_column_privilege", "has_column_privilege", "has_database_privilege", "has_function_privilege",
    "has_schema_privilege", "has_sequence_privilege", "has_table_privilege", "has_type_privilege",
    "obj_description",
    "pg_client_encoding", "pg_collation_is_visible", "pg_column_size", "pg_encoding_to_char", "pg_function_is_visible",
    "pg_get_constraintdef", "pg_get_expr", "pg_get_function_arguments", "pg_get_function_identity_arguments",
    "pg_get_function_result", "pg_get_indexdef", "pg_get_partkeydef", "pg_get_ruledef", "pg_get_serial_sequence",
    "pg_get_triggerdef", "pg_get_viewdef", "pg_index_column_has_property", "pg_indexam_has_property",
    "pg_opclass_is_visible", "pg_operator_is_visible", "pg_table_is_visible", "pg_type_is_visible", "pg_typeof",
    "to_regclass", "to_regnamespace", "to_regproc", "to_regprocedure", "to_regtype",
    "version",
];

/// Scalar, aggregate, window and set-returning functions.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "abs", "acos", "acosd", "acosh", "age", "any_value", "array_agg", "array_append", "array_cat", "array_dims",
    "array_fill", "array_length", "array_lower", "array_ndims", "array_position", "array_positions", "array_prepend",
    "array_remove", "array_replace", "array_to_json", "array_to_string", "array_upper", "ascii", "asin", "asind",
    "asinh", "atan", "atan2", "atand", "atanh", "avg",
    "bit_and", "bit_count", "bit_length", "bit_or", "bit_xor", "bool_and", "bool_or", "btrim",
    "cardinality", "cbrt", "ceil", "ceiling", "char_length", "character_length", "chr", "clock_timestamp", "concat",
    "concat_ws", "convert_from", "convert_to", "corr", "cos", "cosd", "cosh", "cot", "count", "covar_pop",
    "covar_samp", "cume_dist",
    "date_bin", "date_part", "date_trunc", "decode", "degrees", "dense_rank", "div",
    "encode", "erf", "every", "exp", "extract",
    "factorial", "first_value", "float4", "float8", "floor", "format",
    "gcd", "gen_random_uuid", "generate_series", "generate_subscripts", "get_bit", "get_byte",
    "initcap", "int4", "int8", "isempty", "isfinite",
    "json_agg", "json_array_elements", "json_array_elements_text", "json_array_length", "json_build_array",
    "json_build_object", "json_each", "json_each_text", "json_extract_path", "json_extract_path_text", "json_object",
    "json_object_agg", "json_object_keys", "json_strip_nulls", "json_to_record", "json_to_recordset", "json_typeof",
    "jsonb_agg", "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_array_length", "jsonb_build_array",
    "jsonb_build_object", "jsonb_each", "jsonb_each_text", "jsonb_extract_path", "jsonb_extract_path_text",
    "jsonb_insert", "jsonb_object", "jsonb_object_agg", "jsonb_object_keys", "jsonb_path_exists",
    "jsonb_path_match", "jsonb_path_query", "jsonb_path_query_array", "jsonb_path_query_first", "jsonb_pretty",
    "jsonb_set", "jsonb_strip_nulls", "jsonb_to_record", "jsonb_to_recordset", "jsonb_typeof", "justify_days",
    "justify_hours", "justify_interval",
    "lag", "last_value", "lcm", "lead", "left", "length", "like_escape", "ln", "log", "log10", "lower", "lower_inc",
    "lower_inf", "lpad", "ltrim",
    "make_date", "make_interval", "make_time", "make_timestamp", "make_timestamptz", "max", "md5", "min",
    "min_scale", "mod", "mode",
    "normalize", "now", "nth_value", "ntile", "num_nonnulls", "num_nulls", "numeric", "numnode",
    "octet_length", "overlaps", "overlay",
    "percent_rank", "percentile_cont", "percentile_disc", "phraseto_tsquery", "pi", "plainto_tsquery", "position",
    "power",
    "quote_ident", "quote_literal", "quote_nullable",
    "radians", "random", "range_agg", "range_merge", "rank", "regexp_count", "regexp_instr", "regexp_like",
    "regexp_match", "regexp_matches", "regexp_replace", "regexp_split_to_array", "regexp_split_to_table",
    "regexp_substr", "repeat", "replace", "reverse", "right", "round", "row_number", "row_to_json", "rpad", "rtrim",
    "scale", "setweight", "sha224", "sha256", "sha384", "sha512", "sign", "similar_to_escape", "sin", "sind", "sinh",
    "split_part", "sqrt", "starts_with", "statement_timestamp", "stddev", "stddev_pop", "stddev_samp",
    "string_agg", "string_to_array", "string_to_table", "strip", "strpos", "substr", "substring", "sum",
    "tan", "tand", "tanh", "text", "timeofday", "timezone", "to_char", "to_date", "to_hex", "to_json", "to_jsonb",
    "to_number", "to_timestamp", "to_tsquery", "to_tsvector", "transaction_timestamp", "translate", "trim_array",
    "trim_scale", "trunc", "ts_headline", "ts_rank", "ts_rank_cd",
    "unistr", "unnest", "upper", "upper_inc", "upper_inf",
    "var_pop", "var_samp", "variance",
    "websearch_to_tsquery", "width_bucket",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(ALLOWED.is_sorted_by(|a, b| a < b) && INTROSPECTION.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn what_takes_sql_files_settings_or_locks_is_not_allowed() {
        for (name, code) in [
            ("query_to_xml", "S09"),
            ("table_to_xml", "S09"),
            ("cursor_to_xml", "S09"),
            ("ts_stat", "S09"),
            ("pg_read_file", "S09"),
            ("lo_get", "S09"),
            ("dblink", "S09"),
            ("pg_sleep", "S09"),
            ("current_setting", "S10"),
            ("nextval", "S11"),
            ("pg_try_advisory_xact_lock", "S12"),
            ("pg_notify", "S12"),
        ] {
            assert!(!is_allowed(name), "{name}");
            assert_eq!(code_of(name).as_str(), code, "{name}");
        }
    }
}
