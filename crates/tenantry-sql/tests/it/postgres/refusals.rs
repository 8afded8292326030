//! What is refused, and with which code.

use super::rewriter;

const REFUSED: &[(&str, &[&str])] = &[
    (
        "S01",
        &[
            "",
            "-- nothing",
            ";",
            "SELECT 1; SELECT 2",
            "SELECT 1; DROP TABLE users",
            "SELECT * FORM users",
            "SELECT 'a",
            "SELECT $65535 FROM users",
            "SELECT 1\0",
            "gibberish",
            "INSERT INTO users VALUES (60, 'a', 1, 2)",
            "INSERT INTO users VALUES (60), (61, 'a')",
            "INSERT INTO users (id) VALUES (1, 2)",
            "INSERT INTO users (id, name) VALUES (1)",
        ],
    ),
    (
        "S02",
        &[
            "SELECT * FROM ONLY users",
            "SELECT * FROM users TABLESAMPLE bernoulli (10)",
            "SELECT * FROM (users JOIN orders ON true) AS j",
            "SELECT (users).name FROM users",
            "SELECT (users).* FROM users",
            "SELECT public.users.* FROM users",
            "SELECT ('/etc/passwd'::text).pg_read_file",
            "SELECT 'users'::regclass",
            "SELECT NULL::users",
            "SELECT CAST(NULL AS public.users)",
            "SELECT 1 OPERATOR(public.+) 2",
            "SELECT name COLLATE public.x FROM users",
            "SELECT xmlelement(name a)",
            "SELECT JSON_OBJECT('a' : 1)",
            "SELECT * FROM XMLTABLE('/a' PASSING '<a/>' COLUMNS b text)",
            "SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a int))",
            "WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d",
            "WITH i AS (INSERT INTO users VALUES (1) RETURNING *) SELECT * FROM i",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n FROM r) SEARCH DEPTH FIRST BY n SET s SELECT * FROM r",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n FROM r) CYCLE n SET c USING p SELECT * FROM r",
            "INSERT INTO users SELECT * FROM users",
            "INSERT INTO users (id) TABLE orders",
            "INSERT INTO users (id) (VALUES (1))",
            "INSERT INTO users (id) SELECT 1 UNION VALUES (2)",
            "INSERT INTO users (id) SELECT 1 UNION (SELECT 2 LIMIT 1)",
            "INSERT INTO users (id) SELECT FROM orders",
            "INSERT INTO users (id[1]) VALUES (1)",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT ON CONSTRAINT users_pkey DO NOTHING",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id COLLATE \"C\") DO NOTHING",
            "UPDATE users SET users.name = 'x'",
            "UPDATE users SET name[1] = 'x'",
            "UPDATE ONLY users SET name = 'x'",
            "UPDATE users SET name = (users).name",
            "MERGE INTO users USING orders ON true WHEN MATCHED THEN DELETE",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
        ],
    ),
    (
        "S03",
        &[
            "SELECT * FROM nowhere",
            "SELECT * FROM pg_class",
            "SELECT * FROM pg_catalog.pg_class",
            "SELECT * FROM information_schema.tables",
            "SELECT * FROM other.users",
            "SELECT * FROM tenantry_shared.users",
            "SELECT tenantry_shared.users.id FROM users",
            "SELECT * FROM tenantry.meta",
            "SELECT * FROM tenantry_catalog.pg_class",
            "DELETE FROM tenantry_shared.users",
            "SELECT * FROM db.public.users",
            "SELECT db.public.users.id FROM users",
            r#"SELECT * FROM "Users""#,
            r#"SELECT * FROM odd"#,
            "SELECT * FROM users WHERE EXISTS (SELECT 1 FROM pg_authid)",
            "INSERT INTO countries VALUES ('x', 'y')",
            "UPDATE big SET amount = 1",
            "DELETE FROM pg_class",
            "DELETE FROM other.users",
            "WITH nowhere AS (SELECT 1) DELETE FROM nowhere",
        ],
    ),
    (
        "S04",
        &[
            "SELECT _tenant FROM users",
            "SELECT users._TENANT FROM users",
            r#"SELECT "_tenant" FROM users"#,
            r#"SELECT U&"\005ftenant" FROM users"#,
            "SELECT 1 AS _tenantry",
            "SELECT * FROM users AS _tenant",
            "SELECT * FROM users AS u(_tenant)",
            "WITH _tenant AS (SELECT 1) SELECT 1",
            "WITH c(_tenant) AS (SELECT 1) SELECT 1",
            "SELECT * FROM users JOIN orders USING (_tenant)",
            "SELECT sum(id) OVER _tenant FROM users WINDOW _tenant AS ()",
            "SELECT * FROM jsonb_to_record('{}') AS x(_tenant int)",
            "SELECT * FROM _tenantry_tables",
            "INSERT INTO users (id, _tenant) VALUES (1, 2)",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (_tenant, id) DO NOTHING",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET _tenant = 2",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = excluded._tenant",
            "UPDATE users SET _tenant = 2",
            "UPDATE users SET (id, _TENANT) = (1, 2)",
            r#"UPDATE users SET U&"\005ftenant" = 2"#,
            "DELETE FROM users RETURNING _tenant",
            "DELETE FROM users AS _tenant",
        ],
    ),
    (
        "S06",
        &[
            "SELECT ctid FROM users",
            "SELECT u.xmin FROM users u",
            "SELECT 1 FROM users WHERE tableoid = 1",
            "SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM users WHERE CTID = '(0,1)')",
            "SELECT public.users.cmax FROM users",
            "DELETE FROM users WHERE ctid IN (SELECT ctid FROM users LIMIT 1)",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO NOTHING RETURNING xmax",
        ],
    ),
    (
        "S07",
        &[
            "SELECT row_to_json(a) FROM users a(x, y)",
            "SELECT count(a.*) FROM users a(x, y)",
            "DELETE FROM users RETURNING users",
            "DELETE FROM users RETURNING row_to_json(users)",
            "DELETE FROM users RETURNING users.*",
            "DELETE FROM users AS u RETURNING to_jsonb(u.*)",
            "UPDATE users SET name = users::text",
            "UPDATE users SET name = users.row_to_json",
            "UPDATE users SET name = u.x FROM (SELECT 'a' AS x) u RETURNING *",
            "DELETE FROM users USING orders WHERE orders.uid = users.id RETURNING *",
            "DELETE FROM users WHERE users IS NOT NULL",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded::text",
            "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.to_json",
            "INSERT INTO users (id) VALUES (1) RETURNING old.*",
            "INSERT INTO users (id) VALUES (1) RETURNING new",
            "UPDATE users SET id = 1 RETURNING old.id",
            "UPDATE users SET id = 1 RETURNING WITH (OLD AS o) o.id",
        ],
    ),
    (
        "S08",
        &[
            "SELECT * INTO x FROM users",
            "COPY users TO STDOUT",
            "COPY users FROM PROGRAM 'x'",
            "DECLARE c CURSOR FOR SELECT 1",
            "FETCH c",
            "DELETE FROM users WHERE CURRENT OF c",
        ],
    ),
    (
        "S09",
        &[
            "SELECT query_to_xml('select 1', true, true, '')",
            "SELECT * FROM pg_read_file('/etc/passwd')",
            "SELECT public.lower('x')",
            "SELECT lo_get(1)",
            "SELECT dblink('x', 'y')",
            "SELECT ts_stat('select 1')",
            "SELECT pg_sleep(1)",
            "SELECT version()",
            "SELECT CURRENT_USER",
            "SELECT * FROM users ORDER BY pg_ls_dir('.')",
            "SELECT * FROM ROWS FROM (pg_ls_dir('.')) x",
        ],
    ),
    (
        "S10",
        &[
            "SET search_path = x",
            "RESET ALL",
            "SHOW all",
            "SELECT current_setting('x')",
            "SELECT set_config('x', 'y', true)",
            "DISCARD ALL",
        ],
    ),
    ("S11", &["SELECT nextval('x')", "SELECT lastval()"]),
    ("S12", &["SELECT pg_advisory_lock(1)", "LOCK TABLE users", "LISTEN x", "NOTIFY x", "SELECT pg_notify('a', 'b')"]),
    (
        "S13",
        &[
            "CREATE TABLE x (y int)",
            "DROP TABLE users",
            "ALTER TABLE users ADD x int",
            "DO 'x'",
            "CALL f()",
            "GRANT ALL ON users TO x",
        ],
    ),
    ("S17", &["EXPLAIN SELECT 1", "VACUUM", "ANALYZE"]),
    (
        "S18",
        &[
            // With standard_conforming_strings = off this is a UNION (sql-scoping §3.14).
            r"SELECT 'a\', ' UNION SELECT name FROM public.users --'",
            r"SELECT '\\'",
            r#"SELECT U&"!0061" UESCAPE '!' FROM users"#,
        ],
    ),
    ("S19", &["SELECT public.a.id FROM users a, orders a"]),
    ("S21", &["TRUNCATE users"]),
];

