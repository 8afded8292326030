//! Rows of tenants on PostgreSQL that are given out and taken in elsewhere.
//!
//! | module | what it has |
//! |---|---|
//! | `tables` | the tables, as rows of them are read and written |
//! | `text` | values between lines and what `COPY` reads and writes |
//! | `give` | rows on their way out |
//! | `stage` | rows on their way in, as long as they are nobody's |
//! | `shared` | what is taken in becomes that of a tenant with shared tables |
//! | `dedicated` | what is taken in becomes a tenant's own database |

mod dedicated;
mod give;
mod shared;
mod stage;
mod tables;
mod text;

use std::fmt;

use sqlx::{Connection, migrate::Migrator};
use tenantry_core::{BoxFuture, GivesRows, Placement, PlaneError, PortableRows, RowsSchema, TakesRows, Tenant};

use self::{dedicated::TakingOwn, shared::TakingShared, tables::Rows};
use super::{PostgresOptions, adopt::session};
use crate::{
    migrations,
    portable::{Giving, PortableError, fit, for_tenant},
};

/// The rows of tenants on PostgreSQL, to be given out and taken in.
///
/// Who gives out keeps migrations waiting, and nobody else. What is taken in is the session's own until it is finished, and
/// becomes the tenant's in one transaction. A database of a tenant's own has another name until then, and is made by the
/// application's migrations: without [`PgPortable::with_migrations`] it cannot be.
pub struct PgPortable {
    options: PostgresOptions,
    migrator: Option<Migrator>,
}

impl PgPortable {
    /// Those of the tenants of these databases.
    pub fn new(options: PostgresOptions) -> Self {
        Self { options, migrator: None }
    }

    /// With what databases of tenants' own are made.
    #[must_use]
    pub fn with_migrations(self, migrator: &Migrator) -> Self {
        Self { migrator: Some(migrations::copy(migrator)), ..self }
    }

    /// Where the migrations are known that make a database of a tenant's own, it is the same question for both.
    async fn check(&self, tenant: &Tenant, schema: &RowsSchema) -> Result<(), PortableError> {
        if tenant.placement == Placement::Dedicated && self.migrator.is_none() {
            return Err(PortableError::MigrationsUnknown);
        }
        let mut owner = session::connect(&self.options.owner).await?;
        let there = "SELECT to_regclass('tenantry.tables') IS NOT NULL";
        let there: bool = sqlx::query_scalar(there).fetch_one(&mut owner).await?;
        let here = if there { Rows::shared(&mut owner).await? } else { Vec::new() };
        owner.close().await?;
        if here.is_empty() {
            return Err(PortableError::Unmigrated);
        }
        let targets: Vec<_> = here.into_iter().map(|rows| rows.target).collect();
        fit(schema, &targets).map(drop)
    }

    async fn begin(&self, tenant: &Tenant, schema: &RowsSchema) -> Result<Box<dyn TakesRows>, PortableError> {
        Ok(match tenant.placement {
            Placement::Dedicated => {
                let migrator = self.migrator.as_ref().ok_or(PortableError::MigrationsUnknown)?;
                for_tenant(tenant, TakingOwn::begin(&self.options, migrator, tenant, schema).await?)
            }
            _ => for_tenant(tenant, TakingShared::begin(&self.options, tenant, schema).await?),
        })
    }
}

impl PortableRows for PgPortable {
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesRows>, PlaneError>> {
        Box::pin(async move {
            let (options, of) = (self.options.clone(), tenant.clone());
            Giving::begin(tenant, |schema, out| give::give(options, of, schema, out)).await
        })
    }

    fn fits<'a>(&'a self, tenant: &'a Tenant, schema: &'a RowsSchema) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { self.check(tenant, schema).await.map_err(|error| error.of(tenant)) })
    }

    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        schema: &'a RowsSchema,
    ) -> BoxFuture<'a, Result<Box<dyn TakesRows>, PlaneError>> {
        Box::pin(async move { self.begin(tenant, schema).await.map_err(|error| error.of(tenant)) })
    }
}

impl fmt::Debug for PgPortable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgPortable").field("options", &self.options).finish_non_exhaustive()
    }
}
