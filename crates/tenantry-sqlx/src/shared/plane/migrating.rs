//! The application's migrations run on the shared tables, and on the files that tenants have of their own.

use std::path::PathBuf;

use sqlx::{ConnectOptions, Connection, migrate::Migrator};
use tenantry_core::{BoxError, BoxFuture, MigratableRows, MigrationName, PlaneError, Tenant};

use super::{At, NAME, SqliteRows};
use crate::{
    MigrationError,
    migrations::{self, Halted},
    shared::{dedicated, migrator::migrate},
};

impl SqliteRows {
    fn migrator(&self) -> Result<&Migrator, MigrationError> {
        self.migrator.as_ref().ok_or(MigrationError::NotGiven)
    }

    async fn pending_in(&self, file: &std::path::Path) -> Result<Vec<MigrationName>, MigrationError> {
        let migrator = self.migrator()?;
        let mut connection = self.options.look(file).connect().await?;
        let pending = migrations::pending(migrator, &migrator.table_name, &mut connection).await?;
        connection.close().await?;
        Ok(pending)
    }

    async fn pending_shared(&self) -> Result<Vec<MigrationName>, MigrationError> {
        let file = &self.options.shared;
        if file.exists() { self.pending_in(file).await } else { Ok(migrations::all(self.migrator()?)) }
    }

    async fn migrate_shared(&self) -> Result<u64, MigrationError> {
        let migrator = self.migrator()?;
        let migrated = migrate(self.keeper().await?, migrator).await;
        migrated.map_err(|halted| MigrationError::new(halted, migrator))
    }

    /// The file of a tenant, if it has one and that is there.
    fn file_of(&self, tenant: &Tenant) -> Result<Option<PathBuf>, crate::RowsError> {
        match self.at(tenant)? {
            At::Own(file) if file.exists() => Ok(Some(file)),
            At::Own(_) | At::Shared => Ok(None),
        }
    }

    async fn migrate_file(&self, file: &std::path::Path) -> Result<u64, MigrationError> {
        let migrator = self.migrator()?;
        let connect = self.options.connect(file).busy_timeout(self.lock_wait_max.unwrap_or(self.options.busy_timeout));
        let migrated = async {
            let mut connection = connect.connect().await?;
            let applied = dedicated::migrate(&mut connection, migrator).await?;
            connection.close().await?;
            Ok::<_, Halted>(applied)
        };
        migrated.await.map_err(|halted| MigrationError::new(halted, migrator))
    }
}

impl MigratableRows for SqliteRows {
    fn pending_shared(&self) -> BoxFuture<'_, Result<Vec<MigrationName>, BoxError>> {
        Box::pin(async move { Ok(self.pending_shared().await?) })
    }

    fn migrate_shared(&self) -> BoxFuture<'_, Result<u64, BoxError>> {
        Box::pin(async move { Ok(self.migrate_shared().await?) })
    }

    fn pending<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Option<Vec<MigrationName>>, PlaneError>> {
        Box::pin(async move {
            match self.file_of(tenant).map_err(|error| PlaneError::new(NAME, tenant, error))? {
                Some(file) => {
                    let pending = self.pending_in(&file).await;
                    pending.map(Some).map_err(|error| PlaneError::new(NAME, tenant, error))
                }
                None => Ok(None),
            }
        })
    }

    fn migrate<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<u64, PlaneError>> {
        Box::pin(async move {
            match self.file_of(tenant).map_err(|error| PlaneError::new(NAME, tenant, error))? {
                Some(file) => self.migrate_file(&file).await.map_err(|error| PlaneError::new(NAME, tenant, error)),
                None => Ok(0),
            }
        })
    }
}
