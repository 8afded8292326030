//! Rules switched off, one at a time.

use tenantry_sql::{Code, Rule, unverified, without};

use super::rewriter;

/// Rules of reading, each with a statement that reaches other tenants' rows without it.
const LEAKS: &[(Rule, &str)] = &[
    (Rule::Leaf, "SELECT * FROM users"),
    (Rule::Leaf, "SELECT * FROM orders o LEFT JOIN users u ON u.id = o.uid"),
    (Rule::Qualify, "SELECT * FROM users"),
    (Rule::View, "SELECT * FROM big"),
    (Rule::QualifiedColumn, "SELECT public.users.id FROM users"),
    (Rule::WalkResults, "SELECT (SELECT max(id) FROM users)"),
    (Rule::WalkResults, "VALUES ((SELECT max(id) FROM users))"),
    (Rule::WalkOn, "SELECT 1 FROM users u JOIN orders o ON EXISTS (SELECT 1 FROM users)"),
    (Rule::WalkClauses, "SELECT 1 FROM users WHERE id IN (SELECT uid FROM orders)"),
    (Rule::WalkClauses, "SELECT 1 FROM users GROUP BY (SELECT max(id) FROM orders)"),
    (Rule::WalkClauses, "SELECT 1 FROM users HAVING (SELECT max(id) FROM orders) > 1"),
    (Rule::WalkClauses, "SELECT sum(id) OVER w FROM users WINDOW w AS (ORDER BY (SELECT max(id) FROM orders))"),
    (Rule::WalkClauses, "SELECT DISTINCT ON ((SELECT max(id) FROM orders)) 1 FROM users"),
    (Rule::WalkOrderBy, "SELECT 1 FROM users ORDER BY (SELECT max(id) FROM orders)"),
    (Rule::WalkLimit, "SELECT 1 FROM users LIMIT (SELECT max(id) FROM orders)"),
    (Rule::WalkFrom, "SELECT * FROM (SELECT * FROM users) u"),
    (Rule::WalkFrom, "SELECT * FROM generate_series(1, (SELECT max(id) FROM users))"),
    (Rule::WalkCte, "WITH c AS (SELECT * FROM users) SELECT * FROM c"),
    (Rule::WalkBranches, "SELECT 1 UNION SELECT id FROM users"),
    (Rule::GuardUpdate, "UPDATE users SET name = 'x' WHERE id = 1"),
    (Rule::GuardUpdate, "UPDATE users SET name = 'x'"),
    (Rule::GuardDelete, "DELETE FROM users WHERE id = 1"),
    (Rule::GuardDelete, "DELETE FROM users"),
    (Rule::GuardParentheses, "DELETE FROM users WHERE id = 1 OR true"),
    (Rule::Qualify, "DELETE FROM users"),
    (Rule::InsertValues, "INSERT INTO users (id) VALUES (1), (2)"),
    (Rule::InsertSelect, "INSERT INTO users (id) SELECT 1 UNION SELECT 2"),
    (Rule::ConflictTarget, "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO NOTHING"),
    (Rule::ReturningStar, "DELETE FROM users RETURNING *"),
    (Rule::WalkSet, "UPDATE users SET name = (SELECT max(amount)::text FROM orders)"),
    (Rule::WalkFilter, "UPDATE users SET name = 'x' WHERE id IN (SELECT uid FROM orders)"),
    (Rule::WalkFilter, "DELETE FROM users WHERE id IN (SELECT uid FROM orders)"),
    (Rule::WalkSource, "INSERT INTO users (id) SELECT uid FROM orders"),
    (
        Rule::WalkConflict,
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = (SELECT 'a' FROM orders)",
    ),
    (
        Rule::WalkConflict,
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) WHERE EXISTS (SELECT 1 FROM orders) DO NOTHING",
    ),
    (Rule::WalkReturning, "DELETE FROM users RETURNING (SELECT max(id) FROM orders)"),
    (Rule::WalkChange, "WITH d AS (DELETE FROM users RETURNING id) SELECT * FROM d"),
    (Rule::WalkChange, "WITH d AS (INSERT INTO users VALUES (1)) SELECT 1"),
    (Rule::GuardDelete, "WITH d AS (DELETE FROM users) SELECT 1"),
    (Rule::GuardUpdate, "WITH d AS (UPDATE users SET id = 1) SELECT 1"),
    (Rule::InsertValues, "WITH d AS (INSERT INTO users VALUES (1)) SELECT 1"),
    (Rule::ReturningStar, "DELETE FROM users USING orders RETURNING users.*"),
    (Rule::ReturningStar, "UPDATE users SET id = 1 FROM orders RETURNING *"),
    (Rule::GuardMerge, "MERGE INTO users USING orders o ON users.id = o.uid WHEN MATCHED THEN DELETE"),
    (Rule::GuardBySource, "MERGE INTO users USING orders o ON true WHEN NOT MATCHED BY SOURCE THEN DELETE"),
    (Rule::GuardBySource, "MERGE INTO users USING orders o ON true WHEN NOT MATCHED BY SOURCE AND true THEN DELETE"),
    (Rule::InsertValues, "MERGE INTO users USING orders o ON true WHEN NOT MATCHED THEN INSERT VALUES (1)"),
    (Rule::Leaf, "MERGE INTO users USING orders o ON true WHEN MATCHED THEN DELETE"),
    (Rule::WalkOn, "MERGE INTO users USING orders o ON EXISTS (SELECT 1 FROM users) WHEN MATCHED THEN DELETE"),
    (
        Rule::WalkFilter,
        "MERGE INTO users USING orders o ON true WHEN MATCHED AND EXISTS (SELECT 1 FROM users) THEN DELETE",
    ),
    (Rule::WalkSet, "MERGE INTO users USING orders o ON true WHEN MATCHED THEN UPDATE SET id = (SELECT 1 FROM users)"),
    (
        Rule::WalkSource,
        "MERGE INTO users USING orders o ON true WHEN NOT MATCHED THEN INSERT VALUES ((SELECT 1 FROM users))",
    ),
    (Rule::Qualify, "MERGE INTO users USING countries c ON true WHEN MATCHED THEN DELETE"),
    (Rule::GuardTruncate, "TRUNCATE users"),
    (Rule::GuardTruncate, "TRUNCATE users, orders"),
    (Rule::Qualify, "TRUNCATE users"),
    (Rule::WholeRow, "DELETE FROM users RETURNING users"),
    (Rule::WholeRow, "UPDATE users SET name = users::text"),
    (Rule::WholeRow, "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded::text"),
    (Rule::Leaf, "SELECT * FROM pg_class"),
    (Rule::Leaf, "SELECT * FROM information_schema.tables"),
    (Rule::Leaf, "SELECT * FROM users TABLESAMPLE system (1)"),
    (Rule::WalkFrom, "SELECT * FROM (countries c JOIN (SELECT * FROM users) u ON true) AS j"),
    (Rule::WalkSet, "UPDATE lines SET words[(SELECT max(id) FROM users)] = 'x'"),
];

