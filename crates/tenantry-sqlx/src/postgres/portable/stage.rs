//! Rows on their way in: in tables of the session, as long as they are nobody's. With the session they are gone.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgDatabaseError};
use tenantry_core::{RowsPart, RowsSchema, TenantId};
use tenantry_sql::Quoted;

use super::{
    super::{
        adopt::{
            copy::{self, stage},
            rows::Rows as Fitting,
            sequences::{self, Counted},
            source::Adopted,
        },
        failure,
    },
    tables::Rows,
    text::write_copy,
};
use crate::portable::{PortableError, fit, lines};

/// The rows of all tables.
#[derive(Debug)]
pub(super) struct Stages {
    tables: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    rows: Fitting,
    /// Whether each row begins with a row id, which PostgreSQL has no place for.
    has_hidden_id: bool,
    /// How many have come.
    lines: u64,
}

impl Stages {
    /// Makes the tables, if those that are given fit.
    pub(super) async fn make(
        given: &RowsSchema,
        here: &[Rows],
        connection: &mut PgConnection,
    ) -> Result<Self, PortableError> {
        let targets: Vec<_> = here.iter().map(|rows| rows.target.clone()).collect();
        let fitted = fit(given, &targets)?;
        let mut tables = Vec::new();
        for (at, (given, fitted)) in given.tables.iter().zip(&fitted).enumerate() {
            let Some(rows) = here.get(fitted.target) else { continue };
            let fitting = rows.fitted(fitted);
            copy::make(&stage(at), &fitting, connection).await?;
            // They get their defaults when the rows are a tenant's.
            for column in rows.left_out(fitted) {
                let text = format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", stage(at), Quoted::new(&column));
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
            }
            tables.push(Stage { rows: fitting, has_hidden_id: given.has_hidden_id, lines: 0 });
        }
        Ok(Self { tables })
    }

    /// Takes some rows.
    pub(super) async fn take(&mut self, part: &RowsPart, connection: &mut PgConnection) -> Result<(), PortableError> {
        match self.tables.get_mut(part.table) {
            Some(table) => table.take(&stage(part.table), part, connection).await,
            None => Ok(()),
        }
    }

    /// How many have come.
    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.lines).sum()
    }

    /// Makes them those of the tables, of which `insert` says how: as one statement, at whose end all foreign keys are
    /// checked, so that no order of tables can be wrong. The tenant is $1.
    pub(super) async fn insert(
        &self,
        tenant: TenantId,
        insert: impl Fn(&Fitting, &str) -> String,
        connection: &mut PgConnection,
    ) -> Result<(), PortableError> {
        let inserts = self.tables.iter().enumerate().map(|(at, table)| insert(&table.rows, &stage(at)));
        at_once(tenant, inserts, connection).await.map_err(|error| row_failed(error, tenant))
    }

    /// How far the sequences that belong to columns are at least, as the rows and the archive say.
    pub(super) async fn counted(
        &self,
        given: &RowsSchema,
        connection: &mut PgConnection,
    ) -> Result<(Vec<Counted>, HashMap<String, i64>), sqlx::Error> {
        let adopted = self.tables.iter().map(|table| Adopted {
            rows: table.rows.clone(),
            count: table.lines,
            checksum: String::new(),
            sum: None,
        });
        let highest = sequences::of_columns(&adopted.collect::<Vec<_>>(), &HashMap::new(), connection).await?;
        let tables: HashMap<String, String> = sequences_of_tables(connection).await?.into_iter().collect();
        let mut counters = HashMap::new();
        for counter in &given.counters {
            let by_table = counter.table.as_ref().and_then(|table| tables.get(&table.to_ascii_lowercase()));
            if let Some(name) = counter.sequence.as_ref().or(by_table) {
                counters.insert(name.clone(), counter.last);
            }
        }
        Ok((highest, counters))
    }
}

impl Stage {
    async fn take(&mut self, into: &str, part: &RowsPart, connection: &mut PgConnection) -> Result<(), PortableError> {
        let hidden = usize::from(self.has_hidden_id);
        let first = self.lines;
        let mut text = Vec::with_capacity(part.lines.len());
        for row in lines(&part.lines, self.rows.columns.len() + hidden) {
            self.lines += 1;
            let (table, line) = (|| self.rows.table.clone(), self.lines);
            let row = row.map_err(|why| PortableError::Line { table: table(), line, why })?;
            let values = row.get(hidden..).unwrap_or_default();
            write_copy(values, &self.rows.kinds, &mut text).map_err(|(at, why)| {
                let column = self.rows.columns.get(at).map(String::as_str).unwrap_or_default();
                PortableError::Row { table: table(), line, message: format!("column {column}: {why}") }
            })?;
        }
        let copied = send(into, &self.rows.list(), text, connection).await;
        copied.map_err(|error| self.refused(error, first))
    }

    /// Which line is in the way, as the server says it.
    fn refused(&self, error: sqlx::Error, first: u64) -> PortableError {
        let Some(said) = failure::of_row(&error, None) else { return error.into() };
        let postgres = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        // "COPY _tenantry_stage0, line 5, column i: …"
        let place = postgres.and_then(PgDatabaseError::r#where).unwrap_or_default();
        let mut parts = place.split(", ");
        let line = parts.find_map(|part| part.strip_prefix("line ")).unwrap_or_default();
        let line: u64 =
            line.split(|char: char| !char.is_ascii_digit()).next().and_then(|line| line.parse().ok()).unwrap_or(0);
        let column = parts.next().and_then(|part| part.split(':').next()).filter(|part| part.starts_with("column "));
        let message = column.map_or_else(|| said.message.clone(), |column| format!("{column}: {}", said.message));
        PortableError::Row { table: self.rows.table.clone(), line: first + line, message }
    }
}

async fn send(into: &str, list: &str, text: Vec<u8>, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(&format!("COPY {into} ({list}) FROM STDIN")).await?;
    copy.send(text).await?;
    copy.finish().await.map(drop)
}

/// Runs statements as one. The tenant is $1.
pub(super) async fn at_once(
    tenant: TenantId,
    statements: impl Iterator<Item = String>,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let parts: String = statements.enumerate().map(|(at, text)| format!(", part{at} AS ({text})")).collect();
    let text = AssertSqlSafe(format!("WITH tenant AS (SELECT $1::bigint){parts} SELECT"));
    sqlx::query(text).persistent(false).bind(tenant.get()).execute(connection).await.map(drop)
}

/// What it means that rows cannot be inserted.
pub(super) fn row_failed(error: sqlx::Error, tenant: TenantId) -> PortableError {
    match failure::of_row(&error, Some(tenant)) {
        Some(said) => PortableError::Rows(match said.table {
            Some(table) => format!("{table}: {}", said.message),
            None => said.message,
        }),
        None => error.into(),
    }
}

/// The sequences that belong to a table, by its name in small letters.
async fn sequences_of_tables(connection: &mut PgConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    let text = "SELECT lower(t.relname::text), c.relname::text FROM pg_class c \
                JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') \
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 JOIN pg_class t ON t.oid = d.refobjid \
                WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace";
    sqlx::query_as(text).fetch_all(connection).await
}
