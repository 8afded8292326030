//! A copy becomes the same again as what it is a copy of.
//!
//! One statement deletes, changes and inserts rows of all tables: at its end all foreign keys are checked, and all rows are
//! as they are in the source, where these hold. What has the same primary key is changed, so that nothing happens to the rows
//! that refer to it.

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, TENANT};

use super::apart::{Apart, Key, places};
use crate::postgres::adopt::{Rows, stage};

/// A table with rows that are not the same.
pub(super) struct Table<'a> {
    /// Its number among all.
    pub(super) at: usize,
    pub(super) rows: &'a Rows,
    pub(super) key: &'a Key,
    pub(super) apart: Apart,
    /// Whose rows they are to be in the shared table; of a tenant's own database otherwise.
    pub(super) tenant: Option<i64>,
}

/// Makes them the same.
pub(super) async fn mend(tables: &[Table<'_>], writing: &mut PgConnection) -> Result<(), sqlx::Error> {
    let deletes: Vec<_> = tables.iter().filter(|table| table.apart.stale > 0).map(Table::delete).collect();
    let missing = || tables.iter().filter(|table| table.apart.missing > 0);
    let updates: Vec<_> = missing().filter_map(Table::update).collect();
    let inserts: Vec<_> = missing().map(Table::insert).collect();
    let mut parts = Vec::new();
    // Each kind waits for the one before, so that what is unique is given up before it is taken.
    for (name, statements) in [("gone", deletes), ("changed", updates), ("come", inserts)] {
        let mut counts = vec!["0".to_owned()];
        for (at, statement) in statements.into_iter().enumerate() {
            counts.push(format!("(SELECT count(*) FROM {name}{at})"));
            parts.push(format!("{name}{at} AS ({statement} RETURNING 1)"));
        }
        parts.push(format!("{name} AS MATERIALIZED (SELECT {} AS n)", counts.join(" + ")));
    }
    let text = AssertSqlSafe(format!("WITH {} SELECT n FROM come", parts.join(", ")));
    sqlx::query(text).persistent(false).execute(writing).await.map(drop)
}

impl Table<'_> {
    fn name(&self) -> String {
        if self.tenant.is_some() { self.rows.shared() } else { self.rows.public() }
    }

    /// Only those of the tenant.
    fn own(&self) -> String {
        self.tenant.map_or_else(|| "true".to_owned(), |tenant| format!("t.{TENANT} = {tenant}"))
    }

    /// Whether a row of the stage is one of the table's; none is known again where there is no key.
    fn is_same(&self) -> String {
        if self.key.columns.is_empty() {
            return "false".to_owned();
        }
        let same = |column: &String| format!("t.{0} = s.{0}", Quoted::new(column));
        format!("{} AND {}", self.own(), self.key.columns.iter().map(same).collect::<Vec<_>>().join(" AND "))
    }

    fn delete(&self) -> String {
        let (name, own, places) = (self.name(), self.own(), places(self.at));
        let (stage, is_same) = (stage(self.at), self.is_same());
        format!(
            "DELETE FROM {name} t USING {places} a \
             WHERE t.ctid = a.mine AND {own} AND NOT EXISTS (SELECT FROM {stage} s WHERE {is_same})"
        )
    }

    /// Nothing if all columns are of the key.
    fn update(&self) -> Option<String> {
        let Self { rows, key, .. } = self;
        let is_set = |column: &&String| !key.columns.contains(column) && !key.fixed.contains(column);
        let set: Vec<_> =
            rows.columns.iter().filter(is_set).map(|column| format!("{0} = s.{0}", Quoted::new(column))).collect();
        if key.columns.is_empty() || set.is_empty() {
            return None;
        }
        let (name, set, stage, is_same) = (self.name(), set.join(", "), stage(self.at), self.is_same());
        Some(format!("UPDATE {name} t SET {set} FROM {stage} s WHERE (SELECT n FROM gone) >= 0 AND {is_same}"))
    }

    fn insert(&self) -> String {
        let (name, list, stage, is_same) = (self.name(), self.rows.list(), stage(self.at), self.is_same());
        let (first, values) = match self.tenant {
            None => (list.clone(), list),
            Some(tenant) => (format!("{TENANT}, {list}"), format!("{tenant}, {list}")),
        };
        format!(
            "INSERT INTO {name} ({first}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {stage} s \
             WHERE (SELECT n FROM changed) >= 0 AND NOT EXISTS (SELECT FROM {name} t WHERE {is_same})"
        )
    }
}
