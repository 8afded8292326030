//! Rows on their way out.

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Decode, Row, Sqlite, SqliteConnection, TypeInfo, ValueRef,
    sqlite::{SqliteConnectOptions, SqliteRow, SqliteValueRef},
};
use tenantry_core::{Counter, Placement, RowsSchema, Tenant};
use tokio::sync::oneshot;

use super::{
    super::{SqliteOptions, adopt, plane::moving::is_moved, provision::PRISTINE, store},
    tables::{self, Rows},
};
use crate::portable::{Line, Out, PortableError, SQLITE, fingerprint};

/// Reads the rows of a tenant within one transaction. One that was never used has those of a new one.
pub(super) async fn give(
    options: SqliteOptions,
    tenant: Tenant,
    schema: oneshot::Sender<RowsSchema>,
    out: Out,
) -> Result<(), PortableError> {
    let file = options.dedicated_file(tenant.id);
    if tenant.placement == Placement::Dedicated && file.exists() {
        let connect = SqliteConnectOptions::new().filename(&file).read_only(true).busy_timeout(options.busy_timeout);
        let mut connection = connect.connect().await?;
        sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
        let rows = Rows::own(&options.global, &options.limits, &mut connection).await?;
        let counters = own_counters(&mut connection).await?;
        read(rows, counters, PRISTINE, &mut connection, schema, out).await?;
        return Ok(connection.close().await?);
    }
    if !options.shared.exists() {
        return Err(PortableError::Unmigrated);
    }
    let keeper = options.keeper().await?;
    let mut owner = keeper.owner().await?;
    sqlx::raw_sql("BEGIN").execute(&mut *owner).await?;
    keeper.reload_with(&mut owner).await?;
    if adopt::is_unfinished(tenant.id.get(), &mut owner).await? {
        return Err(PortableError::Incomplete);
    }
    let id = tenant.id.get();
    // What is marked as moved is still there, and is its own.
    let is_there = tenant.placement == Placement::Shared
        && (store::has_tenant(id, &mut owner).await? || is_moved("main", id, &mut owner).await?);
    let of = if is_there { tenant.id.get() } else { PRISTINE };
    let rows = Rows::shared(&keeper, &mut owner).await?;
    let counters = shared_counters(of, &mut owner).await?;
    read(rows, counters, of, &mut owner, schema, out).await?;
    sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
    owner.put_back();
    Ok(())
}

async fn read(
    tables: Vec<Rows>,
    counters: Vec<Counter>,
    tenant: i64,
    connection: &mut SqliteConnection,
    schema: oneshot::Sender<RowsSchema>,
    mut out: Out,
) -> Result<(), PortableError> {
    let shapes: Vec<_> = tables.iter().map(Rows::shape).collect();
    let migrations = tables::migrations(connection).await?;
    let fingerprint = fingerprint(&shapes, &migrations);
    let told = RowsSchema { database: SQLITE.to_owned(), fingerprint, migrations, tables: shapes, counters };
    schema.send(told).map_err(|_| PortableError::Stopped)?;
    for (number, rows) in tables.iter().enumerate() {
        out.table(number).await?;
        let query = sqlx::query(AssertSqlSafe(rows.select())).bind(tenant);
        let mut read = query.fetch(&mut *connection);
        while let Some(row) = read.try_next().await? {
            let mut line = out.line();
            write(&row, &mut line)?;
            line.end();
            out.written().await?;
        }
    }
    out.flush().await
}

fn write(row: &SqliteRow, line: &mut Line<'_>) -> Result<(), sqlx::Error> {
    for at in 0..row.len() {
        let value = row.try_get_raw(at)?;
        if value.is_null() {
            line.null();
        } else {
            write_value(value, line).map_err(sqlx::Error::Decode)?;
        }
    }
    Ok(())
}

fn write_value(value: SqliteValueRef<'_>, line: &mut Line<'_>) -> Result<(), sqlx::error::BoxDynError> {
    let kind = value.type_info();
    match kind.name() {
        "INTEGER" => line.integer(<i64 as Decode<Sqlite>>::decode(value)?),
        "REAL" => line.real(<f64 as Decode<Sqlite>>::decode(value)?),
        "BLOB" => line.blob(<&[u8] as Decode<Sqlite>>::decode(value)?),
        _ => line.text(<&[u8] as Decode<Sqlite>>::decode(value)?),
    }
    Ok(())
}

async fn shared_counters(tenant: i64, owner: &mut SqliteConnection) -> Result<Vec<Counter>, sqlx::Error> {
    let text = "SELECT t.name, s.seq FROM main._tenantry_sequence s JOIN main._tenantry_tables t ON t.number = s.number \
                WHERE s._tenant = ? AND t.auto_increment ORDER BY t.name";
    let counted: Vec<(String, i64)> = sqlx::query_as(text).bind(tenant).fetch_all(owner).await?;
    Ok(counters(counted))
}

async fn own_counters(connection: &mut SqliteConnection) -> Result<Vec<Counter>, sqlx::Error> {
    let there = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence')";
    if !sqlx::query_scalar(there).fetch_one(&mut *connection).await? {
        return Ok(Vec::new());
    }
    let text = "SELECT name, max(CAST(seq AS INTEGER)) FROM main.sqlite_sequence WHERE seq IS NOT NULL GROUP BY name ORDER BY name";
    let counted: Vec<(String, i64)> = sqlx::query_as(text).fetch_all(connection).await?;
    Ok(counters(counted))
}

fn counters(counted: Vec<(String, i64)>) -> Vec<Counter> {
    counted.into_iter().map(|(table, last)| Counter { sequence: None, table: Some(table), last }).collect()
}
