//! The types that a statement may name: built-in ones that name no object of the database.
//!
//! A table is a type as well, whose columns include the tenant's; `regclass` and its kin look names up in the catalogs.

/// Whether a statement may name the type, by the parser's name for it.
pub(crate) fn is_allowed(name: &str) -> bool {
    ALLOWED.binary_search(&name).is_ok()
}

#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "bit", "bool", "box", "bpchar", "bytea",
    "cidr", "circle",
    "date", "datemultirange", "daterange",
    "float4", "float8",
    "inet", "int2", "int4", "int4multirange", "int4range", "int8", "int8multirange", "int8range", "interval",
    "json", "jsonb", "jsonpath",
    "line", "lseg",
    "macaddr", "macaddr8", "money",
    "numeric", "nummultirange", "numrange",
    "path", "point", "polygon",
    "text", "time", "timestamp", "timestamptz", "timetz", "tsmultirange", "tsquery", "tsrange", "tstzmultirange",
    "tstzrange", "tsvector",
    "uuid",
    "varbit", "varchar",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_name_objects_are_not_allowed() {
        assert!(ALLOWED.is_sorted_by(|a, b| a < b));
        assert!(is_allowed("int4") && is_allowed("uuid"));
        for name in ["regclass", "regproc", "oid", "users", "record", "refcursor", "xml", "name"] {
            assert!(!is_allowed(name), "{name}");
        }
    }
}
