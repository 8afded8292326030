//! What statements become.

use crate::schema::rewriter;

/// The leaf of `users`, as it is printed.
const USERS: &str = r#"(SELECT "id", "name", "grp" FROM "main"."users" WHERE "users"."_tenant" = ?T)"#;
const ORDERS: &str = r#"(SELECT "id", "uid", "amount" FROM "main"."orders" WHERE "orders"."_tenant" = ?T)"#;
const LOG: &str = r#"(SELECT "at", "line" FROM "main"."log" WHERE "log"."_tenant" = ?T)"#;

#[track_caller]
fn check(text: &str, expected: &str) {
    let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    let tenant = plan.tenant.map(|number| format!("?{number}")).unwrap_or_default();
    let expected =
        expected.replace("USERS", USERS).replace("ORDERS", ORDERS).replace("LOG", LOG).replace("?T", &tenant);
    assert_eq!(&*plan.text, expected, "\n{text}");
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    match rewriter().scope(text) {
        Ok(plan) => panic!("{text}\nbecame {}", plan.text),
        Err(refused) => assert!(refused.to_string().contains(expected), "{text}\n{refused}"),
    }
}

#[test]
fn tables_become_leaves() {
    check("SELECT * FROM users", r#"SELECT * FROM USERS AS "users""#);
    check(
        "select u.id from main.users as u, orders o where o.uid = u.id",
        "select u.id from USERS as u, ORDERS o where o.uid = u.id",
    );
    check(
        "SELECT * FROM users INDEXED BY i WHERE 1",
        r#"SELECT * FROM (SELECT "id", "name", "grp" FROM "main"."users" INDEXED BY "i" WHERE "users"."_tenant" = ?1) AS "users"  WHERE 1"#,
    );
    check("SELECT * FROM users u NOT INDEXED", "SELECT * FROM USERS u ");
    check(
        "SELECT * FROM countries c JOIN users USING (name)",
        r#"SELECT * FROM "main"."countries" c JOIN USERS AS "users" USING (name)"#,
    );
    check("SELECT 1", "SELECT 1");
    check(
        "SELECT * FROM (users JOIN orders ON orders.uid = users.id)",
        r#"SELECT * FROM (USERS AS "users" JOIN ORDERS AS "orders" ON orders.uid = users.id)"#,
    );
}

#[test]
fn subqueries_are_found_in_every_place() {
    let inner = "(SELECT max(id) FROM orders)";
    let scoped = r#"(SELECT max(id) FROM ORDERS AS "orders")"#;
    for place in [
        "SELECT Q AS x FROM users",
        "SELECT CASE WHEN Q > 1 THEN Q ELSE Q END AS x FROM users",
        "SELECT abs(Q) AS x, count(*) FILTER (WHERE id > Q) AS y, sum(id) OVER (PARTITION BY Q ORDER BY Q ROWS Q PRECEDING) AS z FROM users",
        "SELECT 1 FROM users u JOIN users v ON Q = v.id",
        "SELECT 1 FROM users WHERE id IN Q",
        "SELECT 1 FROM users WHERE id IN (Q, 2) AND EXISTS Q AND id BETWEEN Q AND Q AND name LIKE Q ESCAPE Q",
        "SELECT grp FROM users GROUP BY Q HAVING Q > 1 ORDER BY Q DESC NULLS LAST LIMIT Q OFFSET Q",
        "SELECT grp FROM users LIMIT Q, Q",
        "SELECT sum(id) OVER w AS s FROM users WINDOW w AS (ORDER BY Q)",
        "WITH c(x) AS MATERIALIZED Q SELECT * FROM c, users",
        "SELECT 1 FROM users UNION ALL SELECT Q AS x EXCEPT VALUES (Q)",
        "SELECT * FROM Q AS sub, users",
        "SELECT NOT Q IS NOT NULL AS x, -Q AS y, CAST(Q AS VARCHAR(10)) AS z, Q COLLATE nocase AS n, Q ->> '$.a' AS j FROM users",
        "SELECT * FROM json_each(Q), users",
    ] {
        let expected = place
            .replace('Q', scoped)
            .replace("FROM users", "FROM USERS AS \"users\"")
            .replace(", users", ", USERS AS \"users\"")
            .replace("AS \"users\" u ", "u ")
            .replace("JOIN users v", "JOIN USERS v");
        check(&place.replace('Q', inner), &expected);
    }
}

#[test]
fn common_table_expressions_are_seen_as_sqlite_sees_them() {
    check(
        "WITH users AS (SELECT * FROM orders) SELECT * FROM users",
        r#"WITH users AS (SELECT * FROM ORDERS AS "orders") SELECT * FROM users"#,
    );
    check(
        "WITH users AS (SELECT 1 AS id) SELECT * FROM main.users",
        r#"WITH users AS (SELECT 1 AS id) SELECT * FROM USERS AS "users""#,
    );
    check(
        "WITH a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a",
        "WITH a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a",
    );
    check(
        "SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users), users",
        r#"SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users), USERS AS "users""#,
    );
    check(
        "WITH users AS (SELECT 1) DELETE FROM users",
        r#"WITH users AS (SELECT 1) DELETE FROM "main"."users" WHERE "users"."_tenant" = ?1"#,
    );
    check(
        "WITH c AS (SELECT 1) SELECT 1 WHERE 1 IN c AND 2 IN users",
        r#"WITH c AS (SELECT 1) SELECT 1 WHERE 1 IN c AND 2 IN (SELECT * FROM USERS AS "users")"#,
    );
}

#[test]
fn changes_are_guarded() {
    check("DELETE FROM users", r#"DELETE FROM "main"."users" WHERE "users"."_tenant" = ?T"#);
    check(
        "DELETE FROM users AS u WHERE u.id = ? OR 1",
        r#"DELETE FROM "main"."users" AS u WHERE "u"."_tenant" = ?2 AND (u.id = ?1 OR 1)"#,
    );
    check(
        "UPDATE users SET name = (SELECT line FROM log) WHERE id IN (SELECT uid FROM orders)",
        r#"UPDATE "main"."users" SET name = (SELECT line FROM LOG AS "log") WHERE "users"."_tenant" = ?1 AND (id IN (SELECT uid FROM ORDERS AS "orders"))"#,
    );
    check(
        "UPDATE users SET name = o.amount FROM orders o WHERE o.uid = users.id RETURNING *",
        r#"UPDATE "main"."users" SET name = o.amount FROM ORDERS o WHERE "users"."_tenant" = ?1 AND (o.uid = users.id) RETURNING "id", "name", "grp""#,
    );
    check(
        "UPDATE users SET id = id + 1, grp = 2",
        r#"UPDATE "main"."users" SET id = _tenantry_row_id(id + 1), grp = 2 WHERE "users"."_tenant" = ?1"#,
    );
    check(
        "UPDATE users SET grp = 2, id = id + 1",
        r#"UPDATE "main"."users" SET grp = 2, id = _tenantry_row_id(id + 1) WHERE "users"."_tenant" = ?1"#,
    );
    check("DELETE FROM main.users -- all of them", r#"DELETE FROM "main"."users" WHERE "users"."_tenant" = ?1 "#);
}

#[test]
fn inserted_rows_get_the_tenant() {
    check(
        "INSERT INTO users VALUES (1, ?, 'x'), (NULL, ?, ?)",
        r#"INSERT INTO "main"."users" ("id", "name", "grp", "_tenant") VALUES (1, ?1, 'x', ?4), (NULL, ?2, ?3, ?4)"#,
    );
    check(
        "INSERT INTO users (name, grp) SELECT uid, 1 FROM orders UNION SELECT 1, 2",
        r#"INSERT INTO "main"."users" (name, grp, "_tenant") SELECT uid, 1, ?1 FROM ORDERS AS "orders" UNION SELECT 1, 2, ?1"#,
    );
    check("INSERT INTO users DEFAULT VALUES", r#"INSERT INTO "main"."users" ("_tenant") VALUES (?1)"#);
    check(
        "REPLACE INTO settings SELECT * FROM settings",
        r#"REPLACE INTO "main"."settings" ("key", "value", "_tenant") SELECT *, ?1 FROM (SELECT "key", "value" FROM "main"."settings" WHERE "settings"."_tenant" = ?1) AS "settings""#,
    );
    check(
        "INSERT INTO settings AS s (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE s.value <> ? RETURNING *, key AS k",
        r#"INSERT INTO "main"."settings" AS s (key, value, "_tenant") VALUES (?1, ?2, ?4) ON CONFLICT ("_tenant", key) DO UPDATE SET value = excluded.value WHERE s.value <> ?3 RETURNING "key", "value", key AS k"#,
    );
    check(
        "INSERT OR IGNORE INTO users (id, name) VALUES (?, 'a'), (3, 'b'), (NULL, 'c')",
        r#"INSERT OR IGNORE INTO "main"."users" (id, name, "_tenant") VALUES (_tenantry_new_id(1, ?1), 'a', ?2), (3, 'b', ?2), (_tenantry_new_id(1, NULL), 'c', ?2)"#,
    );
    check(
        "INSERT INTO log (rowid, at) VALUES (1, 2)",
        r#"INSERT INTO "main"."log" ("_tenant_rowid", at, "_tenant") VALUES (1, 2, ?1)"#,
    );
}

#[test]
fn row_ids_are_resolved() {
    check(
        "DELETE FROM users WHERE rowid IN (SELECT rowid FROM users LIMIT 1)",
        r#"DELETE FROM "main"."users" WHERE "users"."_tenant" = ?1 AND ("users"."id" IN (SELECT "users"."id" FROM USERS AS "users" LIMIT 1))"#,
    );
    check(
        "SELECT rowid, * FROM log l",
        r#"SELECT "l"."_tenant_rowid_21" AS "rowid", "l"."at", "l"."line" FROM (SELECT "at", "line", "_tenant_rowid" AS "_tenant_rowid_21" FROM "main"."log" WHERE "log"."_tenant" = ?1) l"#,
    );
    check(
        "SELECT oid FROM log ORDER BY _rowid_",
        r#"SELECT "log"."_tenant_rowid_16" AS "rowid" FROM (SELECT "at", "line", "_tenant_rowid" AS "_tenant_rowid_16" FROM "main"."log" WHERE "log"."_tenant" = ?1) AS "log" ORDER BY "log"."_tenant_rowid_16""#,
    );
    check(
        "UPDATE log SET line = rowid WHERE rowid = ? RETURNING oid",
        r#"UPDATE "main"."log" SET line = "log"."_tenant_rowid" WHERE "log"."_tenant" = ?2 AND ("log"."_tenant_rowid" = ?1) RETURNING "log"."_tenant_rowid" AS "rowid""#,
    );
    refused("SELECT rowid FROM users, orders", "[S06]");
    refused("SELECT * FROM users WHERE name MATCH 'x'", "[S09]");
    refused("SELECT * FROM \u{feff}users", "[S18]");
    check(
        "SELECT x.rowid FROM (SELECT 1 AS rowid) x, users",
        r#"SELECT x.rowid FROM (SELECT 1 AS rowid) x, USERS AS "users""#,
    );
}

#[test]
fn columns_lose_their_schema() {
    check("SELECT main.users.id FROM main.users", r#"SELECT users.id FROM USERS AS "users""#);
    refused("SELECT main.users.id FROM main.users, (SELECT 1 AS id) users", "[S19]");
}

#[test]
fn results_keep_their_names() {
    check(
        "SELECT (SELECT count (*) FROM users), id+? FROM orders",
        r#"SELECT (SELECT count (*) FROM USERS AS "users") AS "(SELECT count (*) FROM users)", id+?1 AS "id+?" FROM ORDERS AS "orders""#,
    );
}

#[test]
fn views_are_expanded() {
    check("SELECT * FROM big", r#"SELECT * FROM (SELECT * FROM ORDERS AS "orders" WHERE amount > 10) AS "big""#);
    check(
        "WITH orders AS (SELECT 1) SELECT * FROM outer_big o",
        r#"WITH orders AS (SELECT 1) SELECT * FROM (SELECT id FROM (SELECT * FROM ORDERS AS "orders" WHERE amount > 10) AS "big") o"#,
    );
    check(
        "SELECT a FROM named",
        r#"SELECT a FROM (WITH "named"("a", "b") AS (WITH users AS (SELECT * FROM ORDERS AS "orders") SELECT id, uid FROM users) SELECT * FROM "named") AS "named""#,
    );
}

#[test]
fn right_joins_are_turned_round() {
    check(
        "SELECT * FROM users u RIGHT JOIN orders o ON o.uid = u.id WHERE 1",
        r#"SELECT "u".*, "o".* FROM ORDERS o LEFT JOIN USERS u ON o.uid = u.id WHERE 1"#,
    );
}

/// Where a join between parentheses comes first, SQLite sees no parentheses, and names mean something else.
#[test]
fn right_joins_with_a_join_between_parentheses_stay() {
    check(
        "SELECT 1 FROM users u RIGHT JOIN (orders o JOIN log l ON 1) ON 1",
        "SELECT 1 FROM USERS u RIGHT JOIN (ORDERS o JOIN LOG l ON 1) ON 1",
    );
    check(
        "SELECT 1 FROM (users u JOIN log l ON 1) RIGHT JOIN orders o ON 1",
        "SELECT 1 FROM (USERS u JOIN LOG l ON 1) RIGHT JOIN ORDERS o ON 1",
    );
}

#[test]
fn questions_about_the_schema_are_answered() {
    check(
        "SELECT name FROM sqlite_master WHERE type = 'table'",
        r#"SELECT name FROM (SELECT "type", "name", "tbl_name", "rootpage", "sql" FROM "main"."_tenantry_master") AS "sqlite_master" WHERE type = 'table'"#,
    );
    check(
        "PRAGMA table_info(\"it's\")",
        r#"SELECT "cid", "name", "type", "notnull", "dflt_value", "pk" FROM "main"."_tenantry_table_info" WHERE "of" = 'it''s' COLLATE NOCASE ORDER BY "at""#,
    );
    check(
        "SELECT name FROM pragma_table_info(?) p",
        r#"SELECT name FROM (SELECT "cid", "name", "type", "notnull", "dflt_value", "pk" FROM "main"."_tenantry_table_info" WHERE "of" = (?1) COLLATE NOCASE) AS "p""#,
    );
    for (pragma, _) in tenantry_sql::PRAGMAS {
        rewriter().scope(&format!("SELECT * FROM pragma_{pragma}('users')")).unwrap();
    }
    refused("PRAGMA journal_mode = DELETE", "[S10]");
    refused("SELECT * FROM sqlite_master m, pragma_table_info(m.name)", "[S03]");
}

#[test]
fn what_has_no_rule_is_refused() {
    for (text, code) in [
        ("", "S01"),
        ("SELECT 1; SELECT 2", "S01"),
        ("SELEC", "S01"),
        ("SELECT * FROM nowhere", "S03"),
        ("SELECT * FROM temp.users", "S03"),
        ("SELECT _tenant FROM users", "S04"),
        ("SELECT \"_TENANT\" FROM users", "S04"),
        ("SELECT [_tenant_rowid] FROM log", "S04"),
        ("INSERT INTO users (_tenant) VALUES (1)", "S04"),
        ("SELECT * FROM _tenantry_tables", "S04"),
        ("SELECT load_extension('x')", "S09"),
        ("SELECT total_changes()", "S11"),
        ("SELECT * FROM pragma_database_list", "S03"),
        ("CREATE TABLE x (y)", "S13"),
        ("CREATE TEMP TABLE users (y)", "S15"),
        ("ATTACH 'x' AS y", "S16"),
        ("VACUUM INTO 'x'", "S16"),
        ("EXPLAIN SELECT 1", "S17"),
        ("DELETE FROM countries", "S03"),
        ("UPDATE big SET id = 1", "S03"),
        ("SELECT 1 WHERE 1 IN json_each('[1]')", "S02"),
        ("INSERT INTO users DEFAULT VALUES RETURNING users.*", "S07"),
    ] {
        refused(text, &format!("[{code}]"));
    }
}
