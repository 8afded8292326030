//! Reading a schema.

use tenantry_test::{Class, Private, RowId, Schema, standard};

async fn standard_schema() -> Schema {
    let mut private = Private::open(standard::STATEMENTS, &[]).await.unwrap();
    Schema::read(private.connection()).await.unwrap()
}

#[tokio::test]
async fn the_standard_schema_is_read() {
    let schema = standard_schema().await;
    let names: Vec<_> = schema.tables.iter().map(|table| &*table.name).collect();
    assert_eq!(names, ["teams", "users", "tags", "members", "log", "items", "codes"]);
    let views: Vec<_> = schema.views.iter().map(|view| (&*view.name, view.columns.len())).collect();
    assert_eq!(views, [("grown", 4), ("team_sizes", 2), ("grown_teams", 2)]);

    let row_ids: Vec<_> = schema.tables.iter().map(|table| table.row_id.clone()).collect();
    let id = || RowId::Column("id".to_owned());
    assert_eq!(row_ids, [id(), id(), RowId::Hidden, RowId::None, RowId::Hidden, id(), RowId::Hidden]);

    let users = schema.table("USERS").unwrap();
    assert_eq!(users.unique, [vec!["email".to_owned()], vec!["id".to_owned()]]);
    assert_eq!(users.foreign_keys[0].table, "teams");
    assert_eq!(users.indexes, ["users_by_lower", "users_by_team"]);
    assert_eq!(users.columns[5].class, Class::Json);
    assert_eq!(users.insertable().count(), 6);
    assert!(schema.table("log").unwrap().unique.is_empty(), "a partial key is no key");
    assert_eq!(schema.table("members").unwrap().primary_key, ["team", "tag"]);
}

#[tokio::test]
async fn an_odd_row_id_is_told_from_a_key() {
    let ddl = ["CREATE TABLE \"a b\" (x INTEGER PRIMARY KEY DESC, y)", "CREATE TABLE b (x INT PRIMARY KEY)"];
    let mut private = Private::open(&ddl, &[]).await.unwrap();
    let schema = Schema::read(private.connection()).await.unwrap();
    assert_eq!(schema.tables[0].name, "a b");
    assert_eq!(schema.tables[0].row_id, RowId::Hidden);
    assert_eq!(schema.tables[1].row_id, RowId::Hidden);
}
