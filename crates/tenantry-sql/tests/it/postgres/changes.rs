//! Common table expressions that change rows, `MERGE`, `TRUNCATE`, and what `INSERT` and `RETURNING` can do besides.

use tenantry_sql::{Affected, Effect};

use super::{becomes, refused, rewriter};

#[test]
fn common_table_expressions_may_change_rows() {
    for (text, expected) in [
        (
            "WITH d AS (DELETE FROM users WHERE id = 1 RETURNING *) SELECT * FROM d",
            r#"WITH d AS (DELETE FROM [users] WHERE GUARD(users) AND (id = 1) RETURNING "id", "name", "grp") SELECT * FROM d"#,
        ),
        (
            "WITH d AS (DELETE FROM users) UPDATE orders SET uid = NULL",
            "WITH d AS (DELETE FROM [users] WHERE GUARD(users)) UPDATE [orders] SET uid = NULL WHERE GUARD(orders)",
        ),
        (
            "WITH i AS (INSERT INTO users VALUES (1) RETURNING id), u AS (UPDATE orders o SET uid = i.id FROM i RETURNING o.*) SELECT * FROM u",
            r#"WITH i AS (INSERT INTO [users] ("id", "_tenant") VALUES (1, $T) RETURNING id), u AS (UPDATE [orders] o SET uid = i.id FROM i WHERE GUARD(o) RETURNING "o"."id", "o"."uid", "o"."amount") SELECT * FROM u"#,
        ),
        (
            "WITH d AS (DELETE FROM users RETURNING id) INSERT INTO orders (id) SELECT id FROM d",
            r#"WITH d AS (DELETE FROM [users] WHERE GUARD(users) RETURNING id) INSERT INTO [orders] (id, "_tenant") SELECT id, $T FROM d"#,
        ),
        // The name of the table that the inner statement changes is another table's outside of it.
        (
            "WITH d AS (DELETE FROM users RETURNING id) DELETE FROM orders users USING d WHERE users.uid = d.id",
            r#"WITH d AS (DELETE FROM [users] WHERE GUARD(users) RETURNING id) DELETE FROM [orders] users USING d WHERE GUARD(users) AND (users.uid = d.id)"#,
        ),
    ] {
        becomes(text, expected);
    }
    let plan = rewriter().scope("WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d").unwrap();
    assert_eq!((plan.effect, plan.gives_rows), (Effect::Delete, true));
    refused("S03", "WITH d AS (DELETE FROM pg_class) SELECT 1");
    refused("S05", "WITH d AS (UPDATE users SET _tenant = 1) SELECT 1");
}

#[test]
fn what_the_number_of_affected_rows_says() {
    let insert = "INSERT INTO users (id) VALUES (1)";
    for (text, affected) in [
        ("SELECT 1".to_owned(), Affected::Exact),
        (insert.to_owned(), Affected::Exact),
        (format!("{insert} ON CONFLICT DO NOTHING"), Affected::Exact),
        (format!("{insert} ON CONFLICT (id) DO UPDATE SET name = 'x'"), Affected::Mixed),
        (format!("WITH d AS (DELETE FROM orders) {insert}"), Affected::Mixed),
        (format!("WITH i AS ({insert}) SELECT 1"), Affected::WithoutInserted),
        (format!("WITH d AS (DELETE FROM orders), i AS ({insert}) SELECT 1"), Affected::WithoutInserted),
        (format!("WITH i AS ({insert}) INSERT INTO orders (id) VALUES (1)"), Affected::WithoutInserted),
        (format!("WITH i AS ({insert}) DELETE FROM orders"), Affected::WithoutInserted),
        ("WITH d AS (DELETE FROM orders RETURNING id) SELECT id FROM d".to_owned(), Affected::Unknown),
        ("WITH d AS (DELETE FROM users) DELETE FROM orders".to_owned(), Affected::Exact),
        ("MERGE INTO users USING orders ON true WHEN MATCHED THEN DELETE".to_owned(), Affected::Mixed),
    ] {
        assert_eq!(rewriter().scope(&text).unwrap().affected, affected, "{text}");
    }
}

