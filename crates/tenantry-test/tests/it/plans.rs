//! The verifier accepts what the rewriting makes, and SQLite never goes through the rows of all tenants for it.
//!
//! Environment: `TENANTRY_TEST_PLANS` (10,000).

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use tenantry_sql::Code;
use tenantry_test::{Linted, generate};

use crate::{
    catching::runner,
    scoped::{World, number},
};

#[test]
fn every_access_begins_with_the_tenant_and_nothing_is_unverified() {
    let wanted = number("TENANTRY_TEST_PLANS", 10_000);
    let world = World::new();
    let (statements, mut runner) = (generate::statement(&world.schema), runner(5));
    let (mut refused, mut fine, mut accesses, mut invalid) = (BTreeMap::new(), 0, 0, 0);
    world.runtime.block_on(async {
        let mut lint = world.setting.lint().await.unwrap();
        for _ in 0..wanted {
            let text = statements.new_tree(&mut runner).unwrap().current().text();
            match lint.check(&text).await.unwrap() {
                Linted::Fine(count) => (fine, accesses) = (fine + 1, accesses + count),
                Linted::Refused(Code::Unverified) => panic!("not verified: {text}"),
                Linted::Refused(code) => *refused.entry(code).or_insert(0) += 1,
                Linted::Scans(table) => panic!("{table} is read from its beginning by {text}"),
                _ => invalid += 1,
            }
        }
    });
    println!("{wanted} statements: {fine} fine with {accesses} accesses, {invalid} invalid, refused {refused:?}");
    assert!(fine * 100 >= wanted * 85 && accesses > wanted);
}
