//! Rows come from a database of a tenant's own into the shared tables.

use std::path::Path;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::{Amount, Listener, Tenant};
use tenantry_sql::TENANT;

use super::{
    compared::Sides,
    error::RowsError,
    moving::{MoveError, Task},
    objects, tenants,
};
use crate::shared::{
    adopt::{self, Place, Rows, SOURCE, Sum},
    keeper::Keeper,
    owner::Taken,
    store,
};

/// Replaces the rows of a tenant by those of a file. Both have to have the same schema.
pub(super) async fn copy(keeper: &Keeper, from: &Path, to: &Tenant, listener: &Listener) -> Result<Amount, RowsError> {
    let (mut owner, tables) = begin(keeper, from).await?;
    let (schema, target) = (keeper.current(), to.id.get());
    adopt::discard(target, schema.schema(), &mut owner).await?;
    let mut amount = Amount::default();
    for rows in &tables {
        let insert = sqlx::query(AssertSqlSafe(rows.transfer(Place::SOURCE, Place::Tenant))).bind(target);
        let copied = insert.execute(&mut *owner).await?.rows_affected();
        amount += Amount::items(copied);
        listener.done(copied);
    }
    end(&tables, target, owner).await?;
    Ok(amount)
}

/// Works on a copy of a file in the shared tables. Says how many rows were not the same.
pub(super) async fn work(keeper: &Keeper, from: &Path, to: &Tenant, task: Task) -> Result<u64, MoveError> {
    let (mut owner, tables) = begin(keeper, from).await?;
    let mut changed = 0;
    for rows in &tables {
        let sides = Sides { from: Place::SOURCE, to: Place::Tenant, tenant: to.id.get() };
        changed += sides.work(task, rows, &mut owner).await?;
    }
    if task != Task::Prove {
        end(&tables, to.id.get(), owner).await?;
    }
    Ok(changed)
}

/// Begins a transaction on the shared database, with the file attached. Says which tables there are that are not all
/// tenants'.
async fn begin<'k>(keeper: &'k Keeper, from: &Path) -> Result<(Taken<'k>, Vec<Rows>), RowsError> {
    let mut owner = keeper.owner().await?;
    adopt::attach(&mut owner, from).await?;
    tenants::begin_on(keeper, &mut owner).await?;
    let source = objects::own(SOURCE, &mut owner).await?;
    let names = adopt::names(&source, &mut owner).await?;
    let shared = store::objects(&mut owner).await?;
    let differences = adopt::differences(&source, &shared, &names, keeper.limits());
    if !differences.is_empty() {
        return Err(RowsError::Schema(differences));
    }
    let mut tables = Vec::new();
    for rows in objects::rows(&source, &keeper.global, keeper.limits(), &mut owner).await? {
        if rows.is_global {
            compare(&rows, &mut owner).await?;
        } else {
            tables.push(rows);
        }
    }
    Ok((owner, tables))
}

/// Notes how far the tenant has counted, and that it has its rows. The connection is closed, and with it the file and what
/// was switched off.
async fn end(tables: &[Rows], tenant: i64, mut owner: Taken<'_>) -> Result<(), sqlx::Error> {
    let text = format!("DELETE FROM main._tenantry_sequence WHERE {TENANT} = ?");
    sqlx::query(AssertSqlSafe(text)).bind(tenant).execute(&mut *owner).await?;
    for rows in tables.iter().filter(|rows| rows.is_counted) {
        counted(rows, tenant, &mut owner).await?;
    }
    store::register(tenant, &mut owner).await?;
    sqlx::raw_sql("COMMIT").execute(&mut *owner).await.map(drop)
}

/// What all tenants read belongs to nobody, and stays as it is. The tenant's rows may refer to it.
async fn compare(rows: &Rows, owner: &mut SqliteConnection) -> Result<(), RowsError> {
    let source = Sum::of(rows, Place::SOURCE, 0, owner).await?;
    if source == Sum::of(rows, Place::GLOBAL, 0, owner).await? {
        return Ok(());
    }
    Err(RowsError::Global(rows.table.clone()))
}

async fn counted(rows: &Rows, tenant: i64, owner: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let text = format!(
        "INSERT INTO main._tenantry_sequence ({TENANT}, number, seq) \
         SELECT ?1, t.number, max(CAST(s.seq AS INTEGER)) FROM main._tenantry_tables t \
         JOIN {SOURCE}.sqlite_sequence s ON s.name = t.name COLLATE NOCASE \
         WHERE t.name = ?2 AND s.seq IS NOT NULL GROUP BY t.number"
    );
    sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(&rows.table).execute(owner).await.map(drop)
}
