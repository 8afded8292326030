//! The writes. Each is a transaction that draws a version first: the row that it is drawn from is the queue in which the
//! writers of all processes stand.

use sqlx::{Connection, FromRow, PgConnection, Postgres, Transaction};
use tenantry_core::{Amendment, CatalogError, Deed, NewTenant, Operation, Revision, Slug, Tenant, TenantId};

use super::{
    listen::CHANNEL,
    schema::lock_timeout,
    store::{MADE_FROM, PgCatalog, TENANT_BY_ID},
};
use crate::catalog::record::{ID_EPOCH_MILLIS, amended, from_millis, keep_first_mention, names, to_millis};

impl PgCatalog {
    pub(super) async fn insert(&self, new: NewTenant) -> Result<Tenant, CatalogError> {
        let mut taken = self.writing.take().await.map_err(|error| self.place.failed(error))?;
        let (mut transaction, drawn) = self.begin(&mut taken).await?;
        let tenant = self.register(&mut transaction, &drawn, new).await?;
        self.commit(transaction).await?;
        taken.give_back();
        Ok(tenant)
    }

    /// Adds a tenant within a transaction.
    pub(super) async fn register(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        drawn: &Drawn,
        mut new: NewTenant,
    ) -> Result<Tenant, CatalogError> {
        keep_first_mention(&mut new);
        let expires_at = new.expires_at.map(to_millis);
        new.expires_at = expires_at.and_then(from_millis);
        sqlx::query(INSERT_TENANT)
            .bind(drawn.last_id)
            .bind(new.status.as_str())
            .bind(new.plan.as_str())
            .bind(new.placement.as_str())
            .bind(drawn.now)
            .bind(expires_at)
            .bind(new.settings.to_json())
            .bind(new.template.map(TenantId::get))
            .bind(drawn.version)
            .bind(new.trial)
            .execute(&mut **transaction)
            .await
            .map_err(|error| self.place.failed(error))?;
        for (position, name) in (0_i64..).zip(std::iter::once(&new.slug).chain(&new.aliases)) {
            self.insert_name(transaction, drawn.last_id, position, name).await?;
        }
        let created_at = from_millis(drawn.now).ok_or_else(|| self.place.corrupt("the server's clock is wrong"))?;
        let tenant = new.into_tenant(TenantId::new(drawn.last_id), created_at, Revision::new(drawn.version));
        self.log(transaction, &self.act, &Deed::created(&tenant)).await?;
        Ok(tenant)
    }

    async fn insert_name(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        tenant: i64,
        position: i64,
        name: &Slug,
    ) -> Result<(), CatalogError> {
        let insert = sqlx::query("INSERT INTO tenantry.catalog_names (name, tenant, position) VALUES ($1, $2, $3)")
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
        let mut taken = self.writing.take().await.map_err(failed)?;
        let (mut transaction, drawn) = self.begin(&mut taken).await?;
        let before = self.within(&mut transaction, id).await?;
        let tenant = amended(&before, amendment, expected, drawn.version)?;
        sqlx::query(UPDATE_TENANT)
            .bind(id.get())
            .bind(tenant.status.as_str())
            .bind(tenant.plan.as_str())
            .bind(tenant.placement.as_str())
            .bind(tenant.expires_at.map(to_millis))
            .bind(tenant.settings.to_json())
            .bind(tenant.template.map(TenantId::get))
            .bind(drawn.version)
            .bind(tenant.erase_at.map(to_millis))
            .bind(i64::from(tenant.epoch))
            .bind(tenant.trial)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if (&before.slug, &before.aliases) != (&tenant.slug, &tenant.aliases) {
            let forget = sqlx::query("DELETE FROM tenantry.catalog_names WHERE tenant = $1").bind(id.get());
            forget.execute(&mut *transaction).await.map_err(failed)?;
            for (position, name) in names(&tenant) {
                self.insert_name(&mut transaction, id.get(), position, name).await?;
            }
        }
        self.log(&mut transaction, &self.act, &Deed::amended(&before, &tenant)).await?;
        self.commit(transaction).await?;
        taken.give_back();
        Ok(tenant)
    }

    pub(super) async fn write_description(&self, described: &str) -> Result<(), CatalogError> {
        let failed = |error| self.place.failed(error);
        let mut taken = self.writing.take().await.map_err(failed)?;
        let write = sqlx::query("UPDATE tenantry.catalog SET settings = $1 WHERE settings IS DISTINCT FROM $1");
        write.bind(described).execute(&mut *taken).await.map_err(failed)?;
        taken.give_back();
        Ok(())
    }

