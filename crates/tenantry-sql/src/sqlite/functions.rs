//! The functions that a statement may call: what they compute depends on their arguments, the clock and chance, and on
//! nothing that belongs to the connection or to other tenants.

/// Whether a statement may call the function of this name.
pub(crate) fn is_allowed(name: &str) -> bool {
    contains(ALLOWED, name)
}

/// Whether a `FROM` clause may call the function of this name.
pub(crate) fn is_table(name: &str) -> bool {
    contains(TABLES, name)
}

fn contains(sorted: &[&str], name: &str) -> bool {
    sorted.binary_search_by(|known| known.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))).is_ok()
}

/// Functions with a table as their result. They read their arguments only.
const TABLES: &[&str] = &["generate_series", "json_each", "json_tree"];

/// Scalar, aggregate and window functions. `last_insert_rowid` and `changes` tell of the lease's own statements;
/// `total_changes` counts those of all leases that the connection ever had, and is not here.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg",
    "ceil", "ceiling", "changes", "char", "coalesce", "concat", "concat_ws", "cos", "cosh", "count", "cume_dist",
    "date", "datetime", "degrees", "dense_rank",
    "exp",
    "first_value", "floor", "format",
    "glob", "group_concat",
    "hex",
    "if", "ifnull", "iif", "instr",
    "json", "json_array", "json_array_insert", "json_array_length", "json_error_position", "json_extract",
    "json_group_array", "json_group_object", "json_insert", "json_object", "json_patch", "json_pretty", "json_quote",
    "json_remove", "json_replace", "json_set", "json_type", "json_valid",
    "jsonb", "jsonb_array", "jsonb_array_insert", "jsonb_extract", "jsonb_group_array", "jsonb_group_object",
    "jsonb_insert", "jsonb_object", "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set", "julianday",
    "lag", "last_insert_rowid", "last_value", "lead", "length", "like", "likelihood", "likely", "ln", "log", "log10",
    "log2", "lower", "ltrim",
    "max", "median", "min", "mod",
    "nth_value", "ntile", "nullif",
    "octet_length",
    "percent_rank", "percentile", "percentile_cont", "percentile_disc", "pi", "pow", "power", "printf",
    "quote",
    "radians", "random", "randomblob", "rank", "replace", "round", "row_number", "rtrim",
    "sign", "sin", "sinh", "soundex", "sqrt", "strftime", "string_agg", "substr", "substring", "sum",
    "tan", "tanh", "time", "timediff", "total", "trim", "trunc", "typeof",
    "unhex", "unicode", "unistr", "unistr_quote", "unixepoch", "unlikely", "upper",
    "zeroblob",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_in_lower_case() {
        for table in [ALLOWED, TABLES] {
            assert!(table.is_sorted_by(|a, b| a < b));
            assert!(table.iter().all(|name| *name == name.to_ascii_lowercase()));
        }
    }

    #[test]
    fn what_reads_files_or_other_leases_is_not_allowed() {
        for name in
            ["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "total_changes", "sqlite_version"]
        {
            assert!(!is_allowed(name), "{name}");
        }
        assert!(is_allowed("Count") && is_table("JSON_each") && !is_table("pragma_table_info"));
    }
}
