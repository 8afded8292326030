//! Rows on their way out.

use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};
use tenantry_core::{Counter, Placement, RowsSchema, Tenant};
use tenantry_sql::{Quoted, SHARED_SCHEMA, TENANT};
use tokio::sync::oneshot;

use super::{
    super::{
        PostgresOptions,
        adopt::{agreement, session},
        dedicated,
        keeper::Keeper,
        schema::{self, PRISTINE, enter},
    },
    tables::Rows,
    text::{Form, write_line},
};
use crate::portable::{Out, POSTGRESQL, PortableError, fingerprint};

/// Reads the rows of a tenant within one transaction. One that was never used has those of a new one.
pub(super) async fn give(
    options: PostgresOptions,
    tenant: Tenant,
    schema: oneshot::Sender<RowsSchema>,
    out: Out,
) -> Result<(), PortableError> {
    let mut shared = session::connect(&options.owner).await?;
    if tenant.placement == Placement::Dedicated {
        let name = dedicated::name(&options, tenant.id);
        if dedicated::exists(&name, &mut shared).await? {
            let mut own = session::connect(&options.application.clone().database(&name)).await?;
            sqlx::raw_sql(BEGIN).execute(&mut own).await?;
            let tables = Rows::own(&options, &mut own).await?;
            let migrations = agreement::migrations("public", &mut own).await?.unwrap_or_default();
            let counters = own_counters(&mut own).await?;
            read(tables, migrations, counters, None, &mut own, schema, out).await?;
            return Ok(own.close().await?);
        }
    }
    // Makes what a deployment that was never started lacks, and says whether rows are apart.
    Keeper::open(options).await?.admit().map_err(sqlx::Error::from)?;
    sqlx::raw_sql(BEGIN).execute(&mut shared).await?;
    schema::wait_and_keep_schema(&mut shared).await?;
    let is_there = schema::has_tenant(&mut shared, tenant.id.get()).await?;
    let of = if is_there && tenant.placement == Placement::Shared { tenant.id.get() } else { PRISTINE };
    let tables = Rows::shared(&mut shared).await?;
    let migrations = agreement::migrations("tenantry", &mut shared).await?.unwrap_or_default();
    let counted = schema::numbering::counted(&mut shared, of).await?;
    let counters = counted.into_iter().map(|(sequence, table, last)| Counter { sequence: Some(sequence), table, last });
    enter(&mut shared, Some(of)).await?;
    read(tables, migrations, counters.collect(), Some(of), &mut shared, schema, out).await?;
    Ok(shared.close().await?)
}

/// All of it is of the moment of the first look. Rows that a policy hides are an error, and not left out.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

async fn read(
    tables: Vec<Rows>,
    migrations: Vec<String>,
    counters: Vec<Counter>,
    tenant: Option<i64>,
    connection: &mut PgConnection,
    schema: oneshot::Sender<RowsSchema>,
    mut out: Out,
) -> Result<(), PortableError> {
    let shapes: Vec<_> = tables.iter().map(Rows::shape).collect();
    let fingerprint = fingerprint(&shapes, &migrations);
    let told = RowsSchema { database: POSTGRESQL.to_owned(), fingerprint, migrations, tables: shapes, counters };
    schema.send(told).map_err(|_| PortableError::Stopped)?;
    for (number, rows) in tables.iter().enumerate() {
        out.table(number).await?;
        copy(rows, tenant, connection, &mut out).await?;
    }
    out.flush().await
}

async fn copy(
    rows: &Rows,
    tenant: Option<i64>,
    connection: &mut PgConnection,
    out: &mut Out,
) -> Result<(), PortableError> {
    let (list, name) = (rows.list(), Quoted::new(&rows.target.name));
    let from = match tenant {
        Some(tenant) => format!("{}.{name} WHERE {TENANT} = {tenant}", Quoted::new(SHARED_SCHEMA)),
        None => format!("public.{name}"),
    };
    let forms: Vec<_> = rows.target.columns.iter().map(|column| Form::of(&column.kind)).collect();
    let mut copied = connection.copy_out_raw(&format!("COPY (SELECT {list} FROM {from}) TO STDOUT")).await?;
    // What has come of a row whose end has not.
    let mut begun = Vec::new();
    while let Some(chunk) = copied.try_next().await? {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let row = match (piece.strip_suffix(b"\n"), begun.is_empty()) {
                (Some(row), true) => row,
                (end, _) => {
                    begun.extend_from_slice(end.unwrap_or(piece));
                    if end.is_none() {
                        continue;
                    }
                    &begun
                }
            };
            let mut line = out.line();
            write_line(row, &forms, &mut line);
            line.end();
            begun.clear();
            out.written().await?;
        }
    }
    Ok(())
}

async fn own_counters(connection: &mut PgConnection) -> Result<Vec<Counter>, sqlx::Error> {
    let text = "SELECT c.relname::text, t.relname::text, s.last_value FROM pg_sequences s \
                JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = 'public'::regnamespace \
                LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') \
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 \
                LEFT JOIN pg_class t ON t.oid = d.refobjid \
                WHERE s.schemaname = 'public' AND s.last_value IS NOT NULL ORDER BY c.relname";
    let counted: Vec<(String, Option<String>, i64)> = sqlx::query_as(text).fetch_all(connection).await?;
    let counter = |(sequence, table, last)| Counter { sequence: Some(sequence), table, last };
    Ok(counted.into_iter().map(counter).collect())
}
