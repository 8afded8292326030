//! The store.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{Connection, sqlite::SqliteSynchronous};
use tenantry_core::{BoxFuture, TenantId};
use tenantry_resource::directory::{Added, LocalUser, UserChange, UserStore, UserStoreError};

use crate::{
    store_file::{Contents, StoreFile},
    users::{user, written},
};

/// The local users of all tenants in one SQLite file, which several processes of one machine may share.
///
/// 1. What was changed survives the end of any process, and a power cut: somebody who was removed stays removed.
/// 2. When the file is locked by another process, an operation waits for the busy timeout, and then fails.
/// 3. The file is made with mode 0600, since hashes of passwords are in it.
pub struct SqliteUsers {
    file: StoreFile,
}

impl SqliteUsers {
    /// Opens the file, and makes it when it is missing.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or made, or belongs to something else.
    pub async fn open(path: impl Into<PathBuf>, busy_timeout: Duration) -> Result<Self, UserStoreError> {
        let path = path.into();
        let file = StoreFile::open(&path, busy_timeout, CONTENTS).await;
        file.map(|file| Self { file }).map_err(|error| unavailable(&path, error))
    }

    /// Closes the file. Later operations fail.
    pub async fn close(&self) {
        self.file.pool.close().await;
    }

    async fn add_user(&self, tenant: TenantId, user: &LocalUser, users_max: u64) -> Result<Added, sqlx::Error> {
        let mut connection = self.file.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let there = sqlx::query(FIND).bind(tenant.get()).bind(&user.name).fetch_optional(&mut *transaction).await?;
        if there.is_some() {
            return Ok(Added::Exists);
        }
        let count: i64 = sqlx::query_scalar(COUNT).bind(tenant.get()).fetch_one(&mut *transaction).await?;
        if u64::try_from(count).unwrap_or(0) >= users_max {
            return Ok(Added::Full);
        }
        let add = sqlx::query(ADD)
            .bind(tenant.get())
            .bind(&user.name)
            .bind(&user.display_name)
            .bind(&user.mail)
            .bind(written(&user.roles)?)
            .bind(&user.password_hash);
        add.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Added::Added)
    }

    async fn change_user(&self, tenant: TenantId, name: &str, change: &UserChange) -> Result<bool, sqlx::Error> {
        let UserChange { display_name, mail, roles, password_hash } = change;
        let change = sqlx::query(CHANGE)
            .bind(tenant.get())
            .bind(name)
            .bind(display_name)
            .bind(mail.is_some())
            .bind(mail.clone().flatten())
            .bind(roles.as_deref().map(written).transpose()?)
            .bind(password_hash);
        Ok(change.execute(&self.file.pool).await?.rows_affected() > 0)
    }

    fn failed(&self, error: sqlx::Error) -> UserStoreError {
        unavailable(self.file.path(), error)
    }
}

impl UserStore for SqliteUsers {
    fn find<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<Option<LocalUser>, UserStoreError>> {
        Box::pin(async move {
            let found = sqlx::query(FIND).bind(tenant.get()).bind(name).fetch_optional(&self.file.pool).await;
            let found = found.map_err(|error| self.failed(error))?;
            found.as_ref().map(user).transpose().map_err(|error| self.failed(error))
        })
    }

    fn add<'a>(
        &'a self,
        tenant: TenantId,
        user: &'a LocalUser,
        users_max: u64,
    ) -> BoxFuture<'a, Result<Added, UserStoreError>> {
        Box::pin(async move { self.add_user(tenant, user, users_max).await.map_err(|error| self.failed(error)) })
    }

    fn change<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        change: &'a UserChange,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        Box::pin(async move { self.change_user(tenant, name, change).await.map_err(|error| self.failed(error)) })
    }

    fn rehash<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        old: &'a str,
        new: &'a str,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        Box::pin(async move {
            let rehash = sqlx::query(REHASH).bind(tenant.get()).bind(name).bind(old).bind(new);
            let done = rehash.execute(&self.file.pool).await.map_err(|error| self.failed(error))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn remove<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        Box::pin(async move {
            let removed = sqlx::query(REMOVE).bind(tenant.get()).bind(name).execute(&self.file.pool).await;
            Ok(removed.map_err(|error| self.failed(error))?.rows_affected() > 0)
        })
    }

    fn list<'a>(
        &'a self,
        tenant: TenantId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<LocalUser>, UserStoreError>> {
        Box::pin(async move {
            let rows = sqlx::query(LIST).bind(tenant.get()).bind(after).bind(limit).fetch_all(&self.file.pool).await;
            let users = rows.and_then(|rows| rows.iter().map(user).collect());
            users.map_err(|error| self.failed(error))
        })
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UserStoreError>> {
        Box::pin(async move {
            let forgotten = sqlx::query(FORGET).bind(tenant.get()).execute(&self.file.pool).await;
            Ok(forgotten.map_err(|error| self.failed(error))?.rows_affected())
        })
    }
}

impl fmt::Debug for SqliteUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteUsers").field("path", &self.file.path()).finish_non_exhaustive()
    }
}

fn unavailable(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> UserStoreError {
    UserStoreError { place: path.display().to_string(), source: source.into() }
}

// Numbered parameters are the same thing in all of them that have them: `?1` is the tenant, `?2` the name.
const FIND: &str = "SELECT name, display_name, mail, roles, password_hash FROM users WHERE tenant = ?1 AND name = ?2";

const COUNT: &str = "SELECT count(*) FROM users WHERE tenant = ?1";

const ADD: &str = "
    INSERT INTO users (tenant, name, display_name, mail, roles, password_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const CHANGE: &str = "
    UPDATE users SET
        display_name = coalesce(?3, display_name), mail = iif(?4, ?5, mail),
        roles = coalesce(?6, roles), password_hash = coalesce(?7, password_hash)
    WHERE tenant = ?1 AND name = ?2";

const REHASH: &str = "UPDATE users SET password_hash = ?4 WHERE tenant = ?1 AND name = ?2 AND password_hash = ?3";

const REMOVE: &str = "DELETE FROM users WHERE tenant = ?1 AND name = ?2";

const LIST: &str = "
    SELECT name, display_name, mail, roles, password_hash FROM users
    WHERE tenant = ?1 AND (?2 IS NULL OR name > ?2) ORDER BY name LIMIT ?3";

const FORGET: &str = "DELETE FROM users WHERE tenant = ?1";

const CONTENTS: Contents = Contents {
    what: "users",
    // "Tnus" in ASCII.
    application: 0x546e_7573,
    version: 1,
    make: include_str!("1.sql"),
    // Somebody who was removed stays removed.
    synchronous: SqliteSynchronous::Full,
};
