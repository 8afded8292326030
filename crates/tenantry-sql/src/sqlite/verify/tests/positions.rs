//! Every place where an expression may stand is walked.

use super::*;

/// Statements with a place for an expression. Each is accepted with a scoped subquery in it.
const POSITIONS: &[&str] = &[
    "SELECT {}",
    "SELECT 1, {} AS x",
    "SELECT DISTINCT {} FROM {users} AS u",
    "SELECT 1 FROM {users} AS u JOIN {notes} AS n ON {}",
    "SELECT 1 FROM {users} AS u LEFT JOIN ({notes} AS n JOIN {logs} AS l ON {}) ON 1",
    "SELECT 1 FROM (SELECT {}) AS v",
    "SELECT 1 FROM json_each({})",
    "SELECT 1 IN json_each({})",
    "SELECT 1 WHERE {}",
    "SELECT 1 GROUP BY 1, {}",
    "SELECT 1 GROUP BY 1 HAVING {}",
    "SELECT sum(1) OVER w WINDOW w AS (PARTITION BY {})",
    "SELECT sum(1) OVER w WINDOW v AS (), w AS (v ORDER BY 1, {} DESC NULLS LAST)",
    "SELECT sum(1) OVER w WINDOW w AS (ROWS {} PRECEDING)",
    "SELECT sum(1) OVER w WINDOW w AS (ROWS BETWEEN 1 PRECEDING AND {} FOLLOWING)",
    "SELECT sum(1) OVER (PARTITION BY {})",
    "SELECT sum(1) OVER (ORDER BY {})",
    "SELECT sum(1) OVER (ORDER BY 1 RANGE BETWEEN {} PRECEDING AND CURRENT ROW EXCLUDE TIES)",
    "SELECT sum(1) FILTER (WHERE {})",
    "SELECT sum(1) FILTER (WHERE {}) OVER ()",
    "SELECT count(*) FILTER (WHERE {})",
    "SELECT count(*) OVER (ORDER BY {})",
    "SELECT group_concat(1 ORDER BY {})",
    "SELECT group_concat(1 ORDER BY {}) FILTER (WHERE 1)",
    "SELECT 1 ORDER BY {}",
    "SELECT 1 UNION SELECT {}",
    "SELECT 1 INTERSECT VALUES ({})",
    "SELECT 1 UNION SELECT 2 ORDER BY {} LIMIT 1",
    "SELECT 1 LIMIT {}",
    "SELECT 1 LIMIT 1 OFFSET {}",
    "SELECT 1 LIMIT {}, 1",
    "VALUES (1), ({})",
    "VALUES (1) LIMIT {}",
    "WITH c AS (SELECT {}) SELECT 1",
    "WITH c AS (SELECT 1), d AS (VALUES ({})) SELECT 1",
    "SELECT abs({})",
    "SELECT coalesce(1, {})",
    "SELECT count(DISTINCT {})",
    "SELECT _tenantry_row_id({})",
    "SELECT _tenantry_new_id(1, {})",
    "SELECT CASE {} WHEN 1 THEN 2 END",
    "SELECT CASE 1 WHEN {} THEN 2 END",
    "SELECT CASE WHEN 1 THEN {} END",
    "SELECT CASE WHEN 1 THEN 2 WHEN 3 THEN 4 ELSE {} END",
    "SELECT CAST({} AS TEXT)",
    "SELECT {} COLLATE nocase",
    "SELECT {} BETWEEN 1 AND 2",
    "SELECT 1 NOT BETWEEN {} AND 2",
    "SELECT 1 BETWEEN 1 AND {}",
    "SELECT {} IN (1)",
    "SELECT {} IN ()",
    "SELECT 1 NOT IN (1, {})",
    "SELECT {} IN (SELECT 1)",
    "SELECT 1 IN (SELECT {})",
    "WITH c AS (SELECT 1) SELECT {} IN c",
    "SELECT EXISTS (SELECT {})",
    "SELECT (SELECT (SELECT {}))",
    "SELECT {} LIKE 'x'",
    "SELECT 'x' NOT LIKE {}",
    "SELECT 'x' LIKE 'y' ESCAPE {}",
    "SELECT {} GLOB 'x'",
    "SELECT {} ISNULL",
    "SELECT {} NOT NULL",
    "SELECT {} IS NOT DISTINCT FROM 1",
    "SELECT 1 IS {}",
    "SELECT -{}, NOT {}, ~{}",
    "SELECT {} + 1",
    "SELECT 1 || {}",
    "SELECT 1 OR {} OR 2",
    "SELECT {} -> 'x'",
    "SELECT 'x' ->> {}",
    "SELECT ({}, 1) = (1, 2)",
    "SELECT ((({})))",
    "INSERT INTO main.users (id, _tenant) VALUES ({}, ?9)",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9), ({}, ?9)",
    "INSERT INTO main.users (id, _tenant) SELECT {}, ?9",
    "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 WHERE {}",
    "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 UNION SELECT {}, ?9",
    "INSERT INTO main.users (id, _tenant) SELECT 1, ?9 ORDER BY {}",
    "WITH c AS (SELECT {}) INSERT INTO main.users (id, _tenant) VALUES (1, ?9)",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) RETURNING {}",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (_tenant, {}) DO NOTHING",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (_tenant) WHERE {} DO NOTHING",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (_tenant) DO UPDATE SET id = {}",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (_tenant) DO UPDATE SET id = 1 WHERE {}",
    "INSERT INTO main.users (id, _tenant) VALUES (1, ?9) ON CONFLICT (_tenant) DO NOTHING ON CONFLICT DO UPDATE SET id = {}",
    "UPDATE main.users SET name = 1, id = {} WHERE users._tenant = ?9",
    "UPDATE main.users SET (id, name) = (1, {}) WHERE users._tenant = ?9",
    "UPDATE main.users SET id = 1 FROM (SELECT {}) AS v WHERE users._tenant = ?9",
    "UPDATE main.users SET id = 1 FROM {notes} AS n JOIN {logs} AS l ON {} WHERE users._tenant = ?9",
    "UPDATE main.users SET id = 1 WHERE users._tenant = ?9 AND ({})",
    "UPDATE main.users SET id = 1 WHERE users._tenant = ?9 RETURNING 1, {}",
    "WITH c AS (SELECT {}) UPDATE main.users SET id = 1 WHERE users._tenant = ?9",
    "DELETE FROM main.users WHERE users._tenant = ?9 AND ({} OR 1)",
    "DELETE FROM main.users WHERE users._tenant = ?9 RETURNING {} AS x",
    "WITH c AS (SELECT {}) DELETE FROM main.users WHERE users._tenant = ?9",
];

