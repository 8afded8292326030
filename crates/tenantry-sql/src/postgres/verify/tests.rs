use std::sync::Arc;

use super::verify;
use crate::{Column, Name, Relation, RowId, SchemaMap, Table};

fn schema() -> SchemaMap {
    let table = |name: &str, columns: &[&str]| {
        Arc::new(Table {
            name: Name::exact(name),
            number: 1,
            columns: columns.iter().map(|name| Column { name: Name::exact(*name), generated: false }).collect(),
            row_id: RowId::None,
            auto_increment: false,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
        })
    };
    SchemaMap::new(1, [Relation::Tenant(table("t", &["a", "b"])), Relation::Global(table("g", &["c"]))])
}

const LEAF: &str = r#"(SELECT "a", "b" FROM "public"."t" WHERE "t"."_tenant" = $2::bigint) AS t"#;

#[test]
fn accepts_leaves_in_any_place() {
    for text in [
        "SELECT * FROM LEAF",
        "SELECT (SELECT max(a) FROM LEAF) FROM public.g WHERE c = $1",
        "WITH t AS (SELECT * FROM LEAF) SELECT * FROM t",
        "WITH RECURSIVE r AS (SELECT a FROM LEAF UNION SELECT r.a FROM r) SELECT * FROM r",
        "SELECT 1",
    ] {
        let text = text.replace("LEAF", LEAF);
        verify(&text, &schema(), 2).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    }
}

#[test]
fn rejects_everything_that_shows_other_tenants() {
    for text in [
        "SELECT * FROM t",
        "SELECT * FROM public.t",
        "SELECT * FROM other.g",
        "SELECT * FROM db.public.g",
        "SELECT * FROM pg_class",
        r#"SELECT * FROM (SELECT a, b FROM public.t WHERE t._tenant = $1::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t WHERE t._tenant = $2) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t WHERE t._tenant <> $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t WHERE t._tenant = $2::bigint OR true) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t WHERE t.a = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t) AS t"#,
        r#"SELECT * FROM (SELECT a, b, _tenant FROM public.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a FROM public.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT b AS a, a AS b FROM public.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT * FROM public.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t, public.g WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM public.t x WHERE t._tenant = $2::bigint) AS t"#,
        "WITH c AS (SELECT 1) SELECT * FROM public.c",
        "WITH c AS (SELECT * FROM d), d AS (SELECT 1) SELECT 1",
        "SELECT (WITH c AS (SELECT 1) SELECT 1) FROM c",
        "SELECT $2",
        "SELECT $3",
        "SELECT _tenant FROM LEAF",
        r#"SELECT U&"\005ftenant" FROM LEAF"#,
        "SELECT ctid FROM LEAF",
        "SELECT 1 AS _tenant_x",
        "SELECT pg_read_file('x')",
        "SELECT public.lower('x')",
        "SELECT NULL::t",
        "SELECT 'x'::regclass",
        "SELECT 1 OPERATOR(public.+) 1",
        "SELECT (t).a FROM LEAF",
        "SELECT * INTO x FROM LEAF",
        "SELECT current_user",
        "SELECT 1; SELECT 2",
        "",
        "DELETE FROM public.t WHERE t._tenant = $2::bigint",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
    ] {
        let text = text.replace("LEAF", LEAF);
        let refused = verify(&text, &schema(), 2).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(refused.code, crate::Code::Unverified, "{text}");
    }
}
