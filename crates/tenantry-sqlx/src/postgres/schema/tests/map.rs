//! What the rewriter gets to know.

use tenantry_sql::{Action, Dialect, Limits, Name, Relation, Rewriter};

use super::{super::read, Home};

#[tokio::test]
async fn the_schema_is_read_as_the_application_declared_it() {
    let mut home = Home::with(
        "CREATE TABLE countries (code text PRIMARY KEY); \
         CREATE TABLE \"Odd\" (\"I\"\"d\" int PRIMARY KEY, gone int, twice int GENERATED ALWAYS AS (\"I\"\"d\" * 2) STORED); \
         ALTER TABLE \"Odd\" DROP COLUMN gone; \
         CREATE TABLE t (id int PRIMARY KEY, odd int DEFAULT 7 REFERENCES \"Odd\" ON DELETE SET DEFAULT ON UPDATE CASCADE); \
         CREATE VIEW v (x) AS SELECT t.id FROM t WHERE t.odd > 3",
    )
    .await;
    home.tenants(&[1], "INSERT INTO tenantry_shared.t (id, odd) VALUES (5, NULL)").await;
    let mut application = home.connect().await;
    let map = read(&mut application).await.unwrap();
    assert_eq!(map.version(), 1);
    let odd = map.table(&Name::exact("Odd")).unwrap();
    let columns: Vec<_> = odd.columns.iter().map(|column| (column.name.as_str(), column.generated)).collect();
    assert_eq!(columns, [("I\"d", false), ("twice", true)]);
    assert_eq!(odd.primary_key, [Name::exact("I\"d")]);
    assert!(map.table(&Name::exact("odd")).is_none());
    let [key] = map.table(&Name::exact("t")).unwrap().foreign_keys.as_slice() else { panic!("one key") };
    assert_eq!((key.parent.as_str(), key.parent_columns.as_slice()), ("Odd", [Name::exact("I\"d")].as_slice()));
    assert_eq!((&key.on_delete, &key.on_update), (&Action::SetDefault(vec!["7".to_owned()]), &Action::Cascade));
    assert!(matches!(map.relation(&Name::exact("countries")), Some(Relation::Global(_))));

    // The body of a view is one that can be expanded.
    let rewriter = Rewriter::new(map.into(), Limits::default()).dialect(Dialect::Postgres);
    let plan = rewriter.scope("SELECT x FROM v").unwrap();
    assert!(plan.text.contains("tenantry_shared"), "{}", plan.text);
}
