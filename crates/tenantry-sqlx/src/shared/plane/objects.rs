//! What a schema consists of, in a database of a tenant's own or as the shared one knows it.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_sql::{Limits, Quoted};

use super::error::RowsError;
use crate::native;
use crate::shared::{
    adopt::{Difference, MIGRATIONS, Rows, is_of_application, table},
    template::Object,
};

/// The application's objects in a database of a tenant's own, in the order of their creation.
pub(super) async fn own(database: &str, connection: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    let text = format!("SELECT type, name, tbl_name, rootpage, sql FROM {database}.sqlite_schema ORDER BY _rowid_");
    read(text, connection).await
}

/// Those of the schema that tenants of a shared database see.
pub(super) async fn shared(database: &str, connection: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    let text = format!("SELECT type, name, tbl_name, rootpage, sql FROM {database}._tenantry_master ORDER BY \"at\"");
    read(text, connection).await
}

async fn read(text: String, connection: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    let objects: Vec<Object> = sqlx::query_as(AssertSqlSafe(text)).fetch_all(connection).await?;
    let is_ours = |name: &str| name.starts_with(native::PREFIX);
    let is_own =
        |object: &Object| is_of_application(&object.name) && object.tbl_name != MIGRATIONS && !is_ours(&object.name);
    Ok(objects.into_iter().filter(|object| object.sql.is_some() && is_own(object)).collect())
}

/// In which objects two differ.
pub(super) fn differences(one: &[Object], other: &[Object]) -> Vec<Difference> {
    let without = |here: &[Object], there: &[Object]| -> Vec<String> {
        let is_there =
            |object: &Object| there.iter().any(|other| (&other.name, &other.sql) == (&object.name, &object.sql));
        let missing = here.iter().filter(|object| !is_there(object));
        missing.map(|object| format!("{} {}", object.kind, object.name)).collect()
    };
    let (only_source, only_shared) = (without(other, one), without(one, other));
    let all = only_source.iter().chain(&only_shared).collect::<BTreeSet<_>>();
    let whole = |object: &String, of: &[String]| of.contains(object).then(|| "it as it is there".to_owned());
    let difference = |object: &String| Difference {
        object: object.clone(),
        only_source: whole(object, &only_source).into_iter().collect(),
        only_shared: whole(object, &only_shared).into_iter().collect(),
    };
    all.into_iter().map(difference).collect()
}

/// Whether two consist of the same.
pub(super) fn are_same(one: &[Object], other: &[Object]) -> bool {
    differences(one, other).is_empty()
}

/// Makes `main` consist of these, empty.
pub(super) async fn make(objects: &[Object], connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let there = own("main", connection).await?;
    for kind in ["trigger", "view", "table"] {
        for object in there.iter().filter(|object| object.kind == kind) {
            let text = format!("DROP {kind} IF EXISTS main.{}", Quoted::new(&object.name));
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
        }
    }
    for kind in ["table", "index", "view", "trigger"] {
        for sql in objects.iter().filter(|object| object.kind == kind).filter_map(|object| object.sql.as_deref()) {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// What is copied of these: the rows of each table.
pub(super) async fn rows(
    objects: &[Object],
    global: &[tenantry_sql::Name],
    limits: &Limits,
    connection: &mut SqliteConnection,
) -> Result<Vec<Rows>, RowsError> {
    let mut all = Vec::new();
    for object in objects.iter().filter(|object| object.kind == "table") {
        let unknown = || RowsError::Kind(object.name.clone());
        let table = table(object, limits).ok_or_else(unknown)?;
        let is_global = global.contains(&table.name);
        all.push(Rows::of(&table, is_global, connection).await?.ok_or_else(unknown)?);
    }
    Ok(all)
}
