//! What is taken in becomes that of a tenant with shared tables.
//!
//! The tenant is marked as one whose rows are incomplete, as one is that is adopted; with the mark it gets no connection.
//! Rows come in a transaction for each piece, so that other tenants can write in between, and the mark goes in one with the
//! numbering. A migration removes what is marked, and who goes on then is told so.

use std::{sync::Arc, time::Instant};

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::{RowsPart, RowsSchema, Tenant};
use tenantry_sql::{ForeignKey, Name, Relation, SchemaMap, TENANT, Table};

use super::{
    super::{
        SqliteOptions,
        adopt::record::{self, Record},
        keeper::Keeper,
        provision::tenants_tables,
        store,
    },
    insert::Inserts,
    tables::Rows,
};
use crate::{
    native,
    portable::{PortableError, Takes, fit},
};

/// Rows that are being taken in.
#[derive(Debug)]
pub(super) struct TakingShared {
    tenant: Tenant,
    schema: RowsSchema,
    inserts: Inserts,
    keeper: Arc<Keeper>,
    /// Tells this call from others for the same tenant.
    run: i64,
    rows: u64,
}

impl TakingShared {
    /// Marks the tenant, and removes what an earlier call has taken in.
    pub(super) async fn begin(
        options: &SqliteOptions,
        tenant: &Tenant,
        schema: &RowsSchema,
    ) -> Result<Self, PortableError> {
        let keeper = options.keeper().await?;
        let mut owner = keeper.owner().await?;
        // What refers to what is checked at the end, and triggers have run where the rows come from.
        sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut *owner).await?;
        native::switch_triggers(&mut owner, false).await?;
        let run = sqlx::query_scalar("SELECT random()").fetch_one(&mut *owner).await?;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *owner).await?;
        keeper.reload_with(&mut owner).await?;
        let here = Rows::shared(&keeper, &mut owner).await?;
        if here.is_empty() {
            return Err(PortableError::Unmigrated);
        }
        let targets: Vec<_> = here.iter().map(|rows| rows.target.clone()).collect();
        let fitted = fit(schema, &targets)?;
        let id = tenant.id.get();
        let is_used = record::of(id, &mut owner).await?.is_some_and(|record| record.finished);
        if is_used || store::has_tenant(id, &mut owner).await? {
            return Err(PortableError::Used);
        }
        record::discard(id, keeper.current().schema(), &mut owner).await?;
        let record = Record {
            source: "an archive".to_owned(),
            fingerprint: schema.fingerprint.clone(),
            schema: store::version(&mut owner).await?,
            run,
            finished: false,
        };
        record::write(id, &record, &mut owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
        owner.put_back();
        let inserts = Inserts::new(schema, &fitted, &here);
        Ok(Self { tenant: tenant.clone(), schema: schema.clone(), inserts, keeper, run, rows: 0 })
    }
}

impl Takes for TakingShared {
    async fn take(&mut self, part: &RowsPart) -> Result<(), PortableError> {
        let begun = Instant::now();
        let id = self.tenant.id.get();
        let mut owner = self.keeper.owner().await?;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *owner).await?;
        self.run_on(&mut owner).await?;
        self.inserts.insert(part, id, &mut owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
        owner.put_back();
        self.rows += part.rows;
        // Other tenants wait for the lock in short sleeps, and have to find it free.
        tokio::time::sleep(begun.elapsed() / PAUSE).await;
        Ok(())
    }

    async fn finish(self) -> Result<u64, PortableError> {
        let id = self.tenant.id.get();
        let mut owner = self.keeper.owner().await?;
        // Nobody else writes rows of this tenant, so that others need not wait for this.
        check_references(id, self.keeper.current().schema(), &mut owner).await?;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *owner).await?;
        self.run_on(&mut owner).await?;
        for counter in &self.schema.counters {
            let text = "INSERT INTO main._tenantry_sequence (_tenant, number, seq) \
                        SELECT ?1, number, ?3 FROM main._tenantry_tables WHERE name = ?2 COLLATE NOCASE AND auto_increment \
                        ON CONFLICT (_tenant, number) DO UPDATE SET seq = max(seq, excluded.seq)";
            sqlx::query(text).bind(id).bind(&counter.table).bind(counter.last).execute(&mut *owner).await?;
        }
        sqlx::query("INSERT INTO main._tenantry_tenants (id) VALUES (?)").bind(id).execute(&mut *owner).await?;
        sqlx::query("DELETE FROM main._tenantry_adoptions WHERE tenant = ?").bind(id).execute(&mut *owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
        Ok(self.rows)
    }
}

impl TakingShared {
    /// Refuses to go on when another call does, or when the schema has changed.
    async fn run_on(&self, owner: &mut SqliteConnection) -> Result<(), PortableError> {
        let text = "SELECT EXISTS (SELECT 1 FROM main._tenantry_adoptions a, main._tenantry_meta m \
                    WHERE a.tenant = ? AND a.run = ? AND a.schema = m.version AND NOT a.finished)";
        let is_mine = sqlx::query_scalar(text).bind(self.tenant.id.get()).bind(self.run);
        if is_mine.fetch_one(owner).await? { Ok(()) } else { Err(PortableError::Interrupted) }
    }
}

/// Makes sure that each row that a tenant's rows refer to is there.
async fn check_references(tenant: i64, schema: &SchemaMap, owner: &mut SqliteConnection) -> Result<(), PortableError> {
    for table in tenants_tables(schema) {
        for key in &table.foreign_keys {
            let Some(text) = dangling(table, key, schema) else { continue };
            if sqlx::query_scalar(AssertSqlSafe(text)).bind(tenant).fetch_one(&mut *owner).await? {
                return Err(PortableError::Reference { table: table.name.to_string(), parent: key.parent.to_string() });
            }
        }
    }
    Ok(())
}

/// Whether a row of the tenant ?1 refers to one that is not there.
fn dangling(table: &Table, key: &ForeignKey, schema: &SchemaMap) -> Option<String> {
    let (parent, of_tenant) = match schema.relation(&key.parent)? {
        Relation::Tenant(parent) => (parent, format!("p.{TENANT} = ?1 AND ")),
        Relation::Global(parent) => (parent, String::new()),
        Relation::View(_) => return None,
    };
    let parents: Vec<&Name> = match key.parent_columns.is_empty() {
        true => parent.primary_key.iter().collect(),
        false => key.parent_columns.iter().collect(),
    };
    let pairs = || key.columns.iter().zip(&parents);
    let set: String = pairs().map(|(column, _)| format!(" AND c.{} IS NOT NULL", column.quoted())).collect();
    // The parent first: its collation is what counts.
    let same: Vec<_> = pairs().map(|(child, parent)| format!("p.{} = c.{}", parent.quoted(), child.quoted())).collect();
    Some(format!(
        "SELECT EXISTS (SELECT 1 FROM main.{} c WHERE c.{TENANT} = ?1{set} AND NOT EXISTS \
         (SELECT 1 FROM main.{} p WHERE {of_tenant}{}))",
        table.name.quoted(),
        parent.name.quoted(),
        same.join(" AND ")
    ))
}

/// After a piece, so much of its time is left to others: a fourth.
const PAUSE: u32 = 4;