/// Rules without which a statement means something else, or fails.
const CORRECTNESS: &[(Rule, &str)] = &[
    (Rule::Cte, "WITH users AS (SELECT 1 AS id) SELECT id FROM users"),
    (Rule::GroupByKey, "SELECT id, name FROM users GROUP BY id"),
    (Rule::WholeRow, "SELECT users FROM users"),
];

#[test]
fn the_verifier_misses_every_rule_that_keeps_tenants_apart() {
    for (rule, text) in LEAKS {
        rewriter().scope(text).unwrap();
        let printed = without(Some(*rule), || unverified(|| rewriter().scope(text))).unwrap();
        assert_ne!(printed.text, rewriter().scope(text).unwrap().text, "{rule:?}: {text}");
        let refused = without(Some(*rule), || rewriter().scope(text)).unwrap_err();
        assert_eq!(refused.code, Code::Unverified, "{rule:?}: {text}");
    }
}

#[test]
fn a_statement_differs_without_the_rules_that_it_needs() {
    for (rule, text) in CORRECTNESS {
        let scope = || rewriter().scope(text).map(|plan| plan.text);
        assert_ne!(scope(), without(Some(*rule), || unverified(scope)), "{rule:?}: {text}");
    }
}

#[test]
fn every_rule_of_postgresql_has_a_statement_that_needs_it() {
    for rule in Rule::POSTGRES {
        assert!(LEAKS.iter().chain(CORRECTNESS).any(|(of, _)| of == rule), "{rule:?}");
    }
}
