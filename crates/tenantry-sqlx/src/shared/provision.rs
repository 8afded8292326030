//! The rows that a tenant begins with: those that the migrations made.
//!
//! Migrations run for one tenant more than there are, whose number is [`PRISTINE`] and who is never served. What it has
//! is what a database of one's own would have after the same migrations, and a new tenant gets a copy of it.

use std::sync::PoisonError;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::Scope;
use tenantry_sql::{Quoted, Relation, SchemaMap, Table};

use super::{adopt, keeper::Keeper};
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
        let registered = sqlx::query("INSERT OR IGNORE INTO main._tenantry_tenants (id) VALUES (?)").bind(tenant);
        if registered.execute(&mut *owner).await?.rows_affected() == 0 {
            return Ok(());
        }
        for table in tenants_tables(self.current().schema()) {
            copy(owner, table, tenant).await?;
        }
        let sequence = "INSERT INTO main._tenantry_sequence (_tenant, number, seq) \
                        SELECT ?, number, seq FROM main._tenantry_sequence WHERE _tenant = ?";
        sqlx::query(sequence).bind(tenant).bind(PRISTINE).execute(owner).await?;
        Ok(())
    }
}

/// The tables whose rows belong to tenants.
pub(super) fn tenants_tables(schema: &SchemaMap) -> impl Iterator<Item = &Table> {
    schema.relations().filter_map(|relation| match relation {
        Relation::Tenant(table) => Some(&**table),
        Relation::Global(_) | Relation::View(_) => None,
    })
}

async fn copy(owner: &mut SqliteConnection, table: &Table, tenant: i64) -> Result<(), sqlx::Error> {
    let generated = |name: &str| table.columns.iter().any(|column| column.generated && column.name.is(name));
    let columns = table.physical_columns().skip(1).filter(|name| !generated(name));
    let columns: String = columns.map(|name| format!(", {}", Quoted::new(name))).collect();
    let name = table.name.quoted();
    let text =
        format!("INSERT INTO main.{name} (_tenant{columns}) SELECT ?{columns} FROM main.{name} WHERE _tenant = ?");
    sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(PRISTINE).execute(owner).await?;
    Ok(())
}
