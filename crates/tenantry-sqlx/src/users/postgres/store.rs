//! The store.

use std::{fmt, time::Duration};

use sqlx::{Connection, PgConnection, Postgres, postgres::PgConnectOptions};
use tenantry_core::{BoxFuture, TenantId};
use tenantry_resource::directory::{Added, LocalUser, UserChange, UserStore, UserStoreError};

use super::sql;
use crate::{
    lines::{Lines, Tables, Unavailable},
    users::{user, written},
};

/// The local users of all tenants in a PostgreSQL database, which many processes on many machines may share.
///
/// 1. Its tables are in the schema `tenantry_users`, which the role has to be able to make (`CREATE` on the database), or to
///    own.
/// 2. It has at most [`PgUsers::CONNECTIONS_MAX`] connections. When the server was away, the next operation connects anew.
pub struct PgUsers {
    lines: Lines<{ Self::CONNECTIONS_MAX }, UserStoreError>,
}

impl PgUsers {
    /// How many connections there are at most.
    pub const CONNECTIONS_MAX: usize = 4;

    /// Users in this database. Each operation may take `timeout`.
    ///
    /// # Errors
    ///
    /// When the server is away, lets the role in nowhere, or the tables are from a newer version.
    pub async fn open(options: PgConnectOptions, timeout: Duration) -> Result<Self, UserStoreError> {
        Ok(Self { lines: Lines::open(options, "tenantry users", timeout, TABLES).await? })
    }

    /// Closes the connections. Later operations make new ones.
    pub async fn close(&self) {
        self.lines.close().await;
    }

    async fn rows(&self, query: Query<'_>) -> Result<Vec<LocalUser>, UserStoreError> {
        self.lines.run(async |connection| query.fetch_all(connection).await?.iter().map(user).collect()).await
    }

    /// How many rows it changes.
    async fn changes(&self, query: Query<'_>) -> Result<u64, UserStoreError> {
        let done = self.lines.run(async |connection| query.execute(connection).await).await?;
        Ok(done.rows_affected())
    }
}

async fn add_user(
    connection: &mut PgConnection,
    tenant: TenantId,
    user: &LocalUser,
    users_max: u64,
) -> Result<Added, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::QUEUE).bind(tenant.get()).execute(&mut *transaction).await?;
    let there = sqlx::query(sql::FIND).bind(tenant.get()).bind(&user.name).fetch_optional(&mut *transaction).await?;
    let count: i64 = sqlx::query_scalar(sql::COUNT).bind(tenant.get()).fetch_one(&mut *transaction).await?;
    let refused = match there {
        Some(_) => Some(Added::Exists),
        None => (u64::try_from(count).unwrap_or(0) >= users_max).then_some(Added::Full),
    };
    if let Some(refused) = refused {
        transaction.rollback().await?;
        return Ok(refused);
    }
    let add = sqlx::query(sql::ADD)
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

async fn change_user(
    connection: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    change: &UserChange,
) -> Result<bool, sqlx::Error> {
    let UserChange { display_name, mail, roles, password_hash } = change;
    let change = sqlx::query(sql::CHANGE)
        .bind(tenant.get())
        .bind(name)
        .bind(display_name)
        .bind(mail.is_some())
        .bind(mail.clone().flatten())
        .bind(roles.as_deref().map(written).transpose()?)
        .bind(password_hash);
    Ok(change.execute(connection).await?.rows_affected() > 0)
}

impl Unavailable for UserStoreError {
    fn at(place: String, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self { place, source }
    }
}

impl UserStore for PgUsers {
    fn find<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<Option<LocalUser>, UserStoreError>> {
        Box::pin(async move { Ok(self.rows(sqlx::query(sql::FIND).bind(tenant.get()).bind(name)).await?.pop()) })
    }

    fn add<'a>(
        &'a self,
        tenant: TenantId,
        user: &'a LocalUser,
        users_max: u64,
    ) -> BoxFuture<'a, Result<Added, UserStoreError>> {
        Box::pin(self.lines.run(async move |connection| add_user(connection, tenant, user, users_max).await))
    }

    fn change<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        change: &'a UserChange,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        Box::pin(self.lines.run(async move |connection| change_user(connection, tenant, name, change).await))
    }

    fn rehash<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        old: &'a str,
        new: &'a str,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        let rehash = sqlx::query(sql::REHASH).bind(tenant.get()).bind(name).bind(old).bind(new);
        Box::pin(async move { Ok(self.changes(rehash).await? > 0) })
    }

    fn remove<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        let remove = sqlx::query(sql::REMOVE).bind(tenant.get()).bind(name);
        Box::pin(async move { Ok(self.changes(remove).await? > 0) })
    }

    fn list<'a>(
        &'a self,
        tenant: TenantId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<LocalUser>, UserStoreError>> {
        Box::pin(self.rows(sqlx::query(sql::LIST).bind(tenant.get()).bind(after).bind(i64::from(limit))))
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UserStoreError>> {
        Box::pin(self.changes(sqlx::query(sql::FORGET).bind(tenant.get())))
    }
}

impl fmt::Debug for PgUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgUsers").field("place", &self.lines.place()).finish_non_exhaustive()
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments>;

const TABLES: Tables = Tables {
    is_there: "SELECT to_regclass('tenantry_users.layout') IS NOT NULL",
    make: include_str!("1.sql"),
    version: "SELECT version FROM tenantry_users.layout",
    known: 1,
    // "TntyUser" in ASCII.
    lock: 0x546e_7479_5573_6572,
};
