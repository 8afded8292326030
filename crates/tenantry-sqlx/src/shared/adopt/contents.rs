//! What a source has in it: its tables, how many rows they have, and a checksum of each.

use std::{collections::HashSet, fmt};

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_sql::{Belongs, Limits, Name, Relation, SchemaMap, StoredSchema, Table};

use super::{
    error::AdoptError,
    rows::{Place, Rows},
    source::{SOURCE, Source},
};
use crate::shared::template::Object;

/// What a source has in it.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) objects: Vec<Object>,
    pub(super) names: HashSet<Name>,
    pub(super) tables: Vec<(Rows, Sum)>,
    /// Changes with anything that is adopted.
    pub(super) fingerprint: String,
}

/// The rows of a table, counted and summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::shared) struct Sum {
    pub(in crate::shared) rows: i64,
    low: i64,
    high: i64,
}

impl Contents {
    /// Reads a source that is attached, within one transaction: all of it is of the same moment.
    pub(super) async fn read(
        source: &Source,
        global: &[Name],
        limits: &Limits,
        connection: &mut SqliteConnection,
    ) -> Result<Self, AdoptError> {
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        source.check(connection).await?;
        let objects = source.objects(connection).await?;
        let failed = |error| source.failed(error);
        let names = super::agreement::names(&objects, connection).await.map_err(failed)?;
        let mut tables = Vec::new();
        for table in objects.iter().filter_map(|object| table(object, limits)) {
            let is_global = global.contains(&table.name);
            let rows = Rows::of(&table, is_global, connection).await.map_err(failed)?;
            let rows = rows.ok_or_else(|| AdoptError::HiddenRowId(table.name.to_string()))?;
            let sum = Sum::of(&rows, Place::SOURCE, 0, connection).await.map_err(failed)?;
            tables.push((rows, sum));
        }
        let counted = counted(&tables, connection).await.map_err(failed)?;
        sqlx::raw_sql("COMMIT").execute(connection).await?;
        let fingerprint = fingerprint(&objects, &tables, &counted);
        Ok(Self { objects, names, tables, fingerprint })
    }
}

impl Sum {
    /// Of the rows in a place; `tenant` counts for rows of a tenant only.
    pub(in crate::shared) async fn of(
        rows: &Rows,
        place: Place,
        tenant: i64,
        connection: &mut SqliteConnection,
    ) -> Result<Self, sqlx::Error> {
        let text = AssertSqlSafe(rows.sum(place));
        let sum = sqlx::query_as(text).bind(tenant).fetch_one(connection).await?;
        let (rows, low, high) = sum;
        Ok(Self { rows, low, high })
    }
}

/// The checksum.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}

/// The table that an object is, if it is one that has rows of its own and can be read.
pub(in crate::shared) fn table(object: &Object, limits: &Limits) -> Option<Table> {
    if object.kind != "table" {
        return None;
    }
    let name = Name::from(object.name.as_str());
    let stored =
        StoredSchema { kind: object.kind.clone(), name: name.clone(), table: name.clone(), sql: object.sql.clone() };
    let (numbers, globals) = ([(name.clone(), 0)].into(), HashSet::new());
    let schema = SchemaMap::read(0, [&stored], &Belongs { numbers: &numbers, globals: &globals }, limits).ok()?;
    match schema.relation(&name)? {
        Relation::Tenant(table) => Some((**table).clone()),
        Relation::Global(_) | Relation::View(_) => None,
    }
}

/// How far AUTOINCREMENT has counted.
pub(super) async fn counted(
    tables: &[(Rows, Sum)],
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, Option<i64>)>, sqlx::Error> {
    // SQLite makes the table with the first one that is counted.
    if !tables.iter().any(|(rows, _)| rows.is_counted) {
        return Ok(Vec::new());
    }
    let text = format!("SELECT name, CAST(seq AS INTEGER) FROM {SOURCE}.sqlite_sequence ORDER BY name, seq");
    sqlx::query_as(AssertSqlSafe(text)).fetch_all(connection).await
}

fn fingerprint(objects: &[Object], tables: &[(Rows, Sum)], counted: &[(String, Option<i64>)]) -> String {
    let objects = objects.iter().map(|object| format!("{:?}", (&object.kind, &object.name, &object.sql)));
    let tables = tables.iter().map(|(rows, sum)| format!("{:?}", (&rows.table, sum)));
    let counted = counted.iter().map(|counted| format!("{counted:?}"));
    let mut lines: Vec<_> = objects.chain(tables).chain(counted).collect();
    // A copy may have them in another order.
    lines.sort_unstable();
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.len().to_le_bytes());
        hash.update(line);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
