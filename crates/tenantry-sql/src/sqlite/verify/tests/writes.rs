//! V1, V4 and V5: writes.

use super::*;

#[test]
fn inserts() {
    for text in [
        "INSERT INTO main.users (id, name, _tenant) VALUES (1, 'a', ?9)",
        r#"INSERT INTO "main"."users" AS u ("name", "_tenant") VALUES (?1, ?9), (?2, ?9) RETURNING id, u.name AS n"#,
        "INSERT INTO main.users (_tenant) VALUES (?9)",
        "REPLACE INTO main.users (id, _tenant) SELECT id, ?9 FROM {notes} AS n WHERE id > 1 ORDER BY 1 LIMIT 3",
        "INSERT OR REPLACE INTO main.users (id, name, _tenant) SELECT *, ?9 FROM {users} AS u UNION ALL VALUES (1, 2, ?9)",
        "INSERT INTO main.users (id, _tenant) WITH c AS (SELECT 1 AS x) SELECT x, ?9 FROM c",
        "WITH c AS (SELECT 1 AS x) INSERT INTO main.users (id, _tenant) SELECT x, ?9 FROM c RETURNING 1 IN c",
        "INSERT INTO main.users (id, _tenant) VALUES (_tenantry_row_id(?1), ?9)",
        "INSERT INTO main.users (id, _tenant) SELECT _tenantry_new_id(4, id), ?9 FROM {notes} AS n",
        "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT DO NOTHING",
        "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (_tenant, id) DO NOTHING RETURNING id",
        "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (\"_tenant\", lower(name) COLLATE nocase) WHERE id > 1 \
         DO UPDATE SET name = excluded.name, (id) = (1) WHERE users.id > 3 ON CONFLICT DO UPDATE SET name = 'x'",
    ] {
        accept(text);
    }
}

#[test]
fn an_insert_names_the_tenant_last_and_once() {
    refuse(
        "insert: it has no list",
        &["INSERT INTO main.users VALUES (1, 'a', ?9)", "INSERT INTO main.users SELECT *, ?9 FROM {users} AS u"],
    );
    refuse(
        "insert: the tenant is not",
        &[
            "INSERT INTO main.users (id, name) VALUES (1, ?9)",
            "INSERT INTO main.users (id, '_tenant') VALUES (1, ?9)",
            "INSERT INTO main.users (id, _tenant_rowid) VALUES (1, ?9)",
        ],
    );
    refuse(
        "name: it is reserved",
        &[
            "INSERT INTO main.users (_tenant, id) VALUES (?9, 1)",
            "INSERT INTO main.users (_tenant_rowid, _tenant) VALUES (1, ?9)",
            "INSERT INTO main.users AS _tenant (id, _tenant) VALUES (1, ?9)",
        ],
    );
    refuse(
        "statement: it cannot",
        &[
            "INSERT INTO main.users (\"_TENANT\", _tenant) VALUES (2, ?9)",
            "INSERT INTO main.users ('_tenant', id, _tenant) VALUES (2, 1, ?9)",
        ],
    );
    refuse(
        "insert: DEFAULT",
        &["INSERT INTO main.users DEFAULT VALUES", "INSERT INTO main.users (_tenant) DEFAULT VALUES"],
    );
}

#[test]
fn every_branch_of_a_source_ends_with_the_tenant() {
    refuse(
        "insert: a row",
        &[
            "INSERT INTO main.users (id, _tenant) VALUES (1, 2)",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9), (2, 3)",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9), (2, ?8), (3, ?9)",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9 + 1)",
            "INSERT INTO main.users (id, _tenant) VALUES (1, (?9))",
            "INSERT INTO main.users (id, _tenant) VALUES (?9, 1)",
            "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 UNION VALUES (1, 2)",
        ],
    );
    refuse(
        "insert: a branch",
        &[
            "INSERT INTO main.users (id, _tenant) SELECT 1, 2",
            "INSERT INTO main.users (id, _tenant) SELECT ?9, id FROM {users} AS u",
            "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 UNION ALL SELECT 2, 3",
            "INSERT INTO main.users (id, _tenant) SELECT 1, 2 UNION ALL SELECT 2, ?9",
            "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 EXCEPT SELECT 1, 2 EXCEPT SELECT 1, ?9",
            "INSERT INTO main.users (id, _tenant) SELECT * FROM (SELECT 1, ?9)",
            "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 AS t",
            "INSERT INTO main.users (id, _tenant) SELECT 1, NEW._tenant",
            "INSERT INTO main.users (id, _tenant) WITH c AS (SELECT 1, 2) SELECT * FROM c",
        ],
    );
    refuse(
        "tenant: its parameter",
        &[
            "INSERT INTO main.users (id, _tenant) VALUES (?9, ?9)",
            "INSERT INTO main.users (id, _tenant) SELECT (SELECT ?9), ?9",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT DO UPDATE SET name = ?9",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) RETURNING ?9",
        ],
    );
}

