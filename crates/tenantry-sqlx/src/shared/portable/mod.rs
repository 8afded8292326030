//! Rows of tenants on SQLite that are given out and taken in elsewhere.
//!
//! | module | what it has |
//! |---|---|
//! | `tables` | the tables, as rows of them are read and written |
//! | `give` | rows on their way out |
//! | `insert` | rows on their way in |
//! | `shared` | what is taken in becomes that of a tenant with shared tables |
//! | `dedicated` | what is taken in becomes a tenant's own database |

mod dedicated;
mod give;
mod insert;
mod shared;
mod tables;

use tenantry_core::{BoxFuture, GivesRows, Placement, PlaneError, PortableRows, RowsSchema, TakesRows, Tenant};

use self::{dedicated::TakingOwn, shared::TakingShared, tables::Rows};
use super::SqliteOptions;
use crate::portable::{Giving, PortableError, fit, for_tenant};

/// The rows of tenants on SQLite, to be given out and taken in.
///
/// Who gives out holds no lock. What is taken in for shared tables comes in pieces, between which others write; until it is
/// finished the tenant gets no connection. A database of a tenant's own is made beside its place, from the schema of the
/// shared one, and moved there when it is whole.
#[derive(Clone, Debug)]
pub struct SqlitePortable {
    options: SqliteOptions,
}

impl SqlitePortable {
    /// Those of the tenants of these databases.
    pub fn new(options: SqliteOptions) -> Self {
        Self { options }
    }

    /// A database of a tenant's own is made from the shared one, so it is the same question for both.
    async fn check(&self, schema: &RowsSchema) -> Result<(), PortableError> {
        if !self.options.shared.exists() {
            return Err(PortableError::Unmigrated);
        }
        let keeper = self.options.keeper().await?;
        let mut owner = keeper.owner().await?;
        let here = Rows::shared(&keeper, &mut owner).await?;
        owner.put_back();
        if here.is_empty() {
            return Err(PortableError::Unmigrated);
        }
        let targets: Vec<_> = here.into_iter().map(|rows| rows.target).collect();
        fit(schema, &targets).map(drop)
    }

    async fn begin(&self, tenant: &Tenant, schema: &RowsSchema) -> Result<Box<dyn TakesRows>, PortableError> {
        Ok(match tenant.placement {
            Placement::Dedicated => for_tenant(tenant, TakingOwn::begin(&self.options, tenant, schema).await?),
            _ => for_tenant(tenant, TakingShared::begin(&self.options, tenant, schema).await?),
        })
    }
}

impl PortableRows for SqlitePortable {
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesRows>, PlaneError>> {
        Box::pin(async move {
            let (options, of) = (self.options.clone(), tenant.clone());
            Giving::begin(tenant, |schema, out| give::give(options, of, schema, out)).await
        })
    }

    fn fits<'a>(&'a self, tenant: &'a Tenant, schema: &'a RowsSchema) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { self.check(schema).await.map_err(|error| error.of(tenant)) })
    }

    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        schema: &'a RowsSchema,
    ) -> BoxFuture<'a, Result<Box<dyn TakesRows>, PlaneError>> {
        Box::pin(async move { self.begin(tenant, schema).await.map_err(|error| error.of(tenant)) })
    }
}
