//! The functions that a tenant's statement may call.

/// Whether a tenant's statement may call the function.
pub(super) fn is_allowed(name: &str) -> bool {
    ALLOWED.binary_search(&name).is_ok() || ALLOWED.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

/// Functions that depend on their arguments, the clock and chance alone, and those that say what the same connection
/// has done. In the order of the alphabet.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "->", "->>",
    "_tenantry_new_id", "_tenantry_next_id", "_tenantry_row_id",
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "ceil", "ceiling", "changes", "char",
    "coalesce", "concat", "concat_ws", "cos", "cosh", "count", "cume_dist", "current_date", "current_time",
    "current_timestamp", "date", "datetime", "degrees", "dense_rank", "exp", "first_value", "floor", "format", "glob",
    "group_concat", "hex", "if", "ifnull", "iif", "instr", "json", "json_array", "json_array_insert",
    "json_array_length", "json_error_position", "json_extract", "json_group_array", "json_group_object", "json_insert",
    "json_object", "json_patch", "json_pretty", "json_quote", "json_remove", "json_replace", "json_set", "json_type",
    "json_valid", "jsonb", "jsonb_array", "jsonb_array_insert", "jsonb_extract", "jsonb_group_array",
    "jsonb_group_object", "jsonb_insert", "jsonb_object", "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set",
    "julianday", "lag", "last_insert_rowid", "last_value", "lead", "length", "like", "likelihood", "likely", "ln",
    "log", "log10", "log2", "lower", "ltrim", "max", "median", "min", "mod", "nth_value", "ntile", "nullif",
    "octet_length", "percent_rank", "percentile", "percentile_cont", "percentile_disc", "pi", "pow", "power", "printf",
    "quote", "radians", "random", "randomblob", "rank", "regexp", "replace", "round", "row_number", "rtrim", "sign",
    "sin", "sinh", "soundex", "sqrt", "strftime", "string_agg", "substr", "substring", "subtype", "sum", "tan", "tanh",
    "time", "timediff", "total", "total_changes", "trim", "trunc", "typeof", "unhex", "unicode", "unistr",
    "unistr_quote", "unixepoch", "unlikely", "upper", "zeroblob",
];

#[cfg(test)]
mod tests {
    use sqlx::{Connection, SqliteConnection};

    use super::*;

    #[test]
    fn the_list_is_in_the_order_that_the_search_needs() {
        assert!(ALLOWED.is_sorted(), "{:?}", ALLOWED.windows(2).find(|pair| pair[0] > pair[1]));
    }

    #[tokio::test]
    async fn what_is_not_allowed_is_known() {
        let mut connection = SqliteConnection::connect(":memory:").await.unwrap();
        let all: Vec<String> = sqlx::query_scalar("SELECT DISTINCT name FROM pragma_function_list ORDER BY name")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let denied: Vec<_> = all.iter().filter(|name| !is_allowed(name)).map(String::as_str).collect();
        // A new version of SQLite brings new functions: look at each before it gets on the list.
        assert_eq!(denied, DENIED);
    }

    #[rustfmt::skip]
    const DENIED: &[&str] = &[
        "bm25", "fts3_tokenizer", "fts5", "fts5_get_locale", "fts5_insttoken", "fts5_locale",
        "fts5_source_id", "highlight", "load_extension", "match", "matchinfo", "offsets", "optimize",
        "rtreecheck", "rtreedepth", "rtreenode", "snippet", "sqlite_compileoption_get",
        "sqlite_compileoption_used", "sqlite_log", "sqlite_source_id", "sqlite_version",
    ];
}