#[test]
fn conflicts_are_looked_for_among_the_tenants_rows() {
    let upsert = |clause: &str| format!("INSERT INTO main.users (id, _tenant) VALUES (1, ?9) {clause}");
    for target in
        ["(id)", "(id, _tenant)", "('_tenant', id)", "(_tenant COLLATE x, id)", "(_tenant DESC)", "((_tenant), id)"]
    {
        refuse("upsert: its target", &[&upsert(&format!("ON CONFLICT {target} DO NOTHING"))]);
    }
    refuse("upsert: its target", &[&upsert("ON CONFLICT (_tenant, id) DO NOTHING ON CONFLICT (id) DO NOTHING")]);
    for clause in [
        "ON CONFLICT (_tenant, _tenant) DO NOTHING",
        "ON CONFLICT (_tenant, id) WHERE _tenant = 1 DO NOTHING",
        "ON CONFLICT (_tenant, id) DO UPDATE SET _tenant = 2",
        "ON CONFLICT (_tenant, id) DO UPDATE SET '_tenant' = 2",
        "ON CONFLICT (_tenant, id) DO UPDATE SET (id, _tenant) = (1, 2)",
        "ON CONFLICT (_tenant, id) DO UPDATE SET _tenant_rowid = 2",
        "ON CONFLICT (_tenant, id) DO UPDATE SET id = excluded._tenant",
        "ON CONFLICT (_tenant, id) DO UPDATE SET id = users._tenant",
        "ON CONFLICT (_tenant, id) DO UPDATE SET id = 1 WHERE users._tenant = 1",
        "ON CONFLICT DO UPDATE SET _tenant = 2",
    ] {
        refuse("name: it is reserved", &[&upsert(clause)]);
    }
}

#[test]
fn updates_and_deletes() {
    for text in [
        "UPDATE main.users SET name = 'x' WHERE users._tenant = ?9",
        r#"UPDATE OR REPLACE "main"."users" AS "u" SET "name" = ?1, (id) = (2) WHERE "u"."_tenant" = ?9 AND (u.id = ?2)"#,
        "UPDATE main.users INDEXED BY i SET id = _tenantry_row_id(?1) WHERE users._tenant = ?9 AND (1 OR 2) RETURNING id",
        "UPDATE main.users SET name = n.body FROM {notes} AS n, main.countries AS c WHERE users._tenant = ?9 AND (n.id = users.id)",
        "UPDATE main.users SET name = l._tenant_rowid_1 FROM {logs+} AS l WHERE users._tenant = ?9",
        "INSERT INTO main.logs (_tenant_rowid, line, _tenant) VALUES (1, 'a', ?9) RETURNING logs._tenant_rowid",
        "UPDATE main.logs SET _tenant_rowid = 2 WHERE logs._tenant = ?9 AND (logs._tenant_rowid = 1)",
        "WITH users AS (SELECT 1) UPDATE main.users SET id = (SELECT * FROM users) WHERE users._tenant = ?9",
        "DELETE FROM main.users WHERE users._tenant = ?9",
        "DELETE FROM main.users AS 'u' INDEXED BY i WHERE [U]._tenant = ?9 AND (id IN (SELECT id FROM {notes} AS n))",
        "WITH users AS (SELECT 1) DELETE FROM main.users WHERE users._tenant = ?9 AND (1 IN users) RETURNING (SELECT 1 FROM users)",
    ] {
        accept(text);
    }
}

#[test]
fn the_guard_comes_first() {
    for condition in [
        "",
        "WHERE 1",
        "WHERE id = 1",
        "WHERE users._tenant = ?8",
        "WHERE users._tenant = 9",
        "WHERE users._tenant = ?9 OR 1",
        "WHERE users._tenant = ?9 OR (id = 1)",
        "WHERE (users._tenant = ?9 OR 1)",
        "WHERE (users._tenant = ?9) AND (id = 1)",
        "WHERE (users._tenant = ?9 AND (id = 1))",
        "WHERE users._tenant = ?9 AND id = 1",
        "WHERE users._tenant = ?9 AND (id = 1) OR 1",
        "WHERE users._tenant = ?9 AND (id = 1) AND (id = 2)",
        "WHERE users._tenant = ?9 AND (id, 1)",
        "WHERE users._tenant = ?9 AND (id) = 1",
        "WHERE users._tenant = ?9 AND NOT (id)",
        "WHERE (id = 1) AND users._tenant = ?9",
        "WHERE NOT users._tenant = ?9 AND (id = 1)",
        "WHERE users._tenant = ?9 = 0 AND (id = 1)",
        "WHERE users._tenant IS NOT ?9 AND (id = 1)",
        "WHERE users._tenant = users._tenant AND (id = ?9)",
        "WHERE ?9 = users._tenant AND (id = 1)",
        "WHERE _tenant = ?9 AND (id = 1)",
        "WHERE notes._tenant = ?9 AND (id = 1)",
        "WHERE '_tenant' = ?9",
        "WHERE users.'_tenant' = ?9",
        "WHERE main.users._tenant = ?9",
        "WHERE users._tenant BETWEEN ?9 AND (id = 1)",
        "WHERE EXISTS (SELECT 1 FROM {notes} AS n)",
    ] {
        refuse(
            "write: ",
            &[&format!("DELETE FROM main.users {condition}"), &format!("UPDATE main.users SET id = 1 {condition}")],
        );
    }
    refuse(
        "write: WHERE",
        &[
            "DELETE FROM main.users AS u WHERE users._tenant = ?9",
            "DELETE FROM main.users AS u WHERE notes._tenant = ?9",
        ],
    );
    refuse("tenant: ", &["DELETE FROM main.users WHERE users._tenant = ?9 AND (id = ?9)"]);
    refuse("name: it is reserved", &["DELETE FROM main.users WHERE users._tenant = ?9 AND (users._tenant = ?1)"]);
}

