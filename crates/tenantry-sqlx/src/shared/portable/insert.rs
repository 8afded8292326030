//! Rows on their way in.

use sqlx::{Arguments, AssertSqlSafe, Database, Sqlite, SqliteConnection, error::ErrorKind, sqlite::SqliteArguments};
use tenantry_core::{RowsPart, RowsSchema};

use super::tables::Rows;
use crate::portable::{Cell, Fitted, PortableError, lines};

/// How the rows of each table of an archive are inserted.
#[derive(Debug)]
pub(super) struct Inserts {
    tables: Vec<Insert>,
}

#[derive(Debug)]
struct Insert {
    rows: Rows,
    /// Where each value goes.
    into: Vec<Option<String>>,
    /// The same without those that have no place.
    columns: Vec<String>,
    /// How many rows one statement inserts.
    many: usize,
    many_text: String,
    one_text: String,
    /// How many lines have come.
    lines: u64,
}

impl Inserts {
    pub(super) fn new(given: &RowsSchema, fitted: &[Fitted], here: &[Rows]) -> Self {
        let each = given.tables.iter().zip(fitted).filter_map(|(given, fitted)| {
            let rows = here.get(fitted.target)?.clone();
            let into = rows.places(given, fitted);
            let columns: Vec<_> = into.iter().flatten().cloned().collect();
            let many = (PARAMETERS_MAX / columns.len().max(1)).clamp(1, ROWS_MAX);
            let (many_text, one_text) = (rows.insert(&columns, many, &[]), rows.insert(&columns, 1, &[]));
            Some(Insert { rows, into, columns, many, many_text, one_text, lines: 0 })
        });
        Self { tables: each.collect() }
    }

    /// Inserts some rows for a tenant.
    pub(super) async fn insert(
        &mut self,
        part: &RowsPart,
        tenant: i64,
        connection: &mut SqliteConnection,
    ) -> Result<(), PortableError> {
        match self.tables.get_mut(part.table) {
            Some(table) => table.insert(&part.lines, tenant, connection).await,
            None => Ok(()),
        }
    }
}

impl Insert {
    async fn insert(
        &mut self,
        text: &[u8],
        tenant: i64,
        connection: &mut SqliteConnection,
    ) -> Result<(), PortableError> {
        let table = self.rows.target.name.clone();
        let mut waiting = Vec::with_capacity(self.many);
        for row in lines(text, self.into.len()) {
            self.lines += 1;
            let row = row.map_err(|why| PortableError::Line { table: table.clone(), line: self.lines, why })?;
            let values = row.into_iter().zip(&self.into).filter(|(_, into)| into.is_some()).map(|(cell, _)| cell);
            waiting.push(values.collect::<Vec<_>>());
            if waiting.len() == self.many {
                self.send(&waiting, tenant, connection).await?;
                waiting.clear();
            }
        }
        self.one_by_one(&waiting, tenant, connection).await
    }

    /// Inserts as many rows as one statement does.
    async fn send(
        &self,
        rows: &[Vec<Cell<'_>>],
        tenant: i64,
        connection: &mut SqliteConnection,
    ) -> Result<(), PortableError> {
        if rows.iter().flatten().all(is_plain) {
            let mut arguments = begin(tenant)?;
            for cell in rows.iter().flatten() {
                add(cell, &mut arguments)?;
            }
            let query = sqlx::query_with(AssertSqlSafe(self.many_text.as_str()), arguments);
            match query.execute(&mut *connection).await {
                Ok(_) => return Ok(()),
                Err(error) if of_row(&error).is_none() => return Err(error.into()),
                // None of them is there; which one is in the way is found by inserting them again.
                Err(_) => {}
            }
        }
        self.one_by_one(rows, tenant, connection).await
    }

    async fn one_by_one(
        &self,
        rows: &[Vec<Cell<'_>>],
        tenant: i64,
        connection: &mut SqliteConnection,
    ) -> Result<(), PortableError> {
        for (row, after) in rows.iter().zip((0..rows.len()).rev()) {
            let line = self.lines.saturating_sub(after as u64);
            let failed = |message: String| PortableError::Row { table: self.rows.target.name.clone(), line, message };
            let mut arguments = begin(tenant)?;
            for cell in row {
                refused(cell).map_err(|why| failed(why.to_owned()))?;
                add(cell, &mut arguments)?;
            }
            let inserted = if row.iter().all(is_plain) {
                sqlx::query_with(AssertSqlSafe(self.one_text.as_str()), arguments).execute(&mut *connection).await
            } else {
                let raw: Vec<_> =
                    row.iter().enumerate().filter(|(_, cell)| matches!(cell, Cell::Raw(_))).map(|(at, _)| at).collect();
                let text = AssertSqlSafe(self.rows.insert(&self.columns, 1, &raw));
                sqlx::query_with(text, arguments).persistent(false).execute(&mut *connection).await
            };
            inserted.map_err(|error| match of_row(&error) {
                Some(message) => failed(message),
                None => error.into(),
            })?;
        }
        Ok(())
    }
}

/// Whether a value can be inserted together with others, without further ado.
fn is_plain(cell: &Cell<'_>) -> bool {
    !matches!(cell, Cell::Raw(_)) && refused(cell).is_ok()
}

/// Why SQLite has no place for a value.
fn refused(cell: &Cell<'_>) -> Result<(), &'static str> {
    match cell {
        Cell::Real(text) if text.parse::<f64>().is_ok_and(f64::is_nan) => {
            Err("SQLite cannot store NaN, and would make it NULL")
        }
        _ => Ok(()),
    }
}

fn begin(tenant: i64) -> Result<SqliteArguments, PortableError> {
    let mut arguments = SqliteArguments::default();
    bind(tenant, &mut arguments)?;
    Ok(arguments)
}

fn add(cell: &Cell<'_>, arguments: &mut SqliteArguments) -> Result<(), PortableError> {
    match cell {
        Cell::Null => bind(None::<i64>, arguments),
        Cell::Bool(value) => bind(i64::from(*value), arguments),
        Cell::Integer(value) => bind(*value, arguments),
        Cell::Real(text) => bind(text.parse::<f64>().unwrap_or_default(), arguments),
        Cell::Text(text) => bind(text.to_string(), arguments),
        Cell::Raw(bytes) | Cell::Blob(bytes) => bind(bytes.clone(), arguments),
    }
}

fn bind<'q, T: sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + 'q>(
    value: T,
    arguments: &mut <Sqlite as Database>::Arguments,
) -> Result<(), PortableError> {
    arguments.add(value).map_err(|error| sqlx::Error::Encode(error).into())
}

/// What is said about a row, if it is the row that is in the way.
fn of_row(error: &sqlx::Error) -> Option<String> {
    let database = error.as_database_error()?;
    // The low byte is the error: <https://sqlite.org/rescode.html>.
    let code = database.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
    let is_of_row = database.kind() != ErrorKind::Other
        || matches!(
            code,
            Some(libsqlite3_sys::SQLITE_MISMATCH | libsqlite3_sys::SQLITE_CONSTRAINT | libsqlite3_sys::SQLITE_TOOBIG)
        );
    is_of_row.then(|| database.message().to_owned())
}

/// SQLite allows some more.
const PARAMETERS_MAX: usize = 4_000;

/// More in one statement are no faster.
const ROWS_MAX: usize = 100;