#[test]
fn merge_is_guarded() {
    for (text, expected) in [
        (
            "MERGE INTO users u USING orders o ON u.id = o.uid OR true WHEN MATCHED AND o.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT (id, name) VALUES (o.uid, 'a')",
            r#"MERGE INTO [users] u USING {orders} o ON GUARD(u) AND (u.id = o.uid OR true) WHEN MATCHED AND o.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT (id, name, "_tenant") VALUES (o.uid, 'a', $T)"#,
        ),
        (
            "MERGE INTO users USING (SELECT 1 AS x) s ON CASE WHEN s.x = 1 THEN true END WHEN NOT MATCHED AND CASE WHEN s.x = 1 AND true THEN true END THEN INSERT VALUES (s.x, CASE WHEN true THEN 'a' END)",
            r#"MERGE INTO [users] USING (SELECT 1 AS x) s ON GUARD(users) AND (CASE WHEN s.x = 1 THEN true END) WHEN NOT MATCHED AND CASE WHEN s.x = 1 AND true THEN true END THEN INSERT ("id", "name", "_tenant") VALUES (s.x, CASE WHEN true THEN 'a' END, $T)"#,
        ),
        (
            "MERGE INTO ONLY users USING orders a JOIN orders b ON a.id = b.id ON users.id = a.uid WHEN NOT MATCHED THEN INSERT DEFAULT VALUES WHEN MATCHED THEN DO NOTHING",
            r#"MERGE INTO [users] USING {orders} a JOIN {orders} b ON a.id = b.id ON GUARD(users) AND (users.id = a.uid) WHEN NOT MATCHED THEN INSERT ("_tenant") VALUES ($T) WHEN MATCHED THEN DO NOTHING"#,
        ),
        (
            "WITH c AS (SELECT id FROM orders) MERGE INTO users USING c ON users.id = c.id WHEN MATCHED THEN UPDATE SET (name, grp) = (SELECT 'a', max(uid) FROM orders) WHEN NOT MATCHED THEN INSERT (id) OVERRIDING SYSTEM VALUE VALUES (c.id);",
            r#"WITH c AS (SELECT id FROM {orders} AS "orders") MERGE INTO [users] USING c ON GUARD(users) AND (users.id = c.id) WHEN MATCHED THEN UPDATE SET (name, grp) = (SELECT 'a', max(uid) FROM {orders} AS "orders") WHEN NOT MATCHED THEN INSERT (id, "_tenant") OVERRIDING SYSTEM VALUE VALUES (c.id, $T);"#,
        ),
        // PostgreSQL 17.
        (
            "MERGE INTO users USING orders o ON users.id = o.uid WHEN NOT MATCHED BY SOURCE THEN DELETE",
            "MERGE INTO [users] USING {orders} o ON GUARD(users) AND (users.id = o.uid) WHEN NOT MATCHED BY SOURCE AND GUARD(users) THEN DELETE",
        ),
        (
            "MERGE INTO users USING orders o ON users.id = o.uid WHEN NOT MATCHED BY TARGET THEN DO NOTHING WHEN NOT MATCHED BY SOURCE AND users.id = 1 OR true THEN UPDATE SET name = 'x'",
            "MERGE INTO [users] USING {orders} o ON GUARD(users) AND (users.id = o.uid) WHEN NOT MATCHED BY TARGET THEN DO NOTHING WHEN NOT MATCHED BY SOURCE AND GUARD(users) AND (users.id = 1 OR true) THEN UPDATE SET name = 'x'",
        ),
    ] {
        becomes(text, expected);
    }
    let merge = "MERGE INTO users USING orders o ON users.id = o.uid WHEN";
    assert_eq!(rewriter().scope(&format!("{merge} MATCHED THEN DELETE")).unwrap().effect, Effect::Merge);
    for (code, text) in [
        ("S02", format!("{merge} MATCHED THEN DELETE RETURNING *")),
        ("S05", format!("{merge} MATCHED THEN UPDATE SET _tenant = 2")),
        ("S05", format!("{merge} NOT MATCHED THEN INSERT (_tenant) VALUES (2)")),
        ("S01", format!("{merge} NOT MATCHED THEN INSERT (id, name) VALUES (1)")),
        ("S01", format!("{merge} NOT MATCHED THEN INSERT VALUES (1, 2, 3, 4)")),
        ("S07", format!("{merge} MATCHED AND users.to_json IS NULL THEN DELETE")),
        ("S03", "MERGE INTO countries USING orders o ON true WHEN MATCHED THEN DELETE".to_owned()),
        ("S03", "MERGE INTO big USING orders o ON true WHEN MATCHED THEN DELETE".to_owned()),
    ] {
        refused(code, &text);
    }
}

