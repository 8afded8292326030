//! Every rule of the rewriting switched off, one at a time: somebody has to notice.
//!
//! Three nets are asked, each by itself: the oracle, on tables without row-level security; the verifier; and row-level
//! security, which does not notice, but lets nothing of others be seen or touched.

use proptest::strategy::{Strategy, ValueTree};
use tenantry_sql::{Code, Rule, unverified, without};
use tenantry_test::{
    generate::{Kind, Statement},
    postgres::{Oracle, Planner, Setting, Walls, generate},
};

use super::differential::runner;

/// How many scripts a rule may survive, each of [`LEN`] statements.
const SCRIPTS_MAX: usize = 60;
const LEN: usize = 20;
/// How many scripts each rule is tried with behind row-level security.
const WATCHED: usize = 4;

/// Rules that do nothing to statements for PostgreSQL.
const OF_SQLITE: &[Rule] =
    &[Rule::InTable, Rule::RowId, Rule::IndexHint, Rule::RightJoin, Rule::InsertId, Rule::ResultName, Rule::Parameters];

/// Rules without which a statement is wrong, but stays with its tenant.
const CORRECTNESS: &[Rule] = &[Rule::Cte, Rule::InsertColumns];

fn rules() -> impl Iterator<Item = Rule> {
    Rule::ALL.iter().copied().filter(|rule| !OF_SQLITE.contains(rule))
}

/// Statements that random ones are rarely like, for the rules that only they miss.
fn rare() -> Vec<Statement> {
    let query = |text: &str| Statement::new(Kind::Query, text);
    let insert = |text: &str| Statement::new(Kind::Insert("tags".to_owned()), text);
    vec![
        query("SELECT id FROM users ORDER BY id LIMIT (SELECT count(*) % 20 FROM members)"),
        query("SELECT id, (SELECT count(*) FROM users) FROM teams ORDER BY 1"),
        query("SELECT t.id FROM teams t JOIN tags g ON g.weight < (SELECT max(id) FROM teams)"),
        query("SELECT id FROM teams ORDER BY (SELECT max(age) FROM users) - id, id"),
        query("SELECT public.users.id FROM users"),
        insert(
            "INSERT INTO tags (slug, label) VALUES ('a', 'x') ON CONFLICT (slug) DO UPDATE SET label = (SELECT max(email) FROM users)",
        ),
        insert(
            "INSERT INTO tags (slug) VALUES ('a') ON CONFLICT (slug) DO UPDATE SET weight = 3 WHERE (SELECT count(*) FROM users) < 20",
        ),
        insert("INSERT INTO tags (slug) VALUES ('y') RETURNING (SELECT count(*) FROM users)"),
        insert("INSERT INTO tags SELECT 'w', 'w'"),
        insert("INSERT INTO tags (slug) VALUES ('z') RETURNING *"),
    ]
}

fn without_rule(rule: Rule) -> Planner {
    Planner::with(move |rewriter, text| without(Some(rule), || unverified(|| rewriter.scope(text))))
}

#[tokio::test]
async fn the_oracle_misses_every_rule() {
    let setting = Setting::new(Walls::None).await.unwrap();
    let mut survivors = Vec::new();
    for rule in rules() {
        let mut oracle = Oracle::new(&setting, without_rule(rule), Planner::new()).await.unwrap();
        let (mut runner, mut statements) = (runner(1), 0);
        let (mut found, mut script) = (None, rare());
        for _ in 0..SCRIPTS_MAX {
            found = oracle.check(&script).await.err();
            if found.is_some() {
                // It is the rule that was missed, and not something that is wrong anyway. (A new one, since others' rows
                // show that somebody touched them, although it was rolled back.)
                let mut whole = Oracle::new(&setting, Planner::new(), Planner::new()).await.unwrap();
                whole.check(&script).await.unwrap_or_else(|difference| panic!("{difference}"));
                break;
            }
            statements += script.len();
            script = generate::script(LEN).new_tree(&mut runner).unwrap().current();
        }
        match found {
            Some(found) => println!("{rule:?}: after {statements}: {:?} {}", found.what, found.text),
            None => survivors.push(rule),
        }
    }
    assert!(survivors.is_empty(), "{survivors:?}");
}

#[test]
fn the_verifier_misses_every_rule_that_keeps_tenants_apart() {
    let planner = |rule| Planner::with(move |rewriter, text| without(Some(rule), || rewriter.scope(text)));
    for rule in rules().filter(|rule| !CORRECTNESS.contains(rule)) {
        let (planner, mut runner) = (planner(rule), runner(1));
        let misses = |statement: &Statement| {
            let refused = planner.plan(&statement.dollar_text()).err();
            refused.is_some_and(|refused| refused.code == Code::Unverified)
        };
        let mut scripts = (0..SCRIPTS_MAX).map(|_| generate::script(LEN).new_tree(&mut runner).unwrap().current());
        assert!(rare().iter().any(misses) || scripts.any(|script| script.iter().any(misses)), "{rule:?}");
    }
}

#[tokio::test]
async fn row_level_security_holds_without_any_rule() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    for rule in rules() {
        let mut oracle = Oracle::new(&setting, without_rule(rule), Planner::new()).await.unwrap();
        let mut runner = runner(1);
        oracle.watch(&rare()).await.unwrap_or_else(|difference| panic!("{rule:?}: {difference}"));
        for _ in 0..WATCHED {
            let script = generate::script(LEN).new_tree(&mut runner).unwrap().current();
            oracle.watch(&script).await.unwrap_or_else(|difference| panic!("{rule:?}: {difference}"));
        }
    }
}
