//! The writes. Each is a transaction that draws a version first.

use std::time::SystemTime;

use sqlx::{Sqlite, Transaction};
use tenantry_core::{Amendment, CatalogError, Deed, NewTenant, Operation, Revision, Slug, Tenant, TenantId};

use super::store::{MADE_FROM, SqliteCatalog, TENANT_BY_ID};
use crate::catalog::record::{ID_EPOCH_MILLIS, amended, from_millis, keep_first_mention, names, to_millis};

impl SqliteCatalog {
    pub(super) async fn insert(&self, new: NewTenant) -> Result<Tenant, CatalogError> {
        let _turn = self.writing.lock().await;
        let (mut transaction, version) = self.begin().await?;
        let tenant = self.register(&mut transaction, version, new).await?;
        self.commit(transaction).await?;
        Ok(tenant)
    }

    /// Adds a tenant within a transaction that has drawn this version.
    pub(super) async fn register(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        version: i64,
        mut new: NewTenant,
    ) -> Result<Tenant, CatalogError> {
        keep_first_mention(&mut new);
        let created_at = to_millis(SystemTime::now());
        let expires_at = new.expires_at.map(to_millis);
        new.expires_at = expires_at.and_then(from_millis);
        let id: i64 = sqlx::query_scalar(INSERT_TENANT)
            .bind(new.status.as_str())
            .bind(new.plan.as_str())
            .bind(new.placement.as_str())
            .bind(created_at)
            .bind(expires_at)
            .bind(new.settings.to_json())
            .bind(new.template.map(TenantId::get))
            .bind(version)
            .bind(created_at.saturating_sub(ID_EPOCH_MILLIS))
            .bind(new.trial)
            .fetch_one(&mut **transaction)
            .await
            .map_err(|error| self.place.failed(error))?;
        for (position, name) in (0_i64..).zip(std::iter::once(&new.slug).chain(&new.aliases)) {
            self.insert_name(transaction, id, position, name).await?;
        }
        let created_at = from_millis(created_at).unwrap_or(SystemTime::UNIX_EPOCH);
        let tenant = new.into_tenant(TenantId::new(id), created_at, Revision::new(version));
        self.log(transaction, &self.act, &Deed::created(&tenant)).await?;
        Ok(tenant)
    }

