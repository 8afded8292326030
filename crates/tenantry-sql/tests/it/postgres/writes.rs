//! What statements that change rows become.

use tenantry_sql::Effect;

use super::rewriter;

const ORDERS: &str = r#"(SELECT "id", "uid", "amount" FROM "tenantry_shared"."orders" WHERE "orders"."_tenant" = $T::bigint) AS "orders""#;

#[track_caller]
fn check(text: &str, expected: &str) {
    let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    let tenant = plan.tenant.map(|number| format!("${number}")).unwrap_or_default();
    let expected = expected
        .replace("~o", ORDERS)
        .replace("GUARD", r#""users"."_tenant" = $T::bigint"#)
        .replace("~u", r#""tenantry_shared"."users""#)
        .replace("$T", &tenant);
    assert_eq!(&*plan.text, expected, "\n{text}");
}

#[test]
fn the_guard_comes_first() {
    check("DELETE FROM users", "DELETE FROM ~u WHERE GUARD");
    check("DELETE FROM users;", "DELETE FROM ~u WHERE GUARD;");
    check("DELETE FROM users -- all", "DELETE FROM ~u WHERE GUARD  ");
    check("DELETE FROM public.users WHERE id = $1 OR true", "DELETE FROM ~u WHERE GUARD AND (id = $1 OR true)");
    check(
        "DELETE FROM users u WHERE u.id = 1 RETURNING u.id AS where",
        r#"DELETE FROM ~u u WHERE "u"."_tenant" = $T::bigint AND (u.id = 1) RETURNING u.id AS where"#,
    );
    check(
        "DELETE FROM users USING orders WHERE uid = users.id AND (amount > 1)",
        "DELETE FROM ~u USING ~o WHERE GUARD AND (uid = users.id AND (amount > 1))",
    );
    check("DELETE FROM users USING orders", "DELETE FROM ~u USING ~o WHERE GUARD");
    check(
        "UPDATE users SET name = 'x', grp = DEFAULT WHERE EXISTS (SELECT 1 FROM orders WHERE uid = users.id)",
        "UPDATE ~u SET name = 'x', grp = DEFAULT WHERE GUARD AND (EXISTS (SELECT 1 FROM ~o WHERE uid = users.id))",
    );
    check("UPDATE users SET name = 'x'", "UPDATE ~u SET name = 'x' WHERE GUARD");
    check(
        "UPDATE users * AS u SET (name, grp) = (SELECT 'a', max(amount) FROM orders WHERE uid = u.id)",
        r#"UPDATE ~u AS u SET (name, grp) = (SELECT 'a', max(amount) FROM ~o WHERE uid = u.id) WHERE "u"."_tenant" = $T::bigint"#,
    );
    check(
        "UPDATE users SET grp = amount FROM orders WHERE public.users.id = uid RETURNING name, (SELECT max(id) FROM orders)",
        "UPDATE ~u SET grp = amount FROM ~o WHERE GUARD AND (users.id = uid) RETURNING name, (SELECT max(id) FROM ~o)",
    );
    check(
        "UPDATE users SET name = CASE WHEN id IS DISTINCT FROM 1 THEN 'where' ELSE name END WHERE (id) IN (1) RETURNING *",
        r#"UPDATE ~u SET name = CASE WHEN id IS DISTINCT FROM 1 THEN 'where' ELSE name END WHERE GUARD AND ((id) IN (1)) RETURNING "id", "name", "grp""#,
    );
    check(
        "WITH users AS (SELECT id FROM orders) DELETE FROM users WHERE id IN (SELECT id FROM users)",
        "WITH users AS (SELECT id FROM ~o) DELETE FROM ~u WHERE GUARD AND (id IN (SELECT id FROM users))",
    );
}

#[test]
fn inserted_rows_get_the_tenant() {
    for (text, expected) in [
        ("INSERT INTO users (id, name) VALUES (1, 'a')", r#"INSERT INTO ~u (id, name, "_tenant") VALUES (1, 'a', @T)"#),
        (
            "INSERT INTO users (id) VALUES ((1)), (DEFAULT), ((SELECT max(id) FROM orders))",
            r#"INSERT INTO ~u (id, "_tenant") VALUES ((1), @T), (DEFAULT, @T), ((SELECT max(id) FROM ~o), @T)"#,
        ),
        ("INSERT INTO users VALUES (1, 'a')", r#"INSERT INTO ~u ("id", "name", "_tenant") VALUES (1, 'a', @T)"#),
        ("INSERT INTO users DEFAULT VALUES", r#"INSERT INTO ~u ("_tenant") VALUES (@T)"#),
        (
            "INSERT INTO users AS u (id) OVERRIDING SYSTEM VALUE VALUES ($1) RETURNING u.id",
            r#"INSERT INTO ~u AS u (id, "_tenant") OVERRIDING SYSTEM VALUE VALUES ($1, @T) RETURNING u.id"#,
        ),
        ("INSERT INTO users SELECT 1, 'a'", r#"INSERT INTO ~u ("id", "name", "_tenant") SELECT 1, 'a', @T"#),
        (
            "INSERT INTO users (id) SELECT uid AS from FROM orders WHERE id = 1 ORDER BY 1",
            r#"INSERT INTO ~u (id, "_tenant") SELECT uid AS from, @T FROM ~o WHERE id = 1 ORDER BY 1"#,
        ),
        (
            "INSERT INTO users (id, name, grp) SELECT * FROM orders",
            r#"INSERT INTO ~u (id, name, grp, "_tenant") SELECT *, @T FROM ~o"#,
        ),
        (
            "INSERT INTO users (grp) SELECT id IS DISTINCT FROM 1 UNION ALL SELECT DISTINCT count(*) FROM orders GROUP BY uid",
            r#"INSERT INTO ~u (grp, "_tenant") SELECT id IS DISTINCT FROM 1, @T UNION ALL SELECT DISTINCT count(*), @T FROM ~o GROUP BY uid"#,
        ),
        (
            "INSERT INTO users (id) (SELECT 1) RETURNING *",
            r#"INSERT INTO ~u (id, "_tenant") (SELECT 1, @T) RETURNING "id", "name", "grp""#,
        ),
        (
            "WITH c AS (SELECT uid FROM orders) INSERT INTO users (id) SELECT uid FROM c",
            r#"WITH c AS (SELECT uid FROM ~o) INSERT INTO ~u (id, "_tenant") SELECT uid, @T FROM c"#,
        ),
        (
            "INSERT INTO users (id) WITH c AS (SELECT uid FROM orders) SELECT uid FROM c",
            r#"INSERT INTO ~u (id, "_tenant") WITH c AS (SELECT uid FROM ~o) SELECT uid, @T FROM c"#,
        ),
    ] {
        check(text, &expected.replace("@T", "$T::bigint"));
    }
}

#[test]
fn conflicts_are_those_of_the_tenant() {
    check(
        "INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING",
        r#"INSERT INTO ~u (id, "_tenant") VALUES (1, $T::bigint) ON CONFLICT DO NOTHING"#,
    );
    check(
        "INSERT INTO users (id) VALUES (1) ON CONFLICT ( id ) WHERE grp > 1 DO UPDATE SET name = excluded.name, (grp) = ROW(1) WHERE users.grp = 2",
        r#"INSERT INTO ~u (id, "_tenant") VALUES (1, $T::bigint) ON CONFLICT ("_tenant",  id ) WHERE grp > 1 DO UPDATE SET name = excluded.name, (grp) = ROW(1) WHERE users.grp = 2"#,
    );
    check(
        "INSERT INTO users (id) SELECT 1 ON CONFLICT (lower(name)) DO NOTHING",
        r#"INSERT INTO ~u (id, "_tenant") SELECT 1, $T::bigint ON CONFLICT ("_tenant", lower(name)) DO NOTHING"#,
    );
}

#[test]
fn a_plan_says_what_it_does() {
    for (text, effect, gives_rows) in [
        ("INSERT INTO users DEFAULT VALUES", Effect::Insert, false),
        ("UPDATE users SET id = 1 RETURNING id", Effect::Update, true),
        ("DELETE FROM users", Effect::Delete, false),
    ] {
        let plan = rewriter().scope(text).unwrap();
        assert_eq!((plan.effect, plan.gives_rows, plan.tenant), (effect, gives_rows, Some(1)), "{text}");
    }
}