#[test]
fn truncation_deletes_the_rows_of_the_tenant() {
    for (text, expected) in [
        ("TRUNCATE users", "DELETE FROM [users] WHERE GUARD(users)"),
        ("TRUNCATE TABLE ONLY public.users CONTINUE IDENTITY;", "DELETE FROM [users] WHERE GUARD(users);"),
        (
            "TRUNCATE docs, lines CASCADE",
            r#"WITH "docs" AS (DELETE FROM [docs] WHERE GUARD(docs)) DELETE FROM [lines] WHERE GUARD(lines)"#,
        ),
        ("TRUNCATE users, users", "DELETE FROM [users] WHERE GUARD(users)"),
    ] {
        becomes(text, expected);
    }
    let plan = rewriter().scope("TRUNCATE users").unwrap();
    assert_eq!((plan.effect, plan.gives_rows, plan.tenant), (Effect::Truncate, false, Some(1)));
    assert!(plan.effect.writes());
    for (code, text) in [
        ("S21", "TRUNCATE docs"),
        ("S21", "TRUNCATE docs CASCADE"),
        ("S21", "TRUNCATE audited"),
        ("S21", "TRUNCATE users RESTART IDENTITY"),
        ("S03", "TRUNCATE countries"),
        ("S03", "TRUNCATE pg_class"),
        ("S03", "TRUNCATE tenantry_shared.users"),
    ] {
        refused(code, text);
    }
}