#[test]
fn statements_are_refused_with_the_right_code() {
    for (code, texts) in REFUSED {
        for text in *texts {
            match rewriter().scope(text) {
                Ok(plan) => panic!("{text}\nbecame {}", plan.text),
                Err(refused) => assert_eq!(refused.code.as_str(), *code, "{text}\n{refused}"),
            }
        }
    }
}

#[test]
fn what_nests_too_deep_is_refused_before_it_is_parsed() {
    for text in [
        format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("SELECT 1{}", "+1".repeat(20_000)),
        format!("SELECT {}1", "- ".repeat(20_000)),
        format!("SELECT {}true", "NOT ".repeat(20_000)),
        format!("SELECT 1{}", "::int".repeat(20_000)),
        format!("SELECT 1{}", " IS NULL".repeat(20_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(10_000)),
        format!("SELECT 1 FROM users{}", " CROSS JOIN users".repeat(10_000)),
        format!("SELECT {}1{}", "CASE WHEN true AND ".repeat(10_000), " THEN 1 END".repeat(10_000)),
        format!("SELECT {}1{}", "ARRAY[".repeat(20_000), "]".repeat(20_000)),
    ] {
        let refused = rewriter().scope(&text).unwrap_err();
        assert_eq!(refused.code.as_str(), "S01", "{}\n{refused}", &text[..40]);
    }
    // Lists are no levels.
    let wide =
        format!("SELECT {} FROM users WHERE {}", vec!["id + 1"; 500].join(", "), vec!["id = 1"; 500].join(" OR "));
    rewriter().scope(&wide).unwrap();
}
