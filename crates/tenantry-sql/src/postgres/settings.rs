//! The settings of a connection that a statement may change or ask for.

/// Whether a statement may set it: it concerns what the application sends and gets, and for how long it waits. What the
/// scoping relies on is pinned (`search_path`, `row_security`, …), and names with a dot are others'.
pub(crate) fn may_set(name: &str) -> bool {
    SETTABLE.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

/// Whether it is pinned to this value, so that setting it changes nothing.
pub(crate) fn is_pinned_to(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name.to_ascii_lowercase().as_str() {
        "client_encoding" | "names" => matches!(value.as_str(), "utf8" | "utf-8" | "unicode"),
        "standard_conforming_strings" | "row_security" => matches!(value.as_str(), "on" | "true" | "yes" | "1"),
        _ => false,
    }
}

/// Whether a statement may ask for its value.
pub(crate) fn may_read(name: &str) -> bool {
    may_set(name) || READABLE.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

#[rustfmt::skip]
const SETTABLE: &[&str] = &[
    "application_name",
    "array_nulls",
    "bytea_output",
    "client_min_messages",
    "datestyle",
    "default_transaction_deferrable", "default_transaction_isolation", "default_transaction_read_only",
    "enable_bitmapscan", "enable_hashagg", "enable_hashjoin", "enable_indexonlyscan", "enable_indexscan",
    "enable_material", "enable_memoize", "enable_mergejoin", "enable_nestloop", "enable_seqscan", "enable_sort",
    "extra_float_digits",
    "from_collapse_limit",
    "geqo",
    "gin_fuzzy_search_limit",
    "idle_in_transaction_session_timeout", "intervalstyle",
    "jit",
    "join_collapse_limit",
    "lc_messages", "lc_monetary", "lc_numeric", "lc_time",
    "lock_timeout",
    "pg_trgm.similarity_threshold", "pg_trgm.strict_word_similarity_threshold", "pg_trgm.word_similarity_threshold",
    "plan_cache_mode",
    "statement_timeout",
    "synchronous_commit",
    "timezone",
    "transaction_deferrable", "transaction_isolation", "transaction_read_only",
    "xmlbinary", "xmloption",
];

#[rustfmt::skip]
const READABLE: &[&str] = &[
    "block_size",
    "client_encoding",
    "integer_datetimes",
    "lc_collate", "lc_ctype",
    "max_identifier_length", "max_index_keys",
    "search_path", "server_encoding", "server_version", "server_version_num", "standard_conforming_strings",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_scoping_relies_on_cannot_be_set() {
        assert!(SETTABLE.is_sorted_by(|a, b| a < b) && READABLE.is_sorted_by(|a, b| a < b));
        for name in [
            "search_path",
            "role",
            "session_authorization",
            "row_security",
            "standard_conforming_strings",
            "client_encoding",
            "backslash_quote",
            "escape_string_warning",
            "session_replication_role",
            "tenantry.tenant",
            "Tenantry.Tenant",
            "default_tablespace",
            "temp_tablespaces",
            "work_mem",
            "all",
        ] {
            assert!(!may_set(name), "{name}");
        }
        for name in ["tenantry.tenant", "all", "is_superuser", "data_directory", "hba_file"] {
            assert!(!may_read(name), "{name}");
        }
        assert!(may_set("TimeZone") && may_read("server_version"));
        assert!(is_pinned_to("standard_conforming_strings", "on"));
        assert!(!is_pinned_to("standard_conforming_strings", "off") && !is_pinned_to("client_encoding", "sjis"));
    }
}
