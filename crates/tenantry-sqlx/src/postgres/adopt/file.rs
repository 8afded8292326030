//! How rows come from a SQLite file to the server.
//!
//! A value is written as the server reads it from a text, and the server says whether it is one of the column's type. What
//! could be taken for another value than it is, is refused before.

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Decode, PgConnection, Row, Sqlite, TypeInfo, ValueRef,
    sqlite::{SqliteRow, SqliteValueRef},
};

use tenantry_sql::Quoted;

use super::{
    copy::{CopyError, Told},
    rows::Rows,
};
use crate::{
    adopt::elsewhere::{self, InstanceFile},
    postgres::failure,
};

/// So many rows are sent at once, or so many bytes.
const BATCH_ROWS: usize = 5_000;
const BATCH_BYTES: usize = 4 << 20;

/// Copies a table's rows, and tells after each batch how many have come.
pub(super) async fn copy(
    rows: &Rows,
    file: &mut InstanceFile,
    stage: &str,
    owner: &mut PgConnection,
    told: &mut Told<'_>,
) -> Result<u64, CopyError> {
    let mut copied = 0;
    let mut batch = Batch::default();
    let mut from = file.rows(&rows.table, &rows.columns);
    loop {
        let row = from.try_next().await.map_err(CopyError::Source)?;
        let is_last = row.is_none();
        if let Some(row) = row {
            batch.add(&row, rows)?;
        }
        if is_last || batch.lines.len() >= BATCH_ROWS || batch.bytes.len() >= BATCH_BYTES {
            copied += batch.send(stage, rows, owner).await?;
            if told(copied).is_break() {
                return Err(CopyError::Stopped);
            }
            batch = Batch::default();
        }
        if is_last {
            return Ok(copied);
        }
    }
}

/// Rows as `COPY` reads them, a line each.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// The key of each, and where it ends.
    lines: Vec<(String, usize)>,
}

impl Batch {
    fn add(&mut self, row: &SqliteRow, rows: &Rows) -> Result<(), CopyError> {
        let key = elsewhere::key(row).map_err(CopyError::Source)?;
        for (at, (column, kind)) in rows.columns.iter().zip(&rows.kinds).enumerate() {
            if at > 0 {
                self.bytes.push(b'\t');
            }
            let value = row.try_get_raw(at + 1).map_err(CopyError::Source)?;
            let written = write(value, kind, &mut self.bytes);
            written.map_err(|why| CopyError::Row(format!("column {column} of row {key}: {why}")))?;
        }
        self.bytes.push(b'\n');
        self.lines.push((key, self.bytes.len()));
        Ok(())
    }

    /// Sends them all; or says which value of which row is in the way.
    async fn send(&self, stage: &str, rows: &Rows, owner: &mut PgConnection) -> Result<u64, CopyError> {
        match send(stage, &rows.list(), &self.bytes, owner).await {
            Ok(sent) => Ok(sent),
            Err(error) => match failure::of_row(&error, None) {
                Some(said) => Err(self.locate(stage, rows, owner).await?.unwrap_or(CopyError::Row(said.message))),
                None => Err(CopyError::Target(error)),
            },
        }
    }

    /// Looks for the first row that is in the way, by halves.
    async fn locate(&self, stage: &str, rows: &Rows, owner: &mut PgConnection) -> Result<Option<CopyError>, CopyError> {
        let list = rows.list();
        let (mut good, mut bad) = (0, self.lines.len());
        while bad - good > 1 {
            let half = good.midpoint(bad);
            match send(stage, &list, self.part(good, half), owner).await {
                Ok(_) => good = half,
                Err(error) if failure::of_row(&error, None).is_some() => bad = half,
                Err(error) => return Err(CopyError::Target(error)),
            }
        }
        let Some((key, _)) = self.lines.get(good) else { return Ok(None) };
        let line = self.part(good, good + 1);
        let fields = line.strip_suffix(b"\n").unwrap_or(line).split(|byte| *byte == b'\t');
        make_probe(rows, owner).await.map_err(CopyError::Target)?;
        for (column, field) in rows.columns.iter().zip(fields) {
            let value = [field, b"\n"].concat();
            if let Err(error) = send(PROBE, &Quoted::new(column).to_string(), &value, owner).await
                && let Some(said) = failure::of_row(&error, None)
            {
                return Ok(Some(CopyError::Row(format!("column {column} of row {key}: {}", said.message))));
            }
        }
        let error = send(stage, &list, line, owner).await.err();
        let said = error.and_then(|error| failure::of_row(&error, None));
        Ok(said.map(|said| CopyError::Row(format!("row {key}: {}", said.message))))
    }

    fn part(&self, from: usize, to: usize) -> &[u8] {
        let end = |at: usize| at.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(0, |(_, end)| *end);
        self.bytes.get(end(from)..end(to)).unwrap_or_default()
    }
}

async fn send(into: &str, list: &str, bytes: &[u8], owner: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let mut copy = owner.copy_in_raw(&format!("COPY {into} ({list}) FROM STDIN")).await?;
    copy.send(bytes).await?;
    copy.finish().await
}

/// A table with the same columns, which takes whatever is of their types.
const PROBE: &str = "pg_temp._tenantry_probe";

async fn make_probe(rows: &Rows, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (list, from) = (rows.list(), rows.public());
    let text = format!("CREATE TEMPORARY TABLE {PROBE} AS SELECT {list} FROM {from} WITH NO DATA");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(owner).await.map(drop)
}

/// Writes a value; or says why it would be another one.
fn write(value: SqliteValueRef<'_>, kind: &str, out: &mut Vec<u8>) -> Result<(), String> {
    if value.is_null() {
        out.extend_from_slice(b"\\N");
        return Ok(());
    }
    let class = value.type_info().name().to_owned();
    let number = |text: &str, out: &mut Vec<u8>| match kind {
        "bytea" => Err(format!("the number {text} is no bytes")),
        "D" | "T" => {
            Err(format!("the number {text} is no date or time; write it as a text, 2024-12-31 23:59:59 for example"))
        }
        _ => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
    };
    let unread = |error: sqlx::error::BoxDynError| error.to_string();
    match class.as_str() {
        "INTEGER" => number(&<i64 as Decode<Sqlite>>::decode(value).map_err(unread)?.to_string(), out),
        "REAL" => number(&<f64 as Decode<Sqlite>>::decode(value).map_err(unread)?.to_string(), out),
        _ => {
            let bytes = <&[u8] as Decode<Sqlite>>::decode(value).map_err(unread)?;
            match (kind, class.as_str()) {
                ("bytea", _) => hexadecimal(bytes, out),
                (_, "BLOB") => return Err("it is a blob, and the column is none of bytes".to_owned()),
                _ => escaped(bytes, out),
            }
            Ok(())
        }
    }
}

pub(in crate::postgres) fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\\\x");
    for byte in bytes {
        out.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
}

pub(in crate::postgres) fn escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.push(*byte),
        }
    }
}
