//! What queries become.

use tenantry_sql::{Effect, Parameter};

use super::rewriter;

const USERS: &str =
    r#"(SELECT "id", "name", "grp" FROM "tenantry_shared"."users" WHERE "users"."_tenant" = $T::bigint)"#;
const ORDERS: &str =
    r#"(SELECT "id", "uid", "amount" FROM "tenantry_shared"."orders" WHERE "orders"."_tenant" = $T::bigint)"#;
const ODD: &str = r#"(SELECT "Id", "a""b" FROM "tenantry_shared"."Odd" WHERE "Odd"."_tenant" = $T::bigint)"#;

#[track_caller]
fn check(text: &str, expected: &str) {
    let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    let tenant = plan.tenant.map(|number| format!("${number}")).unwrap_or_default();
    let expected =
        expected.replace("USERS", USERS).replace("ORDERS", ORDERS).replace("ODD", ODD).replace("$T", &tenant);
    assert_eq!(&*plan.text, expected, "\n{text}");
}

/// `~u` and `~o` stand for the tables as the application writes them, and for their leaves in what comes out.
#[track_caller]
fn leaves(text: &str) {
    let expected = text.replace("~u", r#"USERS AS "users""#).replace("~o", r#"ORDERS AS "orders""#);
    check(&text.replace("~u", "users").replace("~o", "orders"), &expected);
}

#[test]
fn tables_become_leaves() {
    leaves("SELECT * FROM ~u");
    check(
        "select u.id from public.users as u, orders o where o.uid = u.id",
        "select u.id from USERS as u, ORDERS o where o.uid = u.id",
    );
    check("SELECT * FROM users * WHERE id = 1", r#"SELECT * FROM USERS AS "users" WHERE id = 1"#);
    check("TABLE users", r#"SELECT * FROM USERS AS "users""#);
    check("TABLE users ORDER BY id LIMIT 1", r#"SELECT * FROM USERS AS "users" ORDER BY id LIMIT 1"#);
    check(
        "SELECT * FROM countries c JOIN users USING (name)",
        r#"SELECT * FROM "tenantry_shared"."countries" c JOIN USERS AS "users" USING (name)"#,
    );
    check("SELECT * FROM users AS u(x, y)", "SELECT * FROM USERS AS u(x, y)");
    check("SELECT 1", "SELECT 1");
    check("SELECT", "SELECT");
    check("SELECT FROM users", r#"SELECT FROM USERS AS "users""#);
    check("VALUES (1, 'a'), (2, NULL)", "VALUES (1, 'a'), (2, NULL)");
    check("SELECT * FROM big", r#"SELECT * FROM (SELECT * FROM ORDERS AS "orders" WHERE amount > 10) AS "big""#);
}

#[test]
fn names_are_folded_as_the_database_folds_them() {
    check("SELECT * FROM UsErS", r#"SELECT * FROM USERS AS "users""#);
    check(r#"SELECT * FROM "users""#, r#"SELECT * FROM USERS AS "users""#);
    check(r#"SELECT "Id", "a""b" FROM "Odd""#, r#"SELECT "Id", "a""b" FROM ODD AS "Odd""#);
    check(r#"SELECT * FROM U&"\0075sers""#, r#"SELECT * FROM USERS AS "users""#);
    check(r#"SELECT * FROM "public"."users" AS "U""#, r#"SELECT * FROM USERS AS "U""#);
    // A common table expression of another spelling does not hide the table.
    check(
        r#"WITH "Users" AS (SELECT 1) SELECT * FROM users"#,
        r#"WITH "Users" AS (SELECT 1) SELECT * FROM USERS AS "users""#,
    );
}

#[test]
fn joins_of_all_kinds_stay() {
    leaves("SELECT * FROM ~u JOIN ~o ON orders.uid = users.id");
    leaves("SELECT * FROM ~u LEFT JOIN ~o ON orders.uid = users.id AND EXISTS (SELECT 1 FROM ~u)");
    leaves("SELECT * FROM ~u RIGHT OUTER JOIN ~o ON orders.uid = users.id");
    leaves("SELECT * FROM ~u FULL JOIN ~o USING (id)");
    leaves("SELECT * FROM ~u FULL JOIN ~o USING (id) AS j");
    leaves("SELECT * FROM ~u NATURAL FULL JOIN ~o");
    leaves("SELECT * FROM ~u CROSS JOIN ~o");
    leaves("SELECT * FROM (~u JOIN ~o ON orders.uid = users.id)");
    leaves("SELECT * FROM ~u, LATERAL (SELECT * FROM ~o WHERE uid = users.id) x");
    leaves("SELECT * FROM ~u LEFT JOIN LATERAL (SELECT max(amount) FROM ~o WHERE uid = users.id) x ON true");
    leaves("SELECT * FROM ~u, generate_series(1, (SELECT count(*) FROM ~o)) WITH ORDINALITY AS g(n, o)");
    leaves("SELECT * FROM ~u, unnest(ARRAY[1, 2], ARRAY['a']) AS t(a, b)");
    leaves("SELECT * FROM ROWS FROM (generate_series(1, 2), jsonb_to_recordset('[]') AS (a int, b text)) AS x");
    leaves("SELECT * FROM jsonb_to_record($1) AS x(a int, b text[], c numeric(10, 2), d timestamptz)");
}

#[test]
fn subqueries_are_found_in_every_place() {
    for place in [
        "SELECT Q FROM ~u",
        "SELECT CASE WHEN Q > 1 THEN Q ELSE Q END, COALESCE(Q, 1), GREATEST(Q, 1), NULLIF(Q, 1), ARRAY[Q], ROW(Q, 1), Q::text, -Q",
        "SELECT CASE Q WHEN 1 THEN 2 END, ARRAY(SELECT id FROM ~o), (ARRAY[1, 2])[Q], (ARRAY[1, 2])[Q:Q], Q IS NULL, (Q = 1) IS TRUE",
        "SELECT abs(Q), count(*) FILTER (WHERE id > Q), array_agg(id ORDER BY Q), percentile_cont(0.5) WITHIN GROUP (ORDER BY Q) FROM ~u",
        "SELECT sum(id) OVER (PARTITION BY Q ORDER BY Q ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM ~u",
        "SELECT sum(id) OVER w FROM ~u WINDOW w AS (PARTITION BY Q ORDER BY Q)",
        "SELECT DISTINCT ON (Q) id FROM ~u",
        "SELECT 1 FROM ~u WHERE id IN (Q, 2) AND EXISTS (SELECT 1 FROM ~o) AND id BETWEEN Q AND Q AND name LIKE Q::text ESCAPE 'x'",
        "SELECT 1 FROM ~u WHERE id = ANY (SELECT uid FROM ~o) OR id > ALL (SELECT uid FROM ~o) OR (id, 1) NOT IN (SELECT uid, 1 FROM ~o)",
        "SELECT 1 FROM ~u WHERE (id, grp) = (SELECT uid, amount FROM ~o LIMIT 1) AND id IS DISTINCT FROM Q",
        "SELECT 1 FROM ~u GROUP BY GROUPING SETS ((id, Q), ()), ROLLUP (name), CUBE (grp, (id, name))",
        "SELECT grouping(id) FROM ~u GROUP BY id HAVING max(id) > Q",
        "SELECT 1 FROM ~u ORDER BY Q DESC NULLS LAST, id USING <",
        "SELECT 1 FROM ~u LIMIT Q OFFSET Q",
        "SELECT 1 FROM ~u ORDER BY 1 OFFSET 1 ROWS FETCH FIRST Q ROWS WITH TIES",
        "VALUES (Q), (1)",
        "SELECT * FROM (SELECT * FROM (SELECT * FROM ~o) a) b",
        "SELECT 1 UNION ALL SELECT id FROM ~u INTERSECT (SELECT uid FROM ~o ORDER BY 1 LIMIT 1) EXCEPT VALUES (Q)",
        "(SELECT id FROM ~u) UNION (WITH c AS (SELECT id FROM ~o) SELECT * FROM c) ORDER BY id",
        "SELECT name COLLATE \"C\", Q AT TIME ZONE 'UTC', extract(year FROM now()), 'a' || name, name ~ 'x' FROM ~u",
        "SELECT trim(both 'x' FROM name), substring(name FROM 1 FOR 2), position('a' IN name), overlay(name PLACING 'x' FROM 1) FROM ~u",
        "SELECT make_interval(days => Q), CURRENT_DATE, CURRENT_TIMESTAMP(3), LOCALTIME, DATE '2020-01-01', INTERVAL '1' DAY",
    ] {
        leaves(&place.replace('Q', "(SELECT max(id) FROM ~o)"));
    }
}

#[test]
fn common_table_expressions_are_seen_as_the_database_sees_them() {
    leaves("WITH c AS (SELECT * FROM ~u) SELECT * FROM c");
    check(
        "WITH users AS (SELECT * FROM users) SELECT * FROM users",
        r#"WITH users AS (SELECT * FROM USERS AS "users") SELECT * FROM users"#,
    );
    check(
        "WITH a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a, users",
        r#"WITH a AS (SELECT * FROM USERS AS "users"), users AS (SELECT 1) SELECT * FROM a, users"#,
    );
    check(
        "WITH RECURSIVE a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a",
    );
    check(
        "WITH users AS (SELECT 1) SELECT * FROM public.users",
        r#"WITH users AS (SELECT 1) SELECT * FROM USERS AS "users""#,
    );
    check(
        "SELECT (WITH users AS (SELECT 1) SELECT count(*) FROM users) FROM users",
        r#"SELECT (WITH users AS (SELECT 1) SELECT count(*) FROM users) FROM USERS AS "users""#,
    );
    check(
        "WITH users AS (SELECT 1) SELECT * FROM (SELECT * FROM users) x",
        "WITH users AS (SELECT 1) SELECT * FROM (SELECT * FROM users) x",
    );
    leaves(
        "WITH RECURSIVE r(n) AS (SELECT id FROM ~u UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT max(id) FROM ~o)) SELECT * FROM r",
    );
    leaves("WITH c AS MATERIALIZED (SELECT id FROM ~u), d AS NOT MATERIALIZED (SELECT * FROM c) SELECT * FROM d");
    // The leaf names its table with the schema, so that no common table expression takes its place.
    check(
        "WITH orders AS (SELECT 1) SELECT * FROM big",
        r#"WITH orders AS (SELECT 1) SELECT * FROM (SELECT * FROM ORDERS AS "orders" WHERE amount > 10) AS "big""#,
    );
}

#[test]
fn columns_lose_their_schema() {
    check(
        "SELECT public.users.id FROM public.users WHERE public.users.name = 'a'",
        r#"SELECT users.id FROM USERS AS "users" WHERE users.name = 'a'"#,
    );
    check(r#"SELECT "public" . "users" . "id" FROM users"#, r#"SELECT "users" . "id" FROM USERS AS "users""#);
    check(
        "SELECT public.countries.code FROM countries",
        r#"SELECT countries.code FROM "tenantry_shared"."countries" AS "countries""#,
    );
}

#[test]
fn whole_rows_and_locks_stay() {
    leaves("SELECT users, row_to_json(users), count(users.*), users IS NULL FROM ~u GROUP BY users");
    leaves("SELECT users.* FROM ~u FOR UPDATE OF users SKIP LOCKED");
    leaves("SELECT * FROM ~u, ~o FOR NO KEY UPDATE OF users FOR SHARE OF orders NOWAIT");
}

#[test]
fn the_tenant_is_the_parameter_after_the_last() {
    let plan = rewriter().scope("SELECT $3::int, $1 FROM users WHERE id = $3").unwrap();
    assert_eq!(plan.parameters, [Parameter::Numbered, Parameter::Unused, Parameter::Numbered]);
    assert_eq!(plan.tenant, Some(4));
    assert!(plan.text.contains(r#""users"."_tenant" = $4::bigint"#), "{}", plan.text);
    assert_eq!((plan.effect, plan.gives_rows), (Effect::Read, true));
    assert_eq!(rewriter().scope("SELECT $1").unwrap().tenant, None);
}

#[test]
fn comments_go_and_literals_stay() {
    check("SELECT 1 -- users\n FROM /* a /* b */ */ users", "SELECT 1  \n FROM   USERS AS \"users\"");
    check(
        "SELECT '-- users', $$ FROM users $$, E'\\'', U&'\\0061' FROM users;",
        "SELECT '-- users', $$ FROM users $$, E'\\'', U&'\\0061' FROM USERS AS \"users\";",
    );
    check("SELECT 'é', '\\d+' FROM users", r#"SELECT 'é', '\d+' FROM USERS AS "users""#);
}

#[test]
fn transactions_pass() {
    for text in [
        "BEGIN",
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
        "START TRANSACTION",
        "COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT a",
        "RELEASE a",
        "ROLLBACK TO SAVEPOINT a",
    ] {
        let plan = rewriter().scope(text).unwrap();
        let is_transaction = matches!(plan.effect, Effect::Transaction(_));
        assert_eq!((&*plan.text, is_transaction), (text, true));
    }
}