#[test]
fn rows_come_from_any_query() {
    for (text, expected) in [
        (
            "INSERT INTO users (id, name, grp) TABLE orders",
            r#"INSERT INTO [users] (id, name, grp, "_tenant") SELECT *, $T FROM {orders} AS "orders""#,
        ),
        (
            "INSERT INTO users (id) (VALUES (1), (2)) RETURNING id",
            r#"INSERT INTO [users] (id, "_tenant") (VALUES (1, $T), (2, $T)) RETURNING id"#,
        ),
        (
            "INSERT INTO users (id) SELECT 1 UNION ALL VALUES (2), (3) UNION (SELECT 4 LIMIT 1)",
            r#"INSERT INTO [users] (id, "_tenant") SELECT 1, $T UNION ALL VALUES (2, $T), (3, $T) UNION (SELECT 4, $T LIMIT 1)"#,
        ),
        (
            "INSERT INTO users (id) SELECT 1 UNION (WITH c AS (SELECT 2 AS x) SELECT x FROM c ORDER BY 1)",
            r#"INSERT INTO [users] (id, "_tenant") SELECT 1, $T UNION (WITH c AS (SELECT 2 AS x) SELECT x, $T FROM c ORDER BY 1)"#,
        ),
        (
            "INSERT INTO users SELECT * FROM orders",
            r#"INSERT INTO [users] ("id", "name", "grp", "_tenant") SELECT *, $T FROM {orders} AS "orders""#,
        ),
        (
            "INSERT INTO users SELECT u.id, o.uid FROM users u, (SELECT * FROM orders) o",
            r#"INSERT INTO [users] ("id", "name", "_tenant") SELECT u.id, o.uid, $T FROM {users} u, (SELECT * FROM {orders} AS "orders") o"#,
        ),
        (
            "WITH c(a, b) AS (SELECT 1, 2) INSERT INTO users SELECT c.* FROM c",
            r#"WITH c(a, b) AS (SELECT 1, 2) INSERT INTO [users] ("id", "name", "_tenant") SELECT c.*, $T FROM c"#,
        ),
        (
            "INSERT INTO docs (id, home.street, home.city) VALUES (1, 'a', 'b')",
            r#"INSERT INTO [docs] (id, home.street, home.city, "_tenant") VALUES (1, 'a', 'b', $T)"#,
        ),
        (
            "INSERT INTO lines (doc, words[1], words[2]) VALUES (1, 'a', 'b')",
            r#"INSERT INTO [lines] (doc, words[1], words[2], "_tenant") VALUES (1, 'a', 'b', $T)"#,
        ),
        (
            "UPDATE docs SET home.street = 'a', mood = 'ok'",
            "UPDATE [docs] SET home.street = 'a', mood = 'ok' WHERE GUARD(docs)",
        ),
        (
            "UPDATE lines SET words[(SELECT max(id) FROM users)] = 'x', words[1:2] = '{}'",
            r#"UPDATE [lines] SET words[(SELECT max(id) FROM {users} AS "users")] = 'x', words[1:2] = '{}' WHERE GUARD(lines)"#,
        ),
        (
            "INSERT INTO users (id) VALUES (1) ON CONFLICT ON CONSTRAINT users_pkey DO UPDATE SET name = excluded.name WHERE users.id > 0",
            r#"INSERT INTO [users] (id, "_tenant") VALUES (1, $T) ON CONFLICT ON CONSTRAINT users_pkey DO UPDATE SET name = excluded.name WHERE users.id > 0"#,
        ),
    ] {
        becomes(text, expected);
    }
    for (code, text) in [
        ("S02", "INSERT INTO users SELECT * FROM big"),
        ("S02", "INSERT INTO users SELECT * FROM jsonb_each('{}')"),
        ("S02", "INSERT INTO users SELECT * FROM users JOIN orders USING (id)"),
        ("S02", "INSERT INTO users (id) SELECT 1 UNION (VALUES (2))"),
        ("S02", "INSERT INTO users (id) SELECT FROM orders"),
        ("S02", "INSERT INTO lines (words[(SELECT 1)]) VALUES ('x')"),
        ("S03", "INSERT INTO users (id) VALUES (1) ON CONFLICT ON CONSTRAINT orders_pkey DO NOTHING"),
        ("S05", "INSERT INTO users (id, _tenant) VALUES (1, 2)"),
        ("S05", "INSERT INTO users (_tenant[1]) VALUES (1)"),
        ("S05", "UPDATE users SET _TENANT = 1"),
        ("S05", "UPDATE users SET (id, \"_tenant\") = (1, 2)"),
        ("S05", "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET _tenant = 1"),
    ] {
        refused(code, text);
    }
}

#[test]
fn a_star_in_returning_is_spelt_out() {
    for (text, expected) in [
        (
            "UPDATE users SET grp = 1 FROM orders o WHERE o.uid = users.id RETURNING *",
            r#"UPDATE [users] SET grp = 1 FROM {orders} o WHERE GUARD(users) AND (o.uid = users.id) RETURNING "users"."id", "users"."name", "users"."grp", "o".*"#,
        ),
        (
            "DELETE FROM users u USING orders, (SELECT 1 AS x) s RETURNING u.*, s.*, orders.id",
            r#"DELETE FROM [users] u USING {orders} AS "orders", (SELECT 1 AS x) s WHERE GUARD(u) RETURNING "u"."id", "u"."name", "u"."grp", s.*, orders.id"#,
        ),
        (
            "DELETE FROM users USING (orders a JOIN orders b ON true) RETURNING *",
            r#"DELETE FROM [users] USING ({orders} a JOIN {orders} b ON true) WHERE GUARD(users) RETURNING "users"."id", "users"."name", "users"."grp", "a".*, "b".*"#,
        ),
        (
            "INSERT INTO users AS u (id) VALUES (1) RETURNING u.*",
            r#"INSERT INTO [users] AS u (id, "_tenant") VALUES (1, $T) RETURNING "id", "name", "grp""#,
        ),
    ] {
        becomes(text, expected);
    }
    for text in [
        "DELETE FROM users USING (orders a JOIN orders b USING (id)) RETURNING *",
        "DELETE FROM users USING (orders a NATURAL JOIN orders b) RETURNING *",
        "DELETE FROM users RETURNING old.*",
        "DELETE FROM users RETURNING to_json(users.*)",
    ] {
        refused("S07", text);
    }
}
