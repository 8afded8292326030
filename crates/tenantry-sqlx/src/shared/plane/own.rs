//! A database of the tenant's own: a file, with the two that SQLite keeps beside it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tenantry_core::Amount;
use tenantry_sql::{Name, Quoted};

use super::{error::RowsError, objects};
use crate::shared::SqliteOptions;

/// What a file has: the rows of its tables, and the bytes that it takes. There may be none.
pub(super) async fn count(options: &SqliteOptions, file: &Path) -> Result<Amount, RowsError> {
    let mut amount = Amount::default();
    if !file.exists() {
        return Ok(amount);
    }
    let mut connection = options.connect(file).create_if_missing(false).connect().await?;
    sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
    for object in objects::own("main", &mut connection).await? {
        if object.kind != "table" || options.global.contains(&Name::from(object.name.as_str())) {
            continue;
        }
        let text = format!("SELECT count(*) FROM main.{}", Quoted::new(&object.name));
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut connection).await?;
        amount += Amount::items(rows.unsigned_abs());
    }
    connection.close().await?;
    amount.bytes = fs::metadata(file).map_or(0, |metadata| metadata.len());
    Ok(amount)
}

/// Removes a file for good. The log goes first: what is left when that is all that was done is a database.
pub(super) fn remove(options: &SqliteOptions, file: &Path) -> Result<(), RowsError> {
    for file in [beside(file, "-wal"), beside(file, "-shm"), file.with_extension("db.adopting"), file.to_owned()] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(RowsError::File { path: file, error });
            }
            _ => {}
        }
    }
    let synced = File::open(&options.dedicated).and_then(|folder| folder.sync_all());
    match synced {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(RowsError::File { path: options.dedicated.clone(), error })
        }
        _ => Ok(()),
    }
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
