//! The application's migrations run on the shared tables, and on the databases that tenants have of their own.

use sqlx::{ConnectOptions, Connection, migrate::Migrator, postgres::PgConnectOptions};
use tenantry_core::{BoxError, BoxFuture, MigratableRows, MigrationName, PlaneError, Tenant, TenantId};

use super::{At, NAME, PgRows, at, copy, own};
use crate::{
    MigrationError,
    migrations::{self, Halted},
    postgres::{connection::millis, dedicated, failure, schema},
};

impl PgRows {
    fn migrator(&self) -> Result<&Migrator, MigrationError> {
        self.migrator.as_ref().ok_or(MigrationError::NotGiven)
    }

    async fn pending_shared(&self) -> Result<Vec<MigrationName>, MigrationError> {
        let migrator = self.migrator()?;
        let mut owner = self.options.owner.connect().await?;
        let table = schema::recorded(&migrator.table_name);
        let pending = migrations::pending(migrator, &table, &mut owner).await?;
        owner.close().await?;
        Ok(pending)
    }

    async fn migrate_shared(&self) -> Result<u64, MigrationError> {
        let migrator = self.migrator()?;
        copy::install(self).await?;
        let migrated = async {
            let mut owner = self.patient(&self.options.owner).connect().await?;
            let applied = schema::migrate(&mut owner, migrator, self.options.limits).await?;
            owner.close().await?;
            Ok::<_, Halted>(applied)
        };
        migrated.await.map_err(|halted| MigrationError::new(halted, migrator))
    }

    /// Nothing where there is no database.
    async fn pending_own(&self, tenant: TenantId) -> Result<Option<Vec<MigrationName>>, MigrationError> {
        let migrator = self.migrator()?;
        if !own::exists(self, tenant).await? {
            return Ok(None);
        }
        let mut connection = match self.own(tenant).connect().await {
            // Somebody has dropped it since.
            Err(error) if failure::has_no_database(&error) => return Ok(None),
            connected => connected?,
        };
        let pending = migrations::pending(migrator, &migrator.table_name, &mut connection).await?;
        connection.close().await?;
        Ok(Some(pending))
    }

    async fn migrate_own(&self, tenant: TenantId) -> Result<u64, MigrationError> {
        let migrator = self.migrator()?;
        if !own::exists(self, tenant).await? {
            return Ok(0);
        }
        let migrated = dedicated::migrate(&self.patient(&self.own(tenant)), migrator).await;
        migrated.map_err(|halted| MigrationError::new(halted, migrator))
    }

    fn own(&self, tenant: TenantId) -> PgConnectOptions {
        self.options.application.clone().database(&dedicated::name(&self.options, tenant))
    }

    /// A connection that waits for locks for as long as it may, and works for as long as it takes.
    fn patient(&self, options: &PgConnectOptions) -> PgConnectOptions {
        let wait = self.lock_wait_max.map_or(0, millis);
        let settings = [("statement_timeout", 0), ("idle_in_transaction_session_timeout", 0), ("lock_timeout", wait)];
        options.clone().options(settings)
    }
}

impl MigratableRows for PgRows {
    fn pending_shared(&self) -> BoxFuture<'_, Result<Vec<MigrationName>, BoxError>> {
        Box::pin(async move { Ok(self.pending_shared().await?) })
    }

    fn migrate_shared(&self) -> BoxFuture<'_, Result<u64, BoxError>> {
        Box::pin(async move { Ok(self.migrate_shared().await?) })
    }

    fn pending<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Option<Vec<MigrationName>>, PlaneError>> {
        Box::pin(async move {
            match at(tenant).map_err(|error| PlaneError::new(NAME, tenant, error))? {
                At::Own(id) => self.pending_own(id).await.map_err(|error| PlaneError::new(NAME, tenant, error)),
                At::Shared(_) => Ok(None),
            }
        })
    }

    fn migrate<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<u64, PlaneError>> {
        Box::pin(async move {
            match at(tenant).map_err(|error| PlaneError::new(NAME, tenant, error))? {
                At::Own(id) => self.migrate_own(id).await.map_err(|error| PlaneError::new(NAME, tenant, error)),
                At::Shared(_) => Ok(0),
            }
        })
    }
}
