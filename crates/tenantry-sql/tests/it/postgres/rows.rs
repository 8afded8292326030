//! R-WHOLE: rows as a whole, fields of rows, and joins that have a name.

use super::{becomes, refused};

/// The row of `users` under the alias `u`.
const U: &str = r#"CASE WHEN "u"."id" IS NOT NULL THEN ROW("u"."id", "u"."name", "u"."grp")::"public"."users" END"#;

/// The row of the table that is changed.
const CHANGED: &str = r#"ROW("users"."id", "users"."name", "users"."grp")::"public"."users""#;

#[test]
fn a_row_is_that_of_the_application() {
    for (text, expected) in [
        ("SELECT u FROM users u", r#"SELECT @U AS "u" FROM {users} u"#),
        ("SELECT u AS x, u::text, id FROM users u", r#"SELECT @U AS x, @U::text AS "u", id FROM {users} u"#),
        ("SELECT row_to_json(u), u IS NULL FROM users u", "SELECT row_to_json(@U), @U IS NULL FROM {users} u"),
        (
            "SELECT array_agg(u ORDER BY u) FILTER (WHERE u IS NOT NULL) FROM users u GROUP BY u",
            "SELECT array_agg(@U ORDER BY @U) FILTER (WHERE @U IS NOT NULL) FROM {users} u GROUP BY @U",
        ),
        (
            "SELECT o.id FROM orders o LEFT JOIN users u ON u.id = o.uid WHERE u = $1",
            "SELECT o.id FROM {orders} o LEFT JOIN {users} u ON u.id = o.uid WHERE @U = $1",
        ),
        (
            "SELECT u, count(*) FROM users u GROUP BY u.id",
            r#"SELECT @U AS "u", count(*) FROM {users} u GROUP BY u.id, "u"."name", "u"."grp""#,
        ),
        (
            "SELECT row_to_json(a) FROM users a(x, y)",
            r#"SELECT row_to_json(CASE WHEN "a"."x" IS NOT NULL THEN ROW("a"."x", "a"."y", "a"."grp")::"public"."users" END) FROM {users} a(x, y)"#,
        ),
        (
            "SELECT countries FROM countries",
            r#"SELECT ROW("countries"."code", "countries"."name")::"public"."countries" AS "countries" FROM [countries] AS "countries""#,
        ),
        ("SELECT x FROM users u, LATERAL (SELECT u) x", r#"SELECT x FROM {users} u, LATERAL (SELECT @U AS "u") x"#),
        (
            "SELECT CASE WHEN id = 1 THEN NULL ELSE u END FROM users u",
            r#"SELECT CASE WHEN id = 1 THEN NULL ELSE @U END AS "u" FROM {users} u"#,
        ),
        // What a join with a name calls its columns may be the name of a table.
        (
            "SELECT u FROM users u, (users a CROSS JOIN orders b) AS j(u)",
            "SELECT u FROM {users} u, ({users} a CROSS JOIN {orders} b) AS j(u)",
        ),
        ("SELECT count(u.*), row_to_json(u.*) FROM users u", "SELECT count(u.*), row_to_json(u.*) FROM {users} u"),
        // A column of the name comes first, and what has no type of its own stays a record.
        ("SELECT id FROM (SELECT 1 AS id) id", "SELECT id FROM (SELECT 1 AS id) id"),
        ("SELECT s FROM (SELECT id FROM users) s", r#"SELECT s FROM (SELECT id FROM {users} AS "users") s"#),
        ("SELECT name FROM orders name, users", r#"SELECT name FROM {orders} name, {users} AS "users""#),
        // A name that may be a column: a leaf's row shows nothing that it should not.
        ("SELECT u FROM users u, jsonb_each('{}') j", "SELECT u FROM {users} u, jsonb_each('{}') j"),
    ] {
        let countries = text.contains("FROM countries");
        let expected = if countries {
            expected
                .replacen("SELECT ROW", r#"SELECT CASE WHEN "countries" IS DISTINCT FROM NULL THEN ROW"#, 1)
                .replacen(r#""public"."countries" AS"#, r#""public"."countries" END AS"#, 1)
        } else {
            expected.replace("@U", U)
        };
        becomes(text, &expected);
    }
}

#[test]
fn the_row_that_is_changed_has_no_tenant_in_it() {
    for (text, expected) in [
        ("DELETE FROM users RETURNING users", r#"DELETE FROM [users] WHERE GUARD(users) RETURNING @R AS "users""#),
        (
            "DELETE FROM users WHERE users IS NOT NULL RETURNING row_to_json(users), 1",
            "DELETE FROM [users] WHERE GUARD(users) AND (@R IS NOT NULL) RETURNING row_to_json(@R), 1",
        ),
        (
            "UPDATE users SET name = users::text RETURNING (users).name",
            "UPDATE [users] SET name = @R::text WHERE GUARD(users) RETURNING (users).name",
        ),
        (
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded::text",
            r#"INSERT INTO [users] (id, "_tenant") VALUES (1, $T) ON CONFLICT ("_tenant", id) DO UPDATE SET name = ROW("excluded"."id", "excluded"."name", "excluded"."grp")::"public"."users"::text"#,
        ),
        (
            "UPDATE users SET name = 'x' WHERE EXISTS (SELECT 1 FROM orders WHERE users IS NULL)",
            r#"UPDATE [users] SET name = 'x' WHERE GUARD(users) AND (EXISTS (SELECT 1 FROM {orders} AS "orders" WHERE @R IS NULL))"#,
        ),
    ] {
        becomes(text, &expected.replace("@R", CHANGED));
    }
}

/// Within a subquery the name of the target may be another's.
#[test]
fn another_table_may_have_the_name_of_the_target() {
    for (text, expected) in [
        (
            "UPDATE users SET name = (SELECT users.amount FROM orders users LIMIT 1)",
            "UPDATE [users] SET name = (SELECT users.amount FROM {orders} users LIMIT 1) WHERE GUARD(users)",
        ),
        (
            "DELETE FROM users WHERE id IN (SELECT users FROM (SELECT 1 AS users) x)",
            "DELETE FROM [users] WHERE GUARD(users) AND (id IN (SELECT users FROM (SELECT 1 AS users) x))",
        ),
        (
            "DELETE FROM users WHERE EXISTS (SELECT 1 FROM orders a JOIN orders users ON users.uid = a.id)",
            "DELETE FROM [users] WHERE GUARD(users) AND (EXISTS (SELECT 1 FROM {orders} a JOIN {orders} users ON users.uid = a.id))",
        ),
        (
            "UPDATE users SET name = 'x' WHERE EXISTS (SELECT 1 FROM orders users, LATERAL (SELECT users.amount) x LEFT JOIN unnest(ARRAY[users.amount]) y ON true)",
            "UPDATE [users] SET name = 'x' WHERE GUARD(users) AND (EXISTS (SELECT 1 FROM {orders} users, LATERAL (SELECT users.amount) x LEFT JOIN unnest(ARRAY[users.amount]) y ON true))",
        ),
        (
            "UPDATE users SET grp = q.users FROM (SELECT 1 AS users) q WHERE users = 1",
            "UPDATE [users] SET grp = q.users FROM (SELECT 1 AS users) q WHERE GUARD(users) AND (users = 1)",
        ),
    ] {
        becomes(text, expected);
    }
}

#[test]
fn fields_of_rows_and_of_composite_types_are_named() {
    for (text, expected) in [
        ("SELECT (users).name FROM users", r#"SELECT (users).name FROM {users} AS "users""#),
        (
            "SELECT (home).street, (d.home).city, (ROW('a', 'b')::address).street FROM docs d",
            "SELECT (home).street, (d.home).city, (ROW('a', 'b')::address).street FROM {docs} d",
        ),
        (
            "WITH i AS (INSERT INTO users (id) VALUES (1) RETURNING users AS r) SELECT (i.r).name FROM i",
            r#"WITH i AS (INSERT INTO [users] (id, "_tenant") VALUES (1, $T) RETURNING ROW("users"."id", "users"."name", "users"."grp")::"public"."users" AS r) SELECT (i.r).name FROM i"#,
        ),
    ] {
        becomes(text, expected);
    }
    for text in [
        "SELECT (users).row_to_json FROM users",
        "SELECT (users).* FROM users",
        "SELECT ('/etc/passwd'::text).pg_read_file",
        "SELECT (name).pg_read_file FROM users",
        "SELECT (d).x FROM (SELECT 1 AS x) d",
        "SELECT (1).pg_sleep",
    ] {
        refused("S02", text);
    }
}

#[test]
fn a_join_in_parentheses_may_have_a_name() {
    becomes(
        "SELECT j.name, j.amount FROM (users JOIN orders ON orders.uid = users.id) AS j",
        r#"SELECT j.name, j.amount FROM ({users} AS "users" JOIN {orders} AS "orders" ON orders.uid = users.id) AS j"#,
    );
    becomes(
        "SELECT * FROM countries, (users u CROSS JOIN orders) AS j(a, b) WHERE j.a = 1",
        r#"SELECT * FROM [countries] AS "countries", ({users} u CROSS JOIN {orders} AS "orders") AS j(a, b) WHERE j.a = 1"#,
    );
}

#[test]
fn what_is_read_of_a_table_alone_or_by_sample() {
    for (text, expected) in [
        ("SELECT * FROM ONLY users", r#"SELECT * FROM {users} AS "users""#),
        ("SELECT * FROM ONLY (public.users) AS u WHERE u.id = 1", "SELECT * FROM {users} AS u WHERE u.id = 1"),
        (
            "SELECT * FROM users TABLESAMPLE bernoulli (10) REPEATABLE (1)",
            r#"SELECT * FROM (SELECT "id", "name", "grp" FROM [users] TABLESAMPLE bernoulli (10) REPEATABLE (1) WHERE GUARD(users)) AS "users" "#,
        ),
        (
            "SELECT * FROM users u TABLESAMPLE system ($1), orders",
            r#"SELECT * FROM (SELECT "id", "name", "grp" FROM [users] TABLESAMPLE system ($1) WHERE GUARD(users)) u , {orders} AS "orders""#,
        ),
        (
            "SELECT * FROM countries TABLESAMPLE system (1)",
            r#"SELECT * FROM [countries] AS "countries" TABLESAMPLE system (1)"#,
        ),
        ("UPDATE ONLY users SET id = 1", "UPDATE [users] SET id = 1 WHERE GUARD(users)"),
        ("DELETE FROM ONLY (users) u", "DELETE FROM [users] u WHERE GUARD(u)"),
    ] {
        becomes(text, expected);
    }
    for text in [
        "SELECT * FROM users TABLESAMPLE other (1)",
        "SELECT * FROM users TABLESAMPLE system ((SELECT 1))",
        "SELECT * FROM users TABLESAMPLE system (abs(1))",
        "SELECT * FROM users TABLESAMPLE system (/* x */ 1)",
        "SELECT * FROM big TABLESAMPLE system (1)",
        "WITH c AS (SELECT 1) SELECT * FROM c TABLESAMPLE system (1)",
    ] {
        refused("S02", text);
    }
}

#[test]
fn a_recursion_is_searched_and_its_cycles_are_found() {
    for clause in ["SEARCH DEPTH FIRST BY n SET s", "CYCLE n SET c USING p", "CYCLE n SET c TO 'y' DEFAULT 'n' USING p"]
    {
        let text =
            format!("WITH RECURSIVE r AS (SELECT id AS n FROM ~ UNION ALL SELECT n FROM r) {clause} SELECT * FROM r");
        becomes(&text.replace('~', "users"), &text.replace('~', r#"{users} AS "users""#));
    }
    refused(
        "S04",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n FROM r) SEARCH DEPTH FIRST BY n SET _tenant SELECT 1",
    );
    refused("S06", "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n FROM r) CYCLE n SET ctid USING p SELECT 1");
}

/// PostgreSQL 18 calls the old and the new row of a change so; columns and tables may have these names as well.
#[test]
fn old_and_new_are_names_like_others_where_something_has_them() {
    for (text, expected) in [
        (
            "UPDATE users SET name = new.name FROM users new WHERE new.id = users.grp",
            "UPDATE [users] SET name = new.name FROM {users} new WHERE GUARD(users) AND (new.id = users.grp)",
        ),
        (
            "DELETE FROM users USING (SELECT 1 AS old) x WHERE old = id RETURNING old",
            "DELETE FROM [users] USING (SELECT 1 AS old) x WHERE GUARD(users) AND (old = id) RETURNING old",
        ),
        (
            "DELETE FROM users AS old WHERE old.id = 1 RETURNING old.*",
            r#"DELETE FROM [users] AS old WHERE "old"."_tenant" = $T AND (old.id = 1) RETURNING "id", "name", "grp""#,
        ),
    ] {
        becomes(text, expected);
    }
    for text in [
        "DELETE FROM users RETURNING old",
        "DELETE FROM users RETURNING (old).name",
        "DELETE FROM users RETURNING new.*",
        "DELETE FROM users RETURNING to_json(old.*)",
        "DELETE FROM users USING (SELECT 1 AS old) x RETURNING old.id",
        "DELETE FROM users WHERE EXISTS (SELECT old FROM orders)",
    ] {
        refused("S07", text);
    }
}
