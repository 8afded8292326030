//! The rows of others.

use std::collections::BTreeSet;

use tenantry_test::{Private, Value, noise, standard};

#[tokio::test]
async fn everybody_has_rows_in_every_table() {
    let world = noise::world(standard::STATEMENTS).await.unwrap();
    let tables = |rows: &[noise::Insert]| rows.iter().map(|row| row.table.clone()).collect::<BTreeSet<_>>().len();
    assert_eq!(tables(&world.own), 7);
    for (role, rows) in &world.others {
        let expected = if *role == noise::Role::Empty { 0 } else { 7 };
        assert_eq!(tables(rows), expected, "{role:?}");
        Private::open(standard::STATEMENTS, rows).await.unwrap();
    }
    let larger = &world.others[0].1;
    assert!(larger.len() > 2 * world.own.len() && world.others[1].1.len() * 2 < world.own.len());
}

#[tokio::test]
async fn others_have_the_same_keys_and_canaries() {
    let world = noise::world(standard::STATEMENTS).await.unwrap();
    let keys = |rows: &[noise::Insert]| {
        rows.iter().filter(|row| row.table == "teams").map(|row| row.values[0].to_string()).collect::<BTreeSet<_>>()
    };
    let larger = &world.others[0].1;
    assert!(keys(larger).is_superset(&keys(&world.own)));
    let all: Vec<_> = larger.iter().flat_map(|row| &row.values).collect();
    let text = |part: &str| all.iter().any(|value| matches!(value, Value::Text(text) if text.contains(part)));
    assert!(text("CANARY") && text("{\"CANARY"));
    assert!(all.contains(&&Value::Integer(i64::MIN)));
    let own: Vec<_> = world.own.iter().flat_map(|row| &row.values).map(ToString::to_string).collect();
    assert!(!own.iter().any(|value| value.contains("CANARY") || value.starts_with('9') && value.len() == 6));
}
