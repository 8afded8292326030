//! Every rule of the rewriting switched off, one at a time, and the verifier with it: the oracle has to notice.
//!
//! That the verifier notices by itself where rows of others could be reached is `mutants.rs` of `tenantry-sql`.

use proptest::strategy::{Strategy, ValueTree};
use tenantry_sql::{Rule, unverified, without};
use tenantry_test::{Difference, generate};

use crate::{catching::runner, scoped::World};

/// How many scripts a rule may survive, each of [`LEN`] statements.
const SCRIPTS_MAX: usize = 120;
const LEN: usize = 25;

/// Rules without which statements give the same all the same, and why.
const UNSEEN: &[(Rule, &str)] = &[];

#[test]
fn the_oracle_misses_every_rule() {
    let world = World::new();
    let survivors: Vec<_> = Rule::ALL.iter().filter(|rule| !is_missed(**rule, &world)).collect();
    let expected: Vec<_> = UNSEEN.iter().map(|(rule, _)| rule).collect();
    assert_eq!(survivors, expected);
}

fn is_missed(rule: Rule, world: &World) -> bool {
    let (mut runner, mut statements) = (runner(3), 0);
    let scripts = generate::script(&world.schema, LEN);
    let found = (0..SCRIPTS_MAX).find_map(|_| {
        let script = scripts.new_tree(&mut runner).unwrap().current();
        statements += script.len();
        let found = without(Some(rule), || unverified(|| world.check(&script))).err()?;
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

fn first_lines(difference: &Difference) -> String {
    difference.to_string().lines().take(2).collect::<Vec<_>>().join(" · ").chars().take(240).collect()
}
