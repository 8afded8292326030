//! Faults are caught, and what is right passes.

use std::sync::Arc;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tenantry_test::{Difference, Oracle, Report, Verdict, What, generate, noise, standard};

use crate::stand_in::{Fault, StandIn};

/// The same statements each time.
pub(crate) fn runner(seed: u8) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(Config::default(), rng)
}

async fn compare(fault: Fault, scripts: usize, len: usize, seed: u8) -> Result<Report, Box<Difference>> {
    let world = noise::world(standard::STATEMENTS).await.unwrap();
    let mut runner = runner(seed);
    let mut report = Report::default();
    for _ in 0..scripts {
        let stand_in = StandIn::open(&world.own, fault).await;
        let mut oracle = Oracle::new(standard::STATEMENTS, &world.own, stand_in).await.unwrap();
        let schema = Arc::new(oracle.schema().clone());
        let script = generate::script(&schema, len).new_tree(&mut runner).unwrap().current();
        for statement in &script {
            oracle.check(statement).await?;
        }
        report.add(oracle.report());
    }
    Ok(report)
}

#[tokio::test]
async fn a_database_is_like_itself() {
    let seed = std::env::var("TENANTRY_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let report = compare(Fault::None, 100, 30, seed).await.unwrap_or_else(|difference| panic!("{difference}"));
    println!("{report}");
    assert!(report.statements >= 3000);
    let accepted = report.ran + report.failed_running;
    assert!(accepted * 100 >= report.statements * 85, "{report}");
    assert!(report.ran * 100 >= report.statements * 65, "{report}");
    assert!(report.undetermined * 100 <= report.statements * 15, "{report}");
    assert!(report.too_expensive * 100 <= report.statements, "{report}");
    for feature in generate::Feature::ALL {
        let named = *feature == generate::Feature::NamedParameter;
        assert!(named || report.features.contains_key(feature), "{feature:?} never occurs");
    }
}

#[tokio::test]
async fn every_fault_is_caught() {
    for (fault, expected) in [
        (Fault::DropsARow, "Rows"),
        (Fault::ChangesOthers, "Others"),
        (Fault::LeaksInAMessage, "Leak"),
        (Fault::LeaksInARow, "Leak"),
        (Fault::RenamesAColumn, "Columns"),
        (Fault::TurnsNumbersIntoText, "Rows"),
        (Fault::ForgetsAWrite, "State"),
        (Fault::CountsWrongly, "Affected"),
        (Fault::FailsOtherwise, "Error"),
        (Fault::ReversesRows, "Rows"),
    ] {
        let difference = compare(fault, 10, 30, 2).await.expect_err(&format!("{fault:?}"));
        let what = format!("{:?}", difference.what);
        assert!(what.starts_with(expected), "{fault:?}: {difference}");
    }
}

#[tokio::test]
async fn refusals_are_counted_and_undone() {
    let report = compare(Fault::RefusesWrites, 5, 40, 3).await.unwrap_or_else(|difference| panic!("{difference}"));
    assert!(report.refused["S13"] > 20, "{report}");
}

#[tokio::test]
async fn what_sqlite_may_choose_is_left_out() {
    let world = noise::world(standard::STATEMENTS).await.unwrap();
    let stand_in = StandIn::open(&world.own, Fault::None).await;
    let mut oracle = Oracle::new(standard::STATEMENTS, &world.own, stand_in).await.unwrap();
    let query = |text: &str| generate::Statement::new(generate::Kind::Query, text);
    for text in ["SELECT name FROM teams LIMIT 1", "SELECT group_concat(name) FROM teams"] {
        assert_eq!(oracle.check(&query(text)).await.unwrap(), Verdict::Undetermined, "{text}");
    }
    let kind = generate::Kind::Insert("codes".to_owned());
    let write = generate::Statement::new(kind, "INSERT INTO codes SELECT id FROM teams LIMIT 1");
    assert_eq!(oracle.check(&write).await.unwrap(), Verdict::Undetermined);
    let same = oracle.check(&query("SELECT count(*) FROM teams")).await.unwrap();
    assert_eq!(same, Verdict::Same { in_order: false });
    oracle.check_state().await.unwrap();
}

#[tokio::test]
async fn constraints_that_were_put_off_are_kept_up() {
    let world = noise::world(standard::STATEMENTS).await.unwrap();
    let stand_in = StandIn::open(&world.own, Fault::None).await;
    let mut oracle = Oracle::new(standard::STATEMENTS, &world.own, stand_in).await.unwrap();
    let kind = generate::Kind::Insert("items".to_owned());
    let orphan = generate::Statement::new(kind, "INSERT INTO items (tag, price) VALUES ('nobody', 77)");
    oracle.check(&orphan).await.unwrap_or_else(|difference| panic!("{difference}"));
    assert_eq!(oracle.report().failed_running, 1);
}

#[tokio::test]
async fn a_difference_can_be_read() {
    let difference = compare(Fault::RenamesAColumn, 1, 30, 4).await.unwrap_err();
    assert_eq!(difference.what, What::Columns);
    let text = difference.to_string();
    for part in ["Columns differs", "statement: ", "arguments: [", "private: ", "shared: "] {
        assert!(text.contains(part), "{text}");
    }
}