    /// The tenant as it is within a transaction.
    pub(super) async fn within(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        id: TenantId,
    ) -> Result<Tenant, CatalogError> {
        let row = sqlx::query(TENANT_BY_ID).bind(id.get()).fetch_optional(&mut **transaction).await;
        self.tenant(&row.map_err(|error| self.place.failed(error))?.ok_or(CatalogError::NotFound { id })?)
    }

    pub(super) async fn delete(&self, id: TenantId) -> Result<(), CatalogError> {
        let failed = |error| self.place.failed(error);
        let mut taken = self.writing.take().await.map_err(failed)?;
        let (mut transaction, drawn) = self.begin(&mut taken).await?;
        if let Some(Operation { verb, id: operation, .. }) = self.unended(&mut transaction, id).await? {
            return Err(CatalogError::Busy { id, verb, operation });
        }
        self.delete_within(&mut transaction, &drawn, id).await?;
        self.commit(transaction).await?;
        taken.give_back();
        Ok(())
    }

    pub(super) async fn delete_within(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        drawn: &Drawn,
        id: TenantId,
    ) -> Result<(), CatalogError> {
        let failed = |error| self.place.failed(error);
        let other = sqlx::query(MADE_FROM).bind(id.get()).fetch_optional(&mut **transaction).await.map_err(failed)?;
        if other.is_some() {
            return Err(CatalogError::IsTemplate { id });
        }
        let tenant = self.within(transaction, id).await?;
        let delete = sqlx::query("DELETE FROM tenantry.catalog_tenants WHERE id = $1").bind(id.get());
        delete.execute(&mut **transaction).await.map_err(failed)?;
        sqlx::query("INSERT INTO tenantry.catalog_removed (id, version) VALUES ($1, $2)")
            .bind(id.get())
            .bind(drawn.version)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
        self.log(transaction, &self.act, &Deed::removed(&tenant)).await.map(drop)
    }

    /// Begins a write, and draws the version that it leads to. The followers hear of it when it is committed.
    pub(super) async fn begin<'c>(
        &self,
        connection: &'c mut PgConnection,
    ) -> Result<(Transaction<'c, Postgres>, Drawn), CatalogError> {
        let failed = |error| self.place.failed(error);
        let mut transaction = connection.begin().await.map_err(failed)?;
        sqlx::query("SELECT set_config('lock_timeout', $1, true), pg_notify($2, '')")
            .bind(lock_timeout(&self.place))
            .bind(CHANNEL)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let draw = sqlx::query(DRAW).bind(ID_EPOCH_MILLIS);
        let row = draw.fetch_one(&mut *transaction).await.map_err(failed)?;
        Ok((transaction, Drawn::from_row(&row).map_err(failed)?))
    }

    pub(super) async fn commit(&self, transaction: Transaction<'_, Postgres>) -> Result<(), CatalogError> {
        transaction.commit().await.map_err(|error| self.place.failed(error))?;
        self.beat.told();
        Ok(())
    }
}

/// What a write has drawn.
#[derive(Debug, FromRow)]
pub(super) struct Drawn {
    pub(super) version: i64,
    last_id: i64,
    /// The server's clock, in milliseconds of UTC: one for all who create tenants.
    pub(super) now: i64,
}

/// The version; an id for the tenant, if it is one that is created; the time.
///
/// An id is the time of creation, or the next one after the last id where that is later. So ids are not used again even
/// when the database is lost, or replaced by an older copy of itself: what an earlier tenant has left elsewhere under its
/// id is never met by a later one. An id that is drawn for another write is not used.
const DRAW: &str = "
    WITH clock (now) AS (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
    UPDATE tenantry.catalog SET version = version + 1, last_id = greatest(last_id + 1, now - $1) FROM clock
    RETURNING version, last_id, now";

const UPDATE_TENANT: &str = "
    UPDATE tenantry.catalog_tenants
    SET status = $2, plan = $3, placement = $4, expires_at = $5, settings = $6, template = $7, revision = $8,
        erase_at = $9, epoch = $10, trial = $11
    WHERE id = $1";

const INSERT_TENANT: &str = "
    INSERT INTO tenantry.catalog_tenants (id, status, plan, placement, created_at, expires_at, settings, template, revision, trial)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
