//! What is known of statements.

use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use tenantry_test::{
    Private, Schema, Value,
    generate::{self, Forms, Kind, Statement},
    standard,
};

use crate::catching::runner;

#[tokio::test]
async fn parameters_are_as_sqlite_numbers_them() {
    let mut private = Private::open(standard::STATEMENTS, &[]).await.unwrap();
    let schema = Arc::new(Schema::read(private.connection()).await.unwrap());
    let mut runner = runner(5);
    let (mut bound, mut named) = (0, 0);
    for _ in 0..2000 {
        let sqlx = generate::statement(&schema).new_tree(&mut runner).unwrap().current();
        assert!(sqlx.binds_with_sqlx(), "{sqlx}");
        bound += usize::from(!sqlx.arguments().is_empty());
        let any = generate::statement(&schema).forms(Forms::Sqlite).new_tree(&mut runner).unwrap().current();
        named += usize::from(any.features().contains(&generate::Feature::NamedParameter));
        let highest = format!("?{}", any.arguments().len());
        assert!(any.arguments().is_empty() || any.numbered_text().contains(&highest), "{any}");
    }
    assert!(bound > 300 && named > 200, "{bound} {named}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_statements() {
    let mut private = Private::open(standard::STATEMENTS, &[]).await.unwrap();
    let schema = Arc::new(Schema::read(private.connection()).await.unwrap());
    let texts = |seed| {
        let mut runner = runner(seed);
        let mut next = || generate::statement(&schema).new_tree(&mut runner).unwrap().current().text();
        (0..20).map(|_| next()).collect::<Vec<_>>()
    };
    assert_eq!(texts(1), texts(1));
    assert_ne!(texts(1), texts(2));
}

#[test]
fn values_are_shown_as_sql_reads_them() {
    let shown = |value: Value| value.to_string();
    assert_eq!(shown(Value::from("it's")), "'it''s'");
    assert_eq!(shown(Value::Blob(vec![0, 255])), "x'00ff'");
    assert_eq!(shown(Value::Integer(i64::MIN)), "(-9223372036854775807 - 1)");
    assert_eq!(shown(Value::Real(2.0)), "2.0");
    let statement = Statement::new(Kind::Query, "SELECT 1");
    assert_eq!((statement.text(), statement.arguments()), ("SELECT 1".to_owned(), Vec::new()));
}
