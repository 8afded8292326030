//! The tables, as rows of them are read and written.

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::TableShape;
use tenantry_sql::{Limits, Name, Quoted, ROW_ID, RowId, TENANT, Table};

use super::super::{
    adopt::{is_of_application, row_id_of, table},
    keeper::Keeper,
    provision::tenants_tables,
    template::Object,
};
use crate::portable::{Column, Fitted, PortableError, Target};

/// A table that has rows of tenants.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) table: Table,
    /// Its columns, those left out that are computed.
    pub(super) target: Target,
    /// What the row id is called that no column shows.
    hidden_id: Option<String>,
    place: Place,
}

/// Where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a database of the tenant's own.
    Own,
    /// In the shared tables.
    Shared,
}

/// What is known of a column: its name and type, whether it is never `NULL`, and whether it has a default.
type Told = (String, String, bool, bool);

impl Rows {
    /// Those of the shared database.
    pub(super) async fn shared(keeper: &Keeper, owner: &mut SqliteConnection) -> Result<Vec<Self>, PortableError> {
        let text = "SELECT name, type, \"notnull\" <> 0, dflt_value IS NOT NULL FROM main._tenantry_table_xinfo \
                    WHERE \"of\" = ?";
        let plans = keeper.current();
        let mut all = Vec::new();
        for table in tenants_tables(plans.schema()) {
            let told: Vec<Told> = sqlx::query_as(text).bind(table.name.as_str()).fetch_all(&mut *owner).await?;
            let hidden = (table.row_id == RowId::Hidden).then(|| ROW_ID.to_owned());
            all.push(Self::of(table, &told, hidden, Place::Shared));
        }
        all.sort_by(|one, other| one.target.name.cmp(&other.target.name));
        Ok(all)
    }

    /// Those of a database of a tenant's own.
    pub(super) async fn own(
        global: &[Name],
        limits: &Limits,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Self>, PortableError> {
        let text = "SELECT name, type, \"notnull\" <> 0, dflt_value IS NOT NULL FROM pragma_table_xinfo(?)";
        let mut all = Vec::new();
        for object in objects(connection).await? {
            let Some(table) = table(&object, limits).filter(|table| !global.contains(&table.name)) else { continue };
            let told: Vec<Told> = sqlx::query_as(text).bind(table.name.as_str()).fetch_all(&mut *connection).await?;
            let hidden = match table.row_id {
                RowId::Hidden => {
                    let free = row_id_of(&table).ok_or_else(|| PortableError::HiddenRowId(table.name.to_string()))?;
                    Some(free.to_owned())
                }
                _ => None,
            };
            all.push(Self::of(&table, &told, hidden, Place::Own));
        }
        all.sort_by(|one, other| one.target.name.cmp(&other.target.name));
        Ok(all)
    }

    fn of(table: &Table, told: &[Told], hidden_id: Option<String>, place: Place) -> Self {
        let columns = table.insertable().map(|column| {
            let told = told.iter().find(|(name, ..)| column.name.is(name));
            let is_id = matches!(&table.row_id, RowId::Column(id) if *id == column.name);
            Column {
                name: column.name.as_str().to_owned(),
                kind: told.map(|(_, kind, ..)| kind.clone()).unwrap_or_default(),
                is_optional: is_id || told.is_none_or(|(_, _, never_null, has_default)| !never_null || *has_default),
            }
        });
        let target = Target { name: table.name.as_str().to_owned(), columns: columns.collect() };
        Self { table: table.clone(), target, hidden_id, place }
    }

    /// As archives describe it.
    pub(super) fn shape(&self) -> TableShape {
        self.target.shape(self.hidden_id.is_some())
    }

    /// Reads all rows of the tenant ?1, as they are described.
    pub(super) fn select(&self) -> String {
        let columns = self.target.columns.iter().map(|column| Quoted::new(&column.name).to_string());
        let values: Vec<_> = self.hidden().into_iter().chain(columns).collect();
        let (values, table) = (values.join(", "), self.table.name.quoted());
        match self.place {
            // The parameter is there, so that both are run in the same way.
            Place::Own => format!("SELECT {values} FROM main.{table} WHERE ?1 IS NOT NULL"),
            Place::Shared => format!("SELECT {values} FROM main.{table} WHERE {TENANT} = ?1"),
        }
    }

    /// Which columns the values of a given row are for; nothing for one that has no place here.
    pub(super) fn places(&self, given: &TableShape, fitted: &Fitted) -> Vec<Option<String>> {
        let hidden = given.has_hidden_id.then(|| self.hidden());
        let columns = fitted.columns.iter().filter_map(|at| self.target.columns.get(*at));
        hidden.into_iter().chain(columns.map(|column| Some(Quoted::new(&column.name).to_string()))).collect()
    }

    fn hidden(&self) -> Option<String> {
        // Not quoted: what a table without such a column is asked for in quotes would be a text.
        self.hidden_id.as_ref().map(|id| match self.place {
            Place::Own => id.clone(),
            Place::Shared => Quoted::new(id).to_string(),
        })
    }

    /// Inserts so many rows, with the tenant as the first parameter, then the values.
    pub(super) fn insert(&self, columns: &[String], rows: usize, raw: &[usize]) -> String {
        let table = self.table.name.quoted();
        let mut text = format!("INSERT INTO main.{table} (");
        if self.place == Place::Shared {
            text.push_str(TENANT);
            text.push_str(if columns.is_empty() { "" } else { ", " });
        }
        text.push_str(&columns.join(", "));
        text.push_str(") VALUES ");
        for row in 0..rows {
            text.push_str(if row > 0 { ", (" } else { "(" });
            let tenant = (self.place == Place::Shared).then(|| "?1".to_owned());
            let values = (0..columns.len()).map(|at| {
                let parameter = format!("?{}", 2 + row * columns.len() + at);
                if raw.contains(&at) { format!("CAST({parameter} AS TEXT)") } else { parameter }
            });
            text.push_str(&tenant.into_iter().chain(values).collect::<Vec<_>>().join(", "));
            text.push(')');
        }
        text
    }
}

/// The objects of a database of a tenant's own.
pub(super) async fn objects(connection: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    let text = "SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_schema ORDER BY _rowid_";
    let objects: Vec<Object> = sqlx::query_as(text).fetch_all(connection).await?;
    Ok(objects.into_iter().filter(|object| object.sql.is_some() && is_of_application(&object.tbl_name)).collect())
}

/// Which migrations have run, if that is noted.
pub(super) async fn migrations(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let there = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = '_sqlx_migrations')";
    if !sqlx::query_scalar(there).fetch_one(&mut *connection).await? {
        return Ok(Vec::new());
    }
    let text = AssertSqlSafe("SELECT version || ' ' || description FROM main._sqlx_migrations ORDER BY version");
    sqlx::query_scalar(text).fetch_all(connection).await
}
