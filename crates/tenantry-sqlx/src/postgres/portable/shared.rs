//! What is taken in becomes that of a tenant with shared tables: in one transaction.

use sqlx::{Connection, PgConnection};
use tenantry_core::{RowsPart, RowsSchema, Tenant};

use super::{
    super::{
        PostgresOptions,
        adopt::{
            sequences::{self, Counted},
            session,
        },
        keeper::Keeper,
        schema::{self, enter},
    },
    stage::{Stages, row_failed},
    tables::Rows,
};
use crate::portable::{PortableError, Takes};

/// Rows that are being taken in.
#[derive(Debug)]
pub(super) struct TakingShared {
    tenant: Tenant,
    schema: RowsSchema,
    owner: PgConnection,
    stages: Stages,
    /// The version of the shared schema that the rows were looked at for.
    version: u64,
}

impl TakingShared {
    /// Makes the tables that have the rows until they are the tenant's.
    pub(super) async fn begin(
        options: &PostgresOptions,
        tenant: &Tenant,
        schema: &RowsSchema,
    ) -> Result<Self, PortableError> {
        Keeper::open(options.clone()).await?.admit().map_err(sqlx::Error::from)?;
        let mut owner = session::connect(&options.owner).await?;
        sqlx::raw_sql("BEGIN").execute(&mut owner).await?;
        schema::wait_and_keep_schema(&mut owner).await?;
        if schema::has_tenant(&mut owner, tenant.id.get()).await? {
            return Err(PortableError::Used);
        }
        let here = Rows::shared(&mut owner).await?;
        if here.is_empty() {
            return Err(PortableError::Unmigrated);
        }
        let version = schema::version(&mut owner).await?;
        let stages = Stages::make(schema, &here, &mut owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut owner).await?;
        Ok(Self { tenant: tenant.clone(), schema: schema.clone(), owner, stages, version })
    }
}

impl Takes for TakingShared {
    async fn take(&mut self, part: &RowsPart) -> Result<(), PortableError> {
        self.stages.take(part, &mut self.owner).await
    }

    async fn finish(mut self) -> Result<u64, PortableError> {
        let owner = &mut self.owner;
        let id = self.tenant.id;
        sqlx::raw_sql("BEGIN").execute(&mut *owner).await?;
        schema::wait_and_keep_schema(owner).await?;
        if schema::version(owner).await? != self.version {
            return Err(PortableError::Interrupted);
        }
        // Whoever gives it its first rows waits here, or is waited for.
        let text = "INSERT INTO tenantry.tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING";
        if sqlx::query(text).bind(id.get()).execute(&mut *owner).await?.rows_affected() == 0 {
            return Err(PortableError::Used);
        }
        schema::numbering::provision(owner, id.get()).await?;
        enter(owner, Some(id.get())).await?;
        self.stages.insert(id, |rows, stage| rows.insert(stage), owner).await?;
        let (highest, counters) = self.stages.counted(&self.schema, owner).await?;
        let given = counters.iter().map(|(name, last)| (name.as_str(), *last)).collect();
        let own = schema::numbering::raise(owner, id.get(), &given).await.map_err(|error| row_failed(error, id))?;
        let shared: Vec<_> = highest.into_iter().filter(|counted| !own.contains(&counted.name)).collect();
        leaves_enough(&shared, owner).await?;
        sequences::raise(shared.iter(), owner).await?;
        let committed = sqlx::raw_sql("COMMIT").execute(&mut *owner).await;
        committed.map_err(|error| row_failed(error, id))?;
        let rows = self.stages.rows();
        // What was to be done is done.
        self.owner.close().await.ok();
        Ok(rows)
    }
}

/// Refuses ids after which a sequence that all tenants share would have less than half of its numbers left: an archive must
/// not be able to use them up for others.
async fn leaves_enough(shared: &[Counted], owner: &mut PgConnection) -> Result<(), PortableError> {
    for Counted { name, last, .. } in shared {
        let text = "SELECT seqmax FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid \
                    WHERE c.relname = $1 AND c.relnamespace = 'tenantry_shared'::regnamespace AND seqincrement > 0";
        let most: Option<i64> = sqlx::query_scalar(text).bind(name).fetch_optional(&mut *owner).await?;
        match (last, most) {
            (Some(last), Some(most)) if *last > most / 2 => {
                return Err(PortableError::Ids { sequence: name.clone(), last: *last });
            }
            _ => {}
        }
    }
    Ok(())
}
