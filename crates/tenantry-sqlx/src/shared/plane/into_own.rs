//! Rows come into a database of the tenant's own.

use std::{fs, path::Path, sync::Arc};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tenantry_core::{Amount, Listener, Tenant};

use super::{
    compared::Sides,
    error::RowsError,
    moving::{MoveError, Task},
    objects, tenants,
};
use crate::{
    native::{self, Session},
    shared::{
        SqliteOptions,
        adopt::{self, MIGRATIONS, Place, Rows, SOURCE},
    },
};

/// Where they come from.
#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// Another such database.
    Own(&'a Path),
    /// The shared tables: those of this tenant.
    Tenant(&'a Tenant),
}

/// Replaces all that a file has, which is made if there is none. The schema becomes that of the source.
pub(super) async fn copy(
    options: &SqliteOptions,
    from: From<'_>,
    to: &Path,
    listener: &Listener,
) -> Result<Amount, RowsError> {
    let failed = |error| RowsError::File { path: options.dedicated.clone(), error };
    fs::create_dir_all(&options.dedicated).map_err(failed)?;
    let mut connection = options.make(to)?.foreign_keys(false).connect().await?;
    adopt::attach(&mut connection, from.file(options)).await?;
    native::switch_triggers(&mut connection, false).await?;
    // The source is attached to be read only, and so is not locked; it is as of one moment from its first row on.
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await?;
    let (source, place, tenant) = match from {
        From::Own(_) => (objects::own(SOURCE, &mut connection).await?, Place::SOURCE, 0),
        From::Tenant(tenant) => {
            let number = tenants::number(&mut connection, SOURCE, tenant).await?;
            (objects::shared(SOURCE, &mut connection).await?, Place::TenantOf(SOURCE), number)
        }
    };
    if !objects::are_same(&source, &objects::own("main", &mut connection).await?) {
        objects::make(&source, &mut connection).await?;
    }
    migrations(&mut connection).await?;
    let all = objects::rows(&source, &options.global, &options.limits, &mut connection).await?;
    let mut amount = Amount::default();
    for rows in &all {
        let from = if rows.is_global { Place::SOURCE } else { place };
        let copied = replace(rows, from, tenant, &mut connection).await?;
        if !rows.is_global {
            amount += Amount::items(copied);
            listener.done(copied);
        }
    }
    if all.iter().any(|rows| rows.is_counted) {
        counted(from, tenant, &mut connection).await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    connection.close().await?;
    amount.bytes = fs::metadata(to).map_or(0, |metadata| metadata.len());
    Ok(amount)
}

async fn replace(rows: &Rows, from: Place, tenant: i64, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let to = Place::Whole("main");
    sqlx::raw_sql(AssertSqlSafe(rows.delete(to))).execute(&mut *connection).await?;
    let insert = sqlx::query(AssertSqlSafe(rows.transfer(from, to))).bind(tenant);
    Ok(insert.execute(connection).await?.rows_affected())
}

/// Which migrations have run is known to the schema that they made.
async fn migrations(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    if !adopt::has_migrations(SOURCE, connection).await? {
        return Ok(());
    }
    if adopt::has_migrations("main", connection).await? {
        sqlx::raw_sql(AssertSqlSafe(format!("DELETE FROM main.{MIGRATIONS}"))).execute(&mut *connection).await?;
    }
    adopt::copy_migrations(connection).await
}

/// How far AUTOINCREMENT has counted.
async fn counted(from: From<'_>, tenant: i64, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let source = match from {
        From::Own(_) => format!("SELECT name, seq FROM {SOURCE}.sqlite_sequence WHERE ?1 IS NOT NULL"),
        From::Tenant(_) => format!(
            "SELECT t.name, s.seq FROM {SOURCE}._tenantry_sequence s JOIN {SOURCE}._tenantry_tables t \
             ON t.number = s.number WHERE s._tenant = ?1 AND t.auto_increment"
        ),
    };
    sqlx::raw_sql("DELETE FROM main.sqlite_sequence").execute(&mut *connection).await?;
    let text = format!("INSERT INTO main.sqlite_sequence (name, seq) {source}");
    sqlx::query(AssertSqlSafe(text)).bind(tenant).execute(connection).await.map(drop)
}

impl<'a> From<'a> {
    fn file(self, options: &'a SqliteOptions) -> &'a Path {
        match self {
            Self::Own(file) => file,
            Self::Tenant(_) => &options.shared,
        }
    }
}

/// Works on a copy of a tenant's rows in the shared tables, which has to have their schema. Says how many rows were not the
/// same.
pub(super) async fn work(options: &SqliteOptions, from: &Tenant, to: &Path, task: Task) -> Result<u64, MoveError> {
    let connect = options.connect(to).create_if_missing(false).foreign_keys(false);
    let mut connection = connect.connect().await?;
    let session = Arc::new(Session::default());
    native::install(&mut connection, Arc::clone(&session)).await?;
    session.own();
    adopt::attach(&mut connection, &options.shared).await?;
    native::switch_triggers(&mut connection, false).await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await?;
    let source = objects::shared(SOURCE, &mut connection).await?;
    let differences = objects::differences(&source, &objects::own("main", &mut connection).await?);
    if !differences.is_empty() {
        return Err(RowsError::Schema(differences).into());
    }
    let tenant = tenants::number(&mut connection, SOURCE, from).await?;
    let all = objects::rows(&source, &options.global, &options.limits, &mut connection).await?;
    let mut changed = 0;
    for rows in &all {
        let from = if rows.is_global { Place::SOURCE } else { Place::TenantOf(SOURCE) };
        let sides = Sides { from, to: Place::Whole("main"), tenant };
        changed += sides.work(task, rows, &mut connection).await?;
    }
    if task != Task::Prove && all.iter().any(|rows| rows.is_counted) {
        counted(From::Tenant(from), tenant, &mut connection).await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    connection.close().await?;
    Ok(changed)
}
