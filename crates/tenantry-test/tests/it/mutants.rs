//! Every rule of the rewriting switched off, one at a time, and the verifier with it: the oracle has to notice.
//!
//! That the verifier notices by itself where rows of others could be reached is `mutants.rs` of `tenantry-sql`.

use std::{future::poll_fn, pin::pin};

use proptest::strategy::{Strategy, ValueTree};
use tenantry_sql::{Rule, unverified, without};
use tenantry_test::{Difference, Digest, Outcome, Scoped, Shared, State, Value, generate};

use crate::{catching::runner, scoped::World};

/// How many scripts a rule may survive, each of about [`LEN`] statements.
const SCRIPTS_MAX: usize = 120;
const LEN: usize = 25;

/// Rules without which statements give the same all the same: this one is for speed alone.
const UNSEEN: &[Rule] = &[Rule::RightJoin];

#[test]
fn the_oracle_misses_every_rule() {
    let world = World::new();
    let rules = Rule::ALL.iter().filter(|rule| !UNSEEN.contains(rule));
    let survivors: Vec<_> = rules.filter(|rule| !is_missed(**rule, &world)).collect();
    assert!(survivors.is_empty(), "{survivors:?}");
}

fn is_missed(rule: Rule, world: &World) -> bool {
    let (mut runner, mut statements) = (runner(3), 0);
    let scripts = generate::script(&world.schema, LEN);
    let found = (0..SCRIPTS_MAX).find_map(|_| {
        let script = scripts.new_tree(&mut runner).unwrap().current();
        statements += script.len();
        let found = world.check_with(&script, |scoped| Mutant { scoped, rule }).err()?;
        // It is the rule that was missed, and not something that is wrong anyway.
        world.check(&script).unwrap_or_else(|difference| panic!("{difference}"));
        Some(found)
    });
    match &found {
        Some(difference) => println!("{rule:?}: after {statements} statements: {}", first_lines(difference)),
        None => println!("{rule:?}: SURVIVES {statements} statements"),
    }
    found.is_some()
}

/// A shared side whose rewriting lacks a rule, and is not verified. Where the tenant is alone nothing is lacking, so that
/// what is wrong cannot pass for what SQLite is free to choose.
struct Mutant {
    scoped: Scoped,
    rule: Rule,
}

impl Shared for Mutant {
    async fn run(&mut self, text: &str, arguments: &[Value]) -> Outcome {
        let (rule, mut running) = (self.rule, pin!(self.scoped.run(text, arguments)));
        poll_fn(|cx| without(Some(rule), || unverified(|| running.as_mut().poll(cx)))).await
    }

    async fn run_alone(&mut self, text: &str, arguments: &[Value]) -> Option<Outcome> {
        self.scoped.run_alone(text, arguments).await
    }

    async fn others(&mut self) -> Result<Digest, sqlx::Error> {
        self.scoped.others().await
    }

    async fn state(&mut self) -> Result<State, sqlx::Error> {
        self.scoped.state().await
    }

    async fn state_alone(&mut self) -> Result<Option<State>, sqlx::Error> {
        self.scoped.state_alone().await
    }

    fn looks_into_transactions(&self) -> bool {
        self.scoped.looks_into_transactions()
    }
}

fn first_lines(difference: &Difference) -> String {
    difference.to_string().lines().take(2).collect::<Vec<_>>().join(" · ").chars().take(240).collect()
}