#[test]
fn targets_are_qualified_tenants_tables() {
    let each = |table: &str| {
        [
            format!("DELETE FROM {table} WHERE x._tenant = ?9"),
            format!("UPDATE {table} SET id = 1 WHERE x._tenant = ?9"),
            format!("INSERT INTO {table} (id, _tenant) VALUES (1, ?9)"),
            format!("WITH users AS (SELECT 1) INSERT INTO {table} (id, _tenant) VALUES (1, ?9)"),
        ]
    };
    for (check, table) in [
        ("write: its table is not qualified", "users"),
        ("write: its table is not qualified", "\"users\" AS x"),
        ("write: its table is not the tenants'", "main.countries"),
        ("write: its table is not the tenants'", "main.adults"),
        ("write: its table is not the tenants'", "main.sqlite_master"),
        ("relation: a schema", "temp.users"),
        ("name: it is reserved", "main._tenantry_master"),
        ("name: it is reserved", "main.users AS _tenant"),
    ] {
        for text in each(table) {
            refuse(check, &[&text]);
        }
    }
}

#[test]
fn nothing_reserved_is_assigned_read_or_returned() {
    refuse(
        "name: it is reserved",
        &[
            "UPDATE main.users SET _tenant = 2 WHERE users._tenant = ?9",
            "UPDATE main.users SET '_tenant' = 2 WHERE users._tenant = ?9",
            "UPDATE main.users SET (name, [_TENANT]) = (1, 2) WHERE users._tenant = ?9",
            "UPDATE main.users SET _tenant_rowid = 2 WHERE users._tenant = ?9",
            "UPDATE main.logs SET _tenant_rowid_1 = 2 FROM {logs+} AS l WHERE logs._tenant = ?9",
            "UPDATE main.users SET name = _tenant WHERE users._tenant = ?9",
            "UPDATE main.users INDEXED BY _tenant SET id = 1 WHERE users._tenant = ?9",
            "DELETE FROM main.users WHERE users._tenant = ?9 RETURNING _tenant",
            "DELETE FROM main.users WHERE users._tenant = ?9 RETURNING id AS _tenant",
            "DELETE FROM main.users WHERE users._tenant = ?9 AND (id IN (SELECT users._tenant))",
        ],
    );
    refuse(
        "write: a star",
        &[
            "UPDATE main.users SET id = 1 WHERE users._tenant = ?9 RETURNING *",
            "DELETE FROM main.users WHERE users._tenant = ?9 RETURNING id, *",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) RETURNING *",
            "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) RETURNING users.*",
        ],
    );
    refuse(
        "write: ORDER BY",
        &[
            "DELETE FROM main.users WHERE users._tenant = ?9 LIMIT 1",
            "UPDATE main.users SET id = 1 WHERE users._tenant = ?9 ORDER BY id LIMIT 1",
        ],
    );
    refuse("write: NOT", &["DELETE FROM main.users NOT INDEXED WHERE users._tenant = ?9"]);
    refuse("write: NOT", &["UPDATE main.users NOT INDEXED SET id = 1 WHERE users._tenant = ?9"]);
}

#[test]
fn a_write_reads_by_the_rules_of_reads() {
    refuse(
        "relation: ",
        &[
            "UPDATE main.users SET id = 1 FROM main.notes AS n WHERE users._tenant = ?9",
            "UPDATE main.users SET id = 1 FROM notes WHERE users._tenant = ?9",
            "UPDATE main.users SET id = 1 FROM {notes} AS n JOIN users AS u WHERE users._tenant = ?9",
            "INSERT INTO main.users (id, _tenant) SELECT id, ?9 FROM main.notes",
            "INSERT INTO main.users (id, _tenant) SELECT id, ?9 FROM notes",
            "WITH c AS (SELECT * FROM main.notes) DELETE FROM main.users WHERE users._tenant = ?9",
            "INSERT INTO main.users (id, _tenant) WITH c AS (SELECT 1) SELECT 1, ?9 FROM c RETURNING 1 IN c",
        ],
    );
    refuse("leaf: ", &["UPDATE main.users SET id = 1 FROM (SELECT * FROM main.notes) AS n WHERE users._tenant = ?9"]);
}
