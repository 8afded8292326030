//! R-FDGROUP: grouping by a primary key makes the other columns available.

use super::becomes;

#[test]
fn what_the_key_determines_is_grouped_by_as_well() {
    for (text, expected) in [
        (
            "SELECT u.*, count(*) FROM users u JOIN orders o ON o.uid = u.id GROUP BY u.id",
            r#"SELECT u.*, count(*) FROM {users} u JOIN {orders} o ON o.uid = u.id GROUP BY u.id, "u"."name", "u"."grp""#,
        ),
        (
            "SELECT u.name, sum(o.amount) FROM users u JOIN orders o ON o.uid = u.id GROUP BY (u.id) HAVING u.grp > 1",
            r#"SELECT u.name, sum(o.amount) FROM {users} u JOIN {orders} o ON o.uid = u.id GROUP BY (u.id, "u"."name", "u"."grp") HAVING u.grp > 1"#,
        ),
        (
            "SELECT count(*) FROM users GROUP BY id ORDER BY name",
            r#"SELECT count(*) FROM {users} AS "users" GROUP BY id, "users"."name" ORDER BY name"#,
        ),
        (
            "SELECT id AS k, name FROM users GROUP BY k",
            r#"SELECT id AS k, name FROM {users} AS "users" GROUP BY k, "users"."name""#,
        ),
        (
            "SELECT name, users.id FROM users GROUP BY 2 LIMIT 1",
            r#"SELECT name, users.id FROM {users} AS "users" GROUP BY 2, "users"."name" LIMIT 1"#,
        ),
        (
            "SELECT id, name FROM users GROUP BY (id, grp)",
            r#"SELECT id, name FROM {users} AS "users" GROUP BY (id, grp, "users"."name")"#,
        ),
        (
            "SELECT words FROM lines GROUP BY at, lines.doc",
            r#"SELECT words FROM {lines} AS "lines" GROUP BY at, lines.doc, "lines"."words""#,
        ),
        (
            "SELECT (SELECT max(o.id) FROM orders o WHERE o.uid = u.grp) FROM users u GROUP BY u.id",
            r#"SELECT (SELECT max(o.id) FROM {orders} o WHERE o.uid = u.grp) FROM {users} u GROUP BY u.id, "u"."grp""#,
        ),
        (
            "SELECT a.z FROM users AS a(x, z) GROUP BY a.x",
            r#"SELECT a.z FROM {users} AS a(x, z) GROUP BY a.x, "a"."z""#,
        ),
        (
            "SELECT public.users.name FROM public.users GROUP BY public.users.id",
            r#"SELECT users.name FROM {users} AS "users" GROUP BY users.id, "users"."name""#,
        ),
        // A type that cannot be compared.
        (
            "SELECT d.id, d.body, d.body AS b, d.mood FROM docs d GROUP BY d.id",
            r#"SELECT d.id, (array_agg("d"."body"))[1] AS "body", (array_agg("d"."body"))[1] AS b, d.mood FROM {docs} d GROUP BY d.id, "d"."mood""#,
        ),
        (
            "SELECT d.*, count(*) FROM docs d JOIN lines l ON l.doc = d.id GROUP BY d.id",
            r#"SELECT "d"."id", (array_agg("d"."body"))[1] AS "body", "d"."mood", "d"."home", count(*) FROM {docs} d JOIN {lines} l ON l.doc = d.id GROUP BY d.id, "d"."mood", "d"."home""#,
        ),
        (
            "SELECT * FROM docs GROUP BY id",
            r#"SELECT "docs"."id", (array_agg("docs"."body"))[1] AS "body", "docs"."mood", "docs"."home" FROM {docs} AS "docs" GROUP BY id, "docs"."mood", "docs"."home""#,
        ),
        // A join merges the column, which determines the rows of both tables.
        (
            "SELECT id, o.amount FROM users u RIGHT JOIN orders o USING (id) GROUP BY id",
            r#"SELECT id, o.amount FROM {users} u RIGHT JOIN {orders} o USING (id) GROUP BY id, "o"."amount""#,
        ),
    ] {
        becomes(text, expected);
    }
}

#[test]
fn what_needs_nothing_stays() {
    for (text, expected) in [
        ("SELECT id FROM users GROUP BY id", r#"SELECT id FROM {users} AS "users" GROUP BY id"#),
        (
            "SELECT grp, count(*) FROM users GROUP BY grp",
            r#"SELECT grp, count(*) FROM {users} AS "users" GROUP BY grp"#,
        ),
        // A part of the key determines nothing, and in grouping sets the database does not ask for keys.
        ("SELECT words FROM lines GROUP BY doc", r#"SELECT words FROM {lines} AS "lines" GROUP BY doc"#),
        ("SELECT name FROM users GROUP BY ROLLUP (id)", r#"SELECT name FROM {users} AS "users" GROUP BY ROLLUP (id)"#),
        ("SELECT name FROM users GROUP BY id + 0", r#"SELECT name FROM {users} AS "users" GROUP BY id + 0"#),
        // The name could be a column of the function's.
        (
            "SELECT u.id AS k, name FROM users u, jsonb_each('{}') j GROUP BY k",
            "SELECT u.id AS k, name FROM {users} u, jsonb_each('{}') j GROUP BY k",
        ),
        ("SELECT c.name FROM countries c GROUP BY c.code", "SELECT c.name FROM [countries] c GROUP BY c.code"),
    ] {
        becomes(text, expected);
    }
}