    async fn insert_name(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        tenant: i64,
        position: i64,
        name: &Slug,
    ) -> Result<(), CatalogError> {
        let insert = sqlx::query("INSERT INTO names (name, tenant, position) VALUES (?1, ?2, ?3)")
            .bind(name.as_str())
            .bind(tenant)
            .bind(position);
        match insert.execute(&mut **transaction).await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(CatalogError::NameTaken { slug: name.clone() })
            }
            Err(error) => Err(self.place.failed(error)),
        }
    }

    pub(super) async fn update(
        &self,
        id: TenantId,
        amendment: &Amendment,
        expected: Option<Revision>,
    ) -> Result<Tenant, CatalogError> {
        let failed = |error| self.place.failed(error);
        let _turn = self.writing.lock().await;
        let (mut transaction, version) = self.begin().await?;
        let before = self.within(&mut transaction, id).await?;
        let tenant = amended(&before, amendment, expected, version)?;
        sqlx::query(UPDATE_TENANT)
            .bind(id.get())
            .bind(tenant.status.as_str())
            .bind(tenant.plan.as_str())
            .bind(tenant.placement.as_str())
            .bind(tenant.expires_at.map(to_millis))
            .bind(tenant.settings.to_json())
            .bind(tenant.template.map(TenantId::get))
            .bind(version)
            .bind(tenant.erase_at.map(to_millis))
            .bind(i64::from(tenant.epoch))
            .bind(tenant.trial)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if (&before.slug, &before.aliases) != (&tenant.slug, &tenant.aliases) {
            let forget = sqlx::query("DELETE FROM names WHERE tenant = ?1").bind(id.get());
            forget.execute(&mut *transaction).await.map_err(failed)?;
            for (position, name) in names(&tenant) {
                self.insert_name(&mut transaction, id.get(), position, name).await?;
            }
        }
        self.log(&mut transaction, &self.act, &Deed::amended(&before, &tenant)).await?;
        self.commit(transaction).await?;
        Ok(tenant)
    }

    pub(super) async fn write_description(&self, described: &str) -> Result<(), CatalogError> {
        let _turn = self.writing.lock().await;
        let pool = self.pool().await?;
        let write = sqlx::query("UPDATE catalog SET settings = ?1 WHERE settings IS NOT ?1").bind(described);
        write.execute(&pool).await.map(drop).map_err(|error| self.place.failed(error))
    }

    /// The tenant as it is within a transaction.
    pub(super) async fn within(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        id: TenantId,
    ) -> Result<Tenant, CatalogError> {
        let row = sqlx::query(TENANT_BY_ID).bind(id.get()).fetch_optional(&mut **transaction).await;
        self.tenant(&row.map_err(|error| self.place.failed(error))?.ok_or(CatalogError::NotFound { id })?)
    }

    pub(super) async fn delete(&self, id: TenantId) -> Result<(), CatalogError> {
        let _turn = self.writing.lock().await;
        let (mut transaction, version) = self.begin().await?;
        if let Some(Operation { verb, id: operation, .. }) = self.unended(&mut transaction, id).await? {
            return Err(CatalogError::Busy { id, verb, operation });
        }
        self.delete_within(&mut transaction, version, id).await?;
        self.commit(transaction).await
    }

    pub(super) async fn delete_within(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        version: i64,
        id: TenantId,
    ) -> Result<(), CatalogError> {
        let failed = |error| self.place.failed(error);
        let other = sqlx::query(MADE_FROM).bind(id.get());
        if other.fetch_optional(&mut **transaction).await.map_err(failed)?.is_some() {
            return Err(CatalogError::IsTemplate { id });
        }
        let tenant = self.within(transaction, id).await?;
        let delete = sqlx::query("DELETE FROM tenants WHERE id = ?1").bind(id.get());
        delete.execute(&mut **transaction).await.map_err(failed)?;
        let remember = sqlx::query("INSERT INTO removed (id, version) VALUES (?1, ?2)").bind(id.get()).bind(version);
        remember.execute(&mut **transaction).await.map_err(failed)?;
        self.log(transaction, &self.act, &Deed::removed(&tenant)).await.map(drop)
    }

    /// Begins a write, and draws the version that it leads to.
    pub(super) async fn begin(&self) -> Result<(Transaction<'static, Sqlite>, i64), CatalogError> {
        let failed = |error| self.place.failed(error);
        let pool = self.pool().await?;
        // The lock is taken at once: a transaction that begins as a reader can fail when it turns into a writer.
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let version = sqlx::query_scalar("UPDATE catalog SET version = version + 1 RETURNING version")
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed)?;
        Ok((transaction, version))
    }

    pub(super) async fn commit(&self, transaction: Transaction<'static, Sqlite>) -> Result<(), CatalogError> {
        transaction.commit().await.map_err(|error| self.place.failed(error))?;
        self.beat.told();
        Ok(())
    }
}

const UPDATE_TENANT: &str = "
    UPDATE tenants SET status = ?2, plan = ?3, placement = ?4, expires_at = ?5, settings = ?6, template = ?7, revision = ?8,
        erase_at = ?9, epoch = ?10, trial = ?11
    WHERE id = ?1";

/// An id is the time of creation, or the next one after the last id where that is later. So ids are not used again even
/// when the file is lost, or replaced by an older copy of itself: what an earlier tenant has left elsewhere under its id
/// is never met by a later one.
const INSERT_TENANT: &str = "
    INSERT INTO tenants (id, status, plan, placement, created_at, expires_at, settings, template, revision, trial)
    VALUES (
        max(?9, (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'tenants')),
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10
    )
    RETURNING id";
