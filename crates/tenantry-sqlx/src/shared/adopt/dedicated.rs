//! The adoption of a source by a tenant with a database of its own: a copy of the file, checked.

use std::{fs, io, sync::Arc};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tenantry_core::Tenant;
use tenantry_sql::Limits;

use super::{
    AdoptedTable, Adoption,
    contents::Contents,
    error::AdoptError,
    is_not_served,
    source::{SOURCE, Source, encoded},
};
use crate::{
    SqliteOptions,
    native::{self, Session},
    owner_only,
    shared::companions,
};

/// Copies the source to where the tenant's own database is expected. Until all of it is there and compared, it has
/// another name.
pub(super) async fn adopt(options: &SqliteOptions, tenant: &Tenant, source: &Source) -> Result<Adoption, AdoptError> {
    let file = options.dedicated_file(tenant.id);
    let partial = companions::adopting(&file);
    let failed = |error: io::Error| AdoptError::File { path: file.clone(), error };
    let (mut connection, contents) = read(source, &options.limits).await?;
    if file.exists() {
        connection.close().await?;
        let there = Source::find(&file)?;
        let (_, there) = read(&there, &options.limits).await?;
        if there.fingerprint == contents.fingerprint {
            return Ok(report(&contents, true));
        }
        return Err(AdoptError::Exists { tenant: tenant.slug.clone(), path: file });
    }
    is_not_served(tenant)?;
    fs::create_dir_all(&options.dedicated).map_err(failed)?;
    companions::remove(&partial).map_err(failed)?;
    owner_only::create(&partial).map_err(failed)?;
    // Row ids stay, also those that no column shows; which the comparison holds it to.
    let copy = AssertSqlSafe(format!("VACUUM {SOURCE} INTO ?"));
    // Said as a URI, since otherwise it would be in memory as well.
    let to = format!("file:{}?mode=rwc", encoded(&partial));
    sqlx::query(copy).bind(to).execute(&mut connection).await?;
    connection.close().await?;
    let (_, copied) = read(&Source::find(&partial)?, &options.limits).await?;
    compare(tenant, source, &contents, &copied)?;
    fs::File::open(&partial).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&partial, &file).map_err(failed)?;
    fs::File::open(&options.dedicated).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(report(&contents, false))
}

/// A connection that has a source attached, and what is in it.
async fn read(source: &Source, limits: &Limits) -> Result<(SqliteConnection, Contents), AdoptError> {
    let mut connection = memory().await?;
    source.attach(&mut connection).await?;
    let contents = Contents::read(source, &[], limits, &mut connection).await?;
    Ok((connection, contents))
}

/// A database in memory that has nothing in it.
pub(super) async fn memory() -> Result<SqliteConnection, sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().in_memory(true).foreign_keys(false).connect().await?;
    let session = Arc::new(Session::default());
    native::install(&mut connection, Arc::clone(&session)).await?;
    session.own();
    Ok(connection)
}

fn compare(tenant: &Tenant, source: &Source, from: &Contents, to: &Contents) -> Result<(), AdoptError> {
    if !source.is_as_found() {
        return Err(AdoptError::Changed(source.path.clone()));
    }
    let differs = from.tables.iter().find(|(rows, sum)| {
        !to.tables.iter().any(|(copied, of_copied)| copied.table == rows.table && of_copied == sum)
    });
    match differs {
        Some((rows, _)) => Err(AdoptError::Mismatch {
            tenant: tenant.slug.clone(),
            table: rows.table.clone(),
            keys: vec!["the checksums of all rows".to_owned()],
        }),
        None if from.fingerprint != to.fingerprint => Err(AdoptError::Changed(source.path.clone())),
        None => Ok(()),
    }
}

fn report(contents: &Contents, already: bool) -> Adoption {
    let tables = contents.tables.iter().map(|(rows, sum)| AdoptedTable {
        name: rows.table.clone(),
        rows: sum.rows.unsigned_abs(),
        checksum: sum.to_string(),
        is_global: false,
    });
    Adoption { tables: tables.collect(), already, resumed: false, took_schema: false }
}
