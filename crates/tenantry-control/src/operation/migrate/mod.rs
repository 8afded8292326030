//! Migrate: the application's migrations, once on the tables that tenants share, and on each database that a tenant has of its
//! own.
//!
//! 1. The shared tables come first, for all tenants at once. When that fails nothing else is done.
//! 2. The databases are looked at. Those that are up to date are done, so that a call goes on where another one stopped.
//! 3. Canaries are migrated one after the other. If one fails, it stops there.
//! 4. All others follow, some at a time, until too many have failed.
//!
//! Each database is an operation of its tenant's, with an entry in the ledger and two in the audit log. A migration that fails
//! leaves nothing behind, so there is nothing on the way back, and the tenant is free for whatever else is to be done to it.
//! Two rollouts at once do not get into each other's way: a tenant that one is at is busy for the other.
//!
//! | module | what it has |
//! |---|---|
//! | `rollout` | who is migrated, in which order, and what stops it |
//! | `look` | what each database needs |
//! | `fan_out` | canaries, and all others |
//! | `report` | what became of each |

mod fan_out;
mod look;
mod report;
mod rollout;

use std::sync::Arc;

use serde_json::json;
use tenantry_core::{Amount, Deed, MigratableRows, Placement, Progress, Tenant};

use self::fan_out::FanOut;
pub use self::{
    look::{Needed, Needs},
    report::{Migrated, Pause, Reached, RolledOut},
    rollout::{Canaries, Rollout},
};
use super::{procedure::Procedure, step::StepError};
use crate::{Control, VerbError};

impl Control {
    /// Migrates the shared tables, and the databases that tenants have of their own, whatever their status is. `told` hears of
    /// each. A tenant whose database was never opened has none, and gets none: it is made with all migrations when the tenant
    /// is first served.
    ///
    /// It can be called again at any time, also after it was killed, and goes on with what is left.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::Schema`] when the shared tables could not be migrated. What happened to a tenant's database is
    /// in the report, and no error.
    pub async fn migrate(
        &self,
        rollout: &Rollout,
        told: impl FnMut(&Reached<'_>) + Send,
    ) -> Result<RolledOut, VerbError> {
        let targets = rollout.targets(self).await?;
        let shared = self.migrate_shared().await?;
        // Databases that somebody was at who is lost may be up to date, and then nobody would look after their operations.
        self.recover_those(|operation| operation.verb == Procedure::Migrate.verb()).await?;
        let looked = self.look(&targets.tenants, rollout.concurrency).await?;
        let fan_out = FanOut::new(self, rollout, targets, looked, told);
        let (tenants, paused) = fan_out.run().await?;
        Ok(RolledOut { shared, tenants, paused })
    }

    /// What a rollout would do. Nothing changes.
    ///
    /// # Errors
    ///
    /// As [`Control::migrate`].
    pub async fn pending_migrations(&self, rollout: &Rollout) -> Result<Needed, VerbError> {
        let targets = rollout.targets(self).await?;
        let shared = self.migrations()?.pending_shared().await.map_err(|source| VerbError::Schema { source })?;
        let looked = self.look(&targets.tenants, rollout.concurrency).await?;
        let tenants = targets.tenants.into_iter().zip(looked);
        Ok(Needed { shared, tenants: tenants.map(|(tenant, needs)| (tenant.slug, needs)).collect() })
    }

    async fn migrate_shared(&self) -> Result<u64, VerbError> {
        let migrations = self.migrations()?.migrate_shared().await.map_err(|source| VerbError::Schema { source })?;
        if migrations > 0 {
            let detail = json!({ "migrations": migrations }).to_string();
            let deed = Deed { verb: MIGRATED.to_owned(), tenant: None, slug: None, detail };
            self.audit().note(self.audit().act(), &deed).await?;
        }
        Ok(migrations)
    }

    fn migrations(&self) -> Result<&Arc<dyn MigratableRows>, VerbError> {
        self.migratable().ok_or(VerbError::NotMigratable)
    }
}

/// Takes the one step of it.
pub(super) async fn take(control: &Control, tenant: &Tenant, progress: &mut Progress) -> Result<(), StepError> {
    let rows = control.migratable().ok_or(StepError::NotMigratable)?;
    // It may have been moved since.
    if tenant.placement == Placement::Dedicated {
        let migrations = rows.migrate(tenant).await?;
        progress.amounts.insert(MIGRATIONS.to_owned(), Amount::items(migrations));
    }
    Ok(())
}

/// What is counted of an operation.
const MIGRATIONS: &str = "migrations";

/// The word in the audit log for the shared tables.
const MIGRATED: &str = "migrated";
