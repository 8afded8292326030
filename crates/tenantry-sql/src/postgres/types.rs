//! The types that a statement may name: built-in ones, those of the application's schema and of extensions.
//!
//! A table is a type as well: that of the application's own table, which has no column for the tenant. `regclass` and its
//! kin look names up as the application knows them, for `public` is what is on the search path.

use super::extensions;
use crate::{Name, SchemaMap};

/// Whether a statement may name the type, by the parser's name for it.
pub(crate) fn may_name(schema: Option<&str>, name: &str, map: &SchemaMap) -> bool {
    let own =
        || map.has_type(&Name::exact(name)) || extensions::types(name).any(|extension| map.has_extension(extension));
    match schema {
        None => is_allowed(name) || own(),
        Some("pg_catalog") => is_allowed(name),
        Some("public") => own(),
        Some(_) => false,
    }
}

/// Whether it is a built-in type that a statement may name.
fn is_allowed(name: &str) -> bool {
    ALLOWED.binary_search(&name).is_ok()
}

#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "bit", "bool", "box", "bpchar", "bytea",
    "char", "cidr", "circle",
    "date", "datemultirange", "daterange",
    "float4", "float8",
    "inet", "int2", "int2vector", "int4", "int4multirange", "int4range", "int8", "int8multirange", "int8range",
    "interval",
    "json", "jsonb", "jsonpath",
    "line", "lseg",
    "macaddr", "macaddr8", "money",
    "name", "numeric", "nummultirange", "numrange",
    "oid", "oidvector",
    "path", "point", "polygon",
    "regclass", "regnamespace", "regoper", "regoperator", "regproc", "regprocedure", "regtype",
    "text", "time", "timestamp", "timestamptz", "timetz", "tsmultirange", "tsquery", "tsrange", "tstzmultirange",
    "tstzrange", "tsvector",
    "uuid",
    "varbit", "varchar",
    "xml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_rows_and_roles_are_not_allowed() {
        assert!(ALLOWED.is_sorted_by(|a, b| a < b));
        assert!(is_allowed("int4") && is_allowed("uuid"));
        for name in ["regrole", "regconfig", "users", "record", "refcursor", "pg_class", "anyelement", "unknown"] {
            assert!(!is_allowed(name), "{name}");
        }
    }
}