const HARMLESS: &[&str] =
    &["(SELECT max(u.id) FROM {users} AS u)", "(WITH c AS (SELECT 1) SELECT * FROM c)", "?8", "id"];

const HARMFUL: &[&str] = &[
    r#"(SELECT max("id") FROM "main"."users")"#,
    r#"(SELECT max("id") FROM "users")"#,
    "(SELECT max(id) FROM (SELECT id FROM main.users WHERE users._tenant = ?9) AS users)",
    "(SELECT max(id) FROM (SELECT id, name FROM main.users WHERE users._tenant = ?8) AS users)",
    "(SELECT 1 FROM {users} AS u, sqlite_master)",
    "(SELECT 1 FROM pragma_table_info('users'))",
    "(1 IN users)",
    "(1 IN \"main\".\"users\")",
    "EXISTS (SELECT * FROM main.sqlite_master)",
    "?9",
    "_tenant",
    "users.\"_tenant\"",
    "excluded._tenant",
    "NEW._tenant",
    "main.users.id",
    "load_extension('x')",
    "_tenantry_next_id(1)",
    "RAISE(IGNORE)",
];

#[test]
fn what_is_harmless_is_accepted_everywhere() {
    for position in POSITIONS {
        for expr in HARMLESS {
            accept(&position.replace("{}", expr));
        }
    }
}

#[test]
fn what_is_harmful_is_refused_everywhere() {
    for position in POSITIONS {
        for expr in HARMFUL {
            let text = scoped(&position.replace("{}", expr));
            let Err(refused) = verify(&text, &schema(), TENANT) else { panic!("accepted: {text}") };
            // Not because of how the test is written, and by the walk itself: what it forgets is found by counting.
            for check in
                ["statement: ", "text: ", "name: a reserved one was not", "tenant: its parameter stands somewhere"]
            {
                assert!(!refused.construct.starts_with(check), "{refused}\n{text}");
            }
        }
    }
}
