//! Whether a source has the schema of the shared database.

use std::collections::{BTreeMap, HashSet};

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_sql::{Limits, Name, meaning};

use super::source::{MIGRATIONS, SOURCE, is_of_application};
use crate::shared::template::Object;

/// Something in which a source differs from the shared database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `table notes`, or `the migrations`.
    pub object: String,
    /// What only the source has.
    pub only_source: Vec<String>,
    /// What only the shared database has.
    pub only_shared: Vec<String>,
}

/// The differences between two schemas, object by object.
pub(in crate::shared) fn differences(
    source: &[Object],
    shared: &[Object],
    names: &HashSet<Name>,
    limits: &Limits,
) -> Vec<Difference> {
    let (source, shared) = (meanings(source, names, limits), meanings(shared, names, limits));
    let objects: std::collections::BTreeSet<_> = source.keys().chain(shared.keys()).collect();
    let differences = objects.into_iter().filter_map(|object| {
        let without = |facts: Option<&Vec<String>>, others: Option<&Vec<String>>| -> Vec<String> {
            let other = |fact: &&String| !others.is_some_and(|others| others.contains(fact));
            facts.into_iter().flatten().filter(other).cloned().collect()
        };
        let (here, there) = (source.get(object), shared.get(object));
        let (mut only_source, mut only_shared) = (without(here, there), without(there, here));
        // What is missing altogether need not be told fact by fact.
        if there.is_none() {
            only_source = vec!["all of it".to_owned()];
        } else if here.is_none() {
            only_shared = vec!["all of it".to_owned()];
        } else if here == there {
            return None;
        }
        Some(Difference { object: object.clone(), only_source, only_shared })
    });
    differences.collect()
}

/// What each object means, by kind and name.
fn meanings(objects: &[Object], names: &HashSet<Name>, limits: &Limits) -> BTreeMap<String, Vec<String>> {
    let own = objects.iter().filter(|object| is_of_application(&object.name));
    let meanings = own.filter_map(|object| {
        let sql = object.sql.as_ref()?;
        // What cannot be read is compared as it is written.
        let facts = meaning(sql, names, limits).unwrap_or_else(|_| vec![sql.clone()]);
        Some((format!("{} {}", object.kind, object.name.to_ascii_lowercase()), facts))
    });
    meanings.collect()
}

/// All names of the source's schema.
pub(in crate::shared) async fn names(
    objects: &[Object],
    connection: &mut SqliteConnection,
) -> Result<HashSet<Name>, sqlx::Error> {
    let text = format!(
        "SELECT x.name FROM {SOURCE}.sqlite_schema s, pragma_table_xinfo(s.name, ?) x \
         WHERE s.type = 'table' AND s.sql NOT LIKE 'CREATE VIRTUAL%'"
    );
    let schema = SOURCE.trim_matches('"');
    let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(text)).bind(schema).fetch_all(connection).await?;
    let objects = objects.iter().map(|object| object.name.clone());
    Ok(objects.chain(columns).map(Name::new).collect())
}

/// In which migrations the two differ, as far as both say which have run.
pub(super) async fn migrations(connection: &mut SqliteConnection) -> Result<Option<Difference>, sqlx::Error> {
    if !(has_migrations(SOURCE, connection).await? && has_migrations("main", connection).await?) {
        return Ok(None);
    }
    let mut only = Vec::new();
    for (here, there) in [(SOURCE, "main"), ("main", SOURCE)] {
        let text = format!(
            "SELECT version || ' ' || description FROM {here}.{MIGRATIONS} \
             WHERE version NOT IN (SELECT version FROM {there}.{MIGRATIONS}) ORDER BY version"
        );
        only.push(sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&mut *connection).await?);
    }
    let (only_shared, only_source): (Vec<String>, Vec<String>) =
        (only.pop().unwrap_or_default(), only.pop().unwrap_or_default());
    if only_source.is_empty() && only_shared.is_empty() {
        return Ok(None);
    }
    Ok(Some(Difference { object: "the migrations".to_owned(), only_source, only_shared }))
}

/// Whether a database says which migrations have run.
pub(in crate::shared) async fn has_migrations(
    database: &str,
    connection: &mut SqliteConnection,
) -> Result<bool, sqlx::Error> {
    let text = format!("SELECT EXISTS (SELECT 1 FROM {database}.sqlite_schema WHERE type = 'table' AND name = ?)");
    sqlx::query_scalar(AssertSqlSafe(text)).bind(MIGRATIONS).fetch_one(connection).await
}
