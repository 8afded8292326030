//! What is accepted, and what is not, whoever printed it.

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

const LEAF: &str = r#"(SELECT "a", "b" FROM "tenantry_shared"."t" WHERE "t"."_tenant" = $2::bigint) AS t"#;

#[test]
fn accepts_leaves_in_any_place() {
    for text in [
        "SELECT * FROM LEAF",
        "SELECT (SELECT max(a) FROM LEAF) FROM tenantry_shared.g WHERE c = $1",
        "WITH t AS (SELECT * FROM LEAF) SELECT * FROM t",
        "WITH RECURSIVE r AS (SELECT a FROM LEAF UNION SELECT r.a FROM r) SELECT * FROM r",
        "SELECT 1",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint",
        "DELETE FROM tenantry_shared.t AS x USING LEAF WHERE x._tenant = $2::bigint AND (x.a = $1 OR x.b = 2 AND true) RETURNING x.a",
        "UPDATE tenantry_shared.t SET a = DEFAULT, (b) = (SELECT max(b) FROM LEAF) WHERE t._tenant = $2::bigint AND (true)",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, $2::bigint), (DEFAULT, $2::bigint)",
        "INSERT INTO tenantry_shared.t (a, _tenant) SELECT a, $2::bigint FROM LEAF UNION SELECT 1, $2::bigint ON CONFLICT (_tenant, a) DO UPDATE SET b = excluded.b",
    ] {
        let text = text.replace("LEAF", LEAF);
        verify(&text, &schema(), 2).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    }
}

#[test]
fn rejects_everything_that_shows_other_tenants() {
    for text in [
        "SELECT * FROM t",
        "SELECT * FROM tenantry_shared.t",
        "SELECT * FROM public.t",
        "SELECT * FROM public.g",
        r#"SELECT * FROM (SELECT a, b FROM public.t WHERE t._tenant = $2::bigint) AS t"#,
        "DELETE FROM public.t WHERE t._tenant = $2::bigint",
        "SELECT * FROM other.g",
        "SELECT * FROM db.tenantry_shared.g",
        "SELECT * FROM pg_class",
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t WHERE t._tenant = $1::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t WHERE t._tenant = $2) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t WHERE t._tenant <> $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t WHERE t._tenant = $2::bigint OR true) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t WHERE t.a = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t) AS t"#,
        r#"SELECT * FROM (SELECT a, b, _tenant FROM tenantry_shared.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a FROM tenantry_shared.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT b AS a, a AS b FROM tenantry_shared.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT * FROM tenantry_shared.t WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t, tenantry_shared.g WHERE t._tenant = $2::bigint) AS t"#,
        r#"SELECT * FROM (SELECT a, b FROM tenantry_shared.t x WHERE t._tenant = $2::bigint) AS t"#,
        "WITH c AS (SELECT 1) SELECT * FROM tenantry_shared.c",
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
        "DELETE FROM tenantry_shared.t",
        "DELETE FROM t WHERE t._tenant = $2::bigint",
        "DELETE FROM tenantry_shared.g WHERE g._tenant = $2::bigint",
        "DELETE FROM tenantry_shared.t AS x WHERE t._tenant = $2::bigint",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint OR true",
        "DELETE FROM tenantry_shared.t WHERE a = 1 AND t._tenant = $2::bigint",
        "DELETE FROM tenantry_shared.t WHERE NOT t._tenant = $2::bigint",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint AND (_tenant = 1)",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint RETURNING *",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint RETURNING t.*",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint RETURNING t",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint RETURNING t.to_json",
        "DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint RETURNING old.a",
        "DELETE FROM tenantry_shared.t USING tenantry_shared.t AS x WHERE t._tenant = $2::bigint",
        "UPDATE tenantry_shared.t SET a = 1",
        "UPDATE tenantry_shared.t SET _tenant = 1 WHERE t._tenant = $2::bigint",
        "UPDATE tenantry_shared.t SET a = $2 WHERE t._tenant = $2::bigint",
        "UPDATE tenantry_shared.t SET (a, _tenant) = (SELECT 1, 2) WHERE t._tenant = $2::bigint",
        "UPDATE tenantry_shared.t SET a = (SELECT max(a) FROM t) WHERE t._tenant = $2::bigint",
        "INSERT INTO tenantry_shared.t VALUES (1)",
        "INSERT INTO tenantry_shared.t (a) VALUES (1)",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, 1)",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, $2::bigint), (2, 3)",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, 7, $2::bigint)",
        "INSERT INTO tenantry_shared.t (_tenant, a) VALUES (1, $2::bigint)",
        "INSERT INTO tenantry_shared.t (a, _tenant, _tenant) VALUES (1, 1, $2::bigint)",
        "INSERT INTO tenantry_shared.t (a, _tenant) SELECT 1, $2::bigint UNION SELECT 1, 7",
        "INSERT INTO tenantry_shared.t (a, _tenant) SELECT a, $2::bigint FROM t",
        "INSERT INTO tenantry_shared.t (a, _tenant) DEFAULT VALUES",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, $2::bigint) ON CONFLICT (a) DO NOTHING",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, $2::bigint) ON CONFLICT ON CONSTRAINT x DO NOTHING",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, $2::bigint) ON CONFLICT (_tenant, a) DO UPDATE SET _tenant = 1",
        "INSERT INTO tenantry_shared.t (a, _tenant) VALUES (1, $2::bigint) ON CONFLICT (_tenant, a) DO UPDATE SET b = excluded",
        "MERGE INTO tenantry_shared.t USING tenantry_shared.g ON t._tenant = $2::bigint WHEN MATCHED THEN DELETE",
        "WITH d AS (DELETE FROM tenantry_shared.t WHERE t._tenant = $2::bigint) SELECT 1",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
    ] {
        let text = text.replace("LEAF", LEAF);
        let refused = verify(&text, &schema(), 2).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(refused.code, crate::Code::Unverified, "{text}");
    }
}
