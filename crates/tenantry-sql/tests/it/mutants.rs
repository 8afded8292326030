//! Every rule switched off, one at a time: somebody has to notice.
//!
//! A rule without which rows of other tenants could be reached has to be missed by the verifier. Of the others it is
//! enough that the printed text changes here; that the change shows in results is for the differential oracle.

use tenantry_sql::{Code, Rule, without};

use crate::schema::rewriter;

/// Statements in which every rule has something to do.
const STATEMENTS: &[&str] = &[
    "SELECT * FROM users u JOIN orders ON orders.uid = u.id",
    "SELECT 1 FROM orders WHERE uid IN users",
    "WITH users AS (SELECT 1 AS id) SELECT id FROM users",
    "SELECT * FROM outer_big",
    "SELECT main.users.id FROM main.users",
    "SELECT rowid FROM users",
    "SELECT l.rowid FROM log l",
    "SELECT * FROM users INDEXED BY i",
    "SELECT * FROM users u RIGHT JOIN orders o ON o.uid = u.id",
    "UPDATE users SET name = 'x' WHERE id = 1 OR 1",
    "DELETE FROM users WHERE id = 1 OR 1",
    "DELETE FROM users",
    "INSERT INTO users (name) VALUES ('a'), ('b')",
    "INSERT INTO users (name) SELECT 'a'",
    "INSERT INTO users VALUES (1, 'a', 2)",
    "INSERT OR IGNORE INTO users (id) VALUES (?)",
    "INSERT INTO settings (key, value) VALUES (1, 2) ON CONFLICT (key) DO NOTHING",
    "UPDATE users SET name = 'x' RETURNING *",
    "SELECT (SELECT count(*) FROM users) FROM orders",
    "SELECT id FROM users WHERE id = ? OR id = ?",
    "SELECT CASE WHEN (SELECT max(id) FROM users) THEN 1 END AS x",
    "VALUES ((SELECT max(id) FROM users))",
    "SELECT 1 FROM (SELECT 1) a JOIN (SELECT 2) b ON (SELECT max(id) FROM users)",
    "SELECT 1 WHERE (SELECT max(id) FROM users)",
    "SELECT 1 AS x GROUP BY (SELECT max(id) FROM users)",
    "SELECT 1 AS x GROUP BY 1 HAVING (SELECT max(id) FROM users)",
    "SELECT 1 AS x ORDER BY (SELECT max(id) FROM users)",
    "SELECT 1 AS x LIMIT (SELECT max(id) FROM users)",
    "SELECT * FROM (SELECT * FROM users)",
    "WITH c AS (SELECT * FROM users) SELECT * FROM c",
    "SELECT 1 UNION SELECT id FROM users",
    "UPDATE users SET name = (SELECT line FROM log)",
    "DELETE FROM users WHERE id IN (SELECT uid FROM orders)",
    "INSERT INTO users (name) SELECT line FROM log",
    "INSERT INTO settings (key, value) VALUES (1, 2) ON CONFLICT (key) DO UPDATE SET value = (SELECT line FROM log)",
    "DELETE FROM users RETURNING (SELECT line FROM log) AS x",
];

/// Rules without which a statement is wrong, but stays with its tenant.
const CORRECTNESS: &[Rule] =
    &[Rule::Cte, Rule::IndexHint, Rule::InsertColumns, Rule::InsertId, Rule::ResultName, Rule::RightJoin, Rule::RowId];

#[test]
fn every_rule_is_missed() {
    for rule in Rule::ALL {
        let scoped = |text: &&str| rewriter().scope(text).map(|plan| plan.text);
        let usual: Vec<_> = STATEMENTS.iter().map(|text| scoped(text).unwrap()).collect();
        let without: Vec<_> = without(Some(*rule), || STATEMENTS.iter().map(scoped).collect());
        let unverified =
            without.iter().any(|text| text.as_ref().is_err_and(|refused| refused.code == Code::Unverified));
        let differs = usual.iter().zip(&without).any(|(usual, without)| without.as_ref().ok() != Some(usual));
        assert!(differs, "nobody misses {rule:?}");
        if !CORRECTNESS.contains(rule) {
            assert!(unverified, "the verifier does not miss {rule:?}");
        }
    }
}
