//! The tables, as rows of them are read and written.

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_core::TableShape;
use tenantry_sql::Quoted;

use super::super::{PostgresOptions, adopt::rows::Rows as Adopted};
use crate::portable::{Column, Fitted, Target};

/// A table that has rows of tenants.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Its columns, those left out that are computed.
    pub(super) target: Target,
    /// What each of them takes: `bytea` for bytes, `D` or `T` for times, or another category of types.
    kinds: Vec<String>,
}

/// What the server says of a table.
#[derive(sqlx::FromRow)]
struct Told {
    name: String,
    columns: Vec<String>,
    types: Vec<String>,
    kinds: Vec<String>,
    optional: Vec<bool>,
}

impl Rows {
    /// Those of the shared database.
    pub(super) async fn shared(connection: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
        let from = "tenantry.tables t JOIN pg_class c ON c.oid = t.logical WHERE NOT t.global";
        read(from, &[], connection).await
    }

    /// Those of a database of a tenant's own.
    pub(super) async fn own(
        options: &PostgresOptions,
        connection: &mut PgConnection,
    ) -> Result<Vec<Self>, sqlx::Error> {
        let from = "pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
                    AND c.relname <> '_sqlx_migrations' AND c.relname::text <> ALL ($1)";
        let global: Vec<_> = options.global.iter().map(|name| name.as_str().to_owned()).collect();
        read(from, &global, connection).await
    }

    /// As archives describe it.
    pub(super) fn shape(&self) -> TableShape {
        self.target.shape(false)
    }

    /// The columns, as statements name them.
    pub(super) fn list(&self) -> String {
        let columns = self.target.columns.iter().map(|column| Quoted::new(&column.name).to_string());
        columns.collect::<Vec<_>>().join(", ")
    }

    /// The table with those columns that the values of a given row are for.
    pub(super) fn fitted(&self, fitted: &Fitted) -> Adopted {
        let pick = |all: &dyn Fn(usize) -> Option<String>| fitted.columns.iter().filter_map(|at| all(*at)).collect();
        Adopted {
            table: self.target.name.clone(),
            is_global: false,
            columns: pick(&|at| self.target.columns.get(at).map(|column| column.name.clone())),
            kinds: pick(&|at| self.kinds.get(at).cloned()),
        }
    }

    /// Those columns that none of them is for.
    pub(super) fn left_out(&self, fitted: &Fitted) -> Vec<String> {
        let columns = self.target.columns.iter().enumerate();
        columns.filter(|(at, _)| !fitted.columns.contains(at)).map(|(_, column)| column.name.clone()).collect()
    }
}

async fn read(from: &str, global: &[String], connection: &mut PgConnection) -> Result<Vec<Rows>, sqlx::Error> {
    let each = |what: &str| {
        format!(
            "ARRAY(SELECT {what} FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = c.oid \
             AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum)"
        )
    };
    let text = format!(
        "SELECT c.relname::text AS name, {} AS columns, {} AS types, {} AS kinds, {} AS optional FROM {from} ORDER BY c.relname",
        each("a.attname::text"),
        each("format_type(a.atttypid, a.atttypmod)"),
        each("CASE WHEN 'bytea'::regtype IN (y.oid, y.typbasetype) THEN 'bytea' ELSE y.typcategory::text END"),
        each("NOT a.attnotnull OR a.atthasdef OR a.attidentity <> ''"),
    );
    let query = sqlx::query_as(AssertSqlSafe(text));
    let query = if global.is_empty() && !from.contains("$1") { query } else { query.bind(global) };
    let told: Vec<Told> = query.fetch_all(connection).await?;
    Ok(told.into_iter().map(Rows::from).collect())
}

impl From<Told> for Rows {
    fn from(told: Told) -> Self {
        let facts = told.types.into_iter().zip(told.optional);
        let columns = told.columns.into_iter().zip(facts);
        let columns = columns.map(|(name, (kind, is_optional))| Column { name, kind, is_optional });
        Self { target: Target { name: told.name, columns: columns.collect() }, kinds: told.kinds }
    }
}
