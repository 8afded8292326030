//! The database of an instance in a file, for an adoption into a database that is none of SQLite's.

use std::path::Path;

use futures_util::stream::BoxStream;
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};
use tenantry_sql::{Limits, Name};

use super::{
    contents::{self, Contents},
    dedicated::memory,
    error::AdoptError,
    source::{Source, SourceError},
    survey::{Surveyed, Verdict, measure},
};
use crate::shared::template::Object;

/// A file that is being read. It must not change meanwhile.
pub(crate) struct InstanceFile {
    source: Source,
    contents: Contents,
    limits: Limits,
    connection: SqliteConnection,
}

/// A table of the file.
#[derive(Clone, Debug)]
pub(crate) struct FileTable {
    pub(crate) name: String,
    /// All of its columns; none if it is no ordinary table.
    pub(crate) columns: Vec<FileColumn>,
}

/// A column of such a table.
#[derive(Clone, Debug)]
pub(crate) struct FileColumn {
    pub(crate) name: String,
    /// Whether it is computed from others.
    pub(crate) is_computed: bool,
}

impl InstanceFile {
    /// Opens the file, and looks through all of it.
    pub(crate) async fn open(path: &Path, limits: &Limits) -> Result<Self, AdoptError> {
        let source = Source::find(path)?;
        let mut connection = memory().await?;
        source.attach(&mut connection).await?;
        let contents = Contents::read(&source, &[], limits, &mut connection).await?;
        Ok(Self { source, contents, limits: *limits, connection })
    }

    /// Changes with anything that is adopted.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.contents.fingerprint
    }

    /// Its tables.
    pub(crate) fn tables(&self) -> Vec<FileTable> {
        let tables = self.contents.objects.iter().filter(|object| object.kind == "table");
        let tables = tables.map(|object| {
            let table = contents::table(object, &self.limits);
            let columns = table
                .iter()
                .flat_map(|table| &table.columns)
                .map(|column| FileColumn { name: column.name.as_str().to_owned(), is_computed: column.generated });
            FileTable { name: object.name.clone(), columns: columns.collect() }
        });
        tables.collect()
    }

    /// How large the file is.
    pub(crate) const fn bytes(&self) -> u64 {
        self.source.bytes
    }

    /// What becomes of its objects. Definitions are the other database's business.
    pub(crate) async fn survey(&mut self) -> Vec<Surveyed> {
        let mut surveyed = Vec::new();
        for Object { kind, name, .. } in &self.contents.objects {
            let is_table = kind == "table";
            let (rows, bytes) = if is_table { measure(name, &mut self.connection).await } else { (None, None) };
            let (verdict, note) = match kind.as_str() {
                "table" => (Verdict::AsIs, None),
                "trigger" => (Verdict::Decide, Some("stays behind: let the application do what it does")),
                _ => (Verdict::AsIs, Some("what the shared database has of it stays as it is")),
            };
            let notes = note.map(str::to_owned).into_iter().collect();
            surveyed.push(Surveyed { kind: kind.clone(), name: name.clone(), rows, bytes, verdict, notes });
        }
        surveyed
    }

    /// How many rows a table has, and their checksum.
    pub(crate) fn sum(&self, table: &str) -> Option<(u64, String)> {
        let (_, sum) = self.contents.tables.iter().find(|(rows, _)| Name::from(rows.table.as_str()).is(table))?;
        Some((sum.rows.unsigned_abs(), sum.to_string()))
    }

    /// The rows of a table in order, each with its key as a text in front, and these columns.
    pub(crate) fn rows(&mut self, table: &str, columns: &[String]) -> BoxStream<'_, Result<SqliteRow, sqlx::Error>> {
        let found = self.contents.tables.iter().find(|(rows, _)| Name::from(rows.table.as_str()).is(table));
        match found {
            Some((rows, _)) => sqlx::query(AssertSqlSafe(rows.in_order(columns))).fetch(&mut self.connection),
            None => Box::pin(futures_util::stream::empty()),
        }
    }

    /// How far the AUTOINCREMENT tables have counted.
    pub(crate) async fn counted(&mut self) -> Result<Vec<(String, i64)>, AdoptError> {
        let counted = contents::counted(&self.contents.tables, &mut self.connection).await;
        let counted = counted.map_err(|error| self.failed(error))?;
        Ok(counted.into_iter().filter_map(|(table, seq)| Some((table, seq?))).collect())
    }

    /// Refuses a file that has changed since it was opened.
    pub(crate) async fn is_as_read(&mut self) -> Result<(), AdoptError> {
        let now = Contents::read(&self.source, &[], &self.limits, &mut self.connection).await?;
        if now.fingerprint == self.contents.fingerprint && self.source.is_as_found() {
            return Ok(());
        }
        Err(AdoptError::Changed(self.source.path.clone()))
    }

    /// What an error of SQLite says about the file.
    pub(crate) fn failed(&self, error: sqlx::Error) -> SourceError {
        self.source.failed(error)
    }
}

/// The key of a row.
pub(crate) fn key(row: &SqliteRow) -> Result<String, sqlx::Error> {
    row.try_get(0)
}
