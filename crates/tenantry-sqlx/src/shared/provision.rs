//! The rows that a tenant begins with: those that the migrations made.
//!
//! Migrations run for one tenant more than there are, whose number is [`PRISTINE`] and who is never served. What it has
//! is what a database of one's own would have after the same migrations, and a new tenant gets a copy of it.

use std::sync::PoisonError;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::Scope;
use tenantry_sql::{Quoted, Relation, SchemaMap, Table};

use super::{adopt, keeper::Keeper, plane::moving::is_moved, store};
use crate::{native, scoped::ScopeError};

/// The tenant whose rows are those of a tenant that has done nothing yet.
pub(super) const PRISTINE: i64 = 0;

impl Keeper {
    /// Makes sure that the tenant has its first rows.
    pub(super) async fn provision(&self, scope: &Scope) -> Result<(), sqlx::Error> {
        let tenant = scope.id().get();
        if self.is_provisioned(tenant) {
            return Ok(());
        }
        let mut owner = self.owner().await?;
        sqlx::raw_sql("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON").execute(&mut *owner).await?;
        if adopt::is_unfinished(tenant, &mut owner).await? {
            return Err(ScopeError::Incomplete { tenant: scope.slug().clone() }.into());
        }
        // They are there to be read until this process hears where they are now, and cannot be changed.
        if is_moved("main", tenant, &mut owner).await? {
            sqlx::raw_sql("ROLLBACK").execute(&mut *owner).await?;
            owner.put_back();
            return Ok(());
        }
        // Another process may have migrated since the plans were made: what is copied are the tables as they are now.
        self.reload_with(&mut owner).await?;
        // The application's triggers have run for the rows that are copied.
        native::switch_triggers(&mut owner, false).await?;
        self.copy_pristine(&mut owner, tenant).await?;
        native::switch_triggers(&mut owner, true).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *owner).await?;
        owner.put_back();
        self.provisioned.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        Ok(())
    }

    fn is_provisioned(&self, tenant: i64) -> bool {
        self.provisioned.lock().unwrap_or_else(PoisonError::into_inner).contains(&tenant)
    }

    async fn copy_pristine(&self, owner: &mut SqliteConnection, tenant: i64) -> Result<(), sqlx::Error> {
        if !store::register(tenant, owner).await? {
            return Ok(());
        }
        for table in tenants_tables(self.current().schema()) {
            copy(owner, table, PRISTINE, tenant).await?;
        }
        copy_sequences(owner, PRISTINE, tenant).await
    }
}

/// The tables whose rows belong to tenants.
pub(super) fn tenants_tables(schema: &SchemaMap) -> impl Iterator<Item = &Table> {
    schema.relations().filter_map(|relation| match relation {
        Relation::Tenant(table) => Some(&**table),
        Relation::Global(_) | Relation::View(_) => None,
    })
}

/// Gives a tenant how far another has counted.
pub(super) async fn copy_sequences(owner: &mut SqliteConnection, from: i64, to: i64) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO main._tenantry_sequence (_tenant, number, seq) \
                SELECT ?, number, seq FROM main._tenantry_sequence WHERE _tenant = ?";
    sqlx::query(text).bind(to).bind(from).execute(owner).await.map(drop)
}

/// Gives a tenant another's rows of a table, of which it must have none. Says how many.
pub(super) async fn copy(owner: &mut SqliteConnection, table: &Table, from: i64, to: i64) -> Result<u64, sqlx::Error> {
    let generated = |name: &str| table.columns.iter().any(|column| column.generated && column.name.is(name));
    let columns = table.physical_columns().skip(1).filter(|name| !generated(name));
    let columns: String = columns.map(|name| format!(", {}", Quoted::new(name))).collect();
    let name = table.name.quoted();
    let text =
        format!("INSERT INTO main.{name} (_tenant{columns}) SELECT ?{columns} FROM main.{name} WHERE _tenant = ?");
    let copied = sqlx::query(AssertSqlSafe(text)).bind(to).bind(from).execute(owner).await?;
    Ok(copied.rows_affected())
}
