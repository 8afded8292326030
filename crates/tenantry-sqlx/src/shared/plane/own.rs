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
use crate::shared::{SqliteOptions, companions};

/// What a file has: the rows of its tables, and the bytes that it takes, with those of what was to become the file and was not
/// finished. There may be none.
pub(super) async fn count(options: &SqliteOptions, file: &Path) -> Result<Amount, RowsError> {
    let mut amount = Amount { items: 0, bytes: unfinished(file).iter().map(|file| bytes(file)).sum() };
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
    amount.bytes += bytes(file);
    Ok(amount)
}

/// Removes a file for good, after what was to become the file and was not finished.
pub(super) fn remove(options: &SqliteOptions, file: &Path) -> Result<(), RowsError> {
    let unfinished = unfinished(file);
    for file in unfinished.iter().map(PathBuf::as_path).chain([file]).flat_map(companions::all_of) {
        companions::remove(&file).map_err(|error| RowsError::File { path: file, error })?;
    }
    let synced = File::open(&options.dedicated).and_then(|folder| folder.sync_all());
    match synced {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(RowsError::File { path: options.dedicated.clone(), error })
        }
        _ => Ok(()),
    }
}

fn unfinished(file: &Path) -> [PathBuf; 2] {
    [companions::adopting(file), companions::importing(file)]
}

fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}
