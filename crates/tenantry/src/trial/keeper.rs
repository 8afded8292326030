//! What is made ahead, and what is over.

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use tenantry_core::{Amendment, CatalogError, Status, Tenant, TenantId};
use tokio::{sync::Notify, task::AbortHandle};

use super::{
    name::Kind,
    start::{MakeError, Shared},
};

/// The task that keeps trials, until this is dropped.
#[derive(Debug)]
pub(super) struct Keeper(AbortHandle);

impl Keeper {
    #[expect(clippy::disallowed_methods, reason = "it works for the deployment, and runs no code of a tenant's")]
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        let every = shared.tenancy.config().lifecycle.sweep_every;
        let kept = keep(Arc::downgrade(shared), Arc::clone(&shared.taken), every);
        Self(tokio::spawn(kept).abort_handle())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(shared: Weak<Shared>, taken: Arc<Notify>, every: Duration) {
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let tended = shared.tend().await;
        drop(shared);
        match tended {
            Ok(()) => {
                tokio::select! {
                    () = taken.notified() => {}
                    () = tokio::time::sleep(every) => {}
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "trials cannot be looked after now");
                tokio::time::sleep(every.min(PAUSE)).await;
            }
        }
    }
}

impl Shared {
    /// Does once what is to be done again and again.
    pub(super) async fn tend(&self) -> Result<(), MakeError> {
        self.end_what_is_over().await?;
        self.fill().await
    }

    /// Those that were made ahead and can be given out, the oldest first.
    pub(super) fn warm(&self) -> Vec<Arc<Tenant>> {
        let Some(template) = self.template_id() else { return Vec::new() };
        let section = &self.tenancy.config().trial;
        let fresh = |tenant: &Tenant| {
            let age = SystemTime::now().duration_since(tenant.created_at).unwrap_or_default();
            tenant.template == Some(template) && tenant.plan == section.plan && age < section.warm_max_age
        };
        let mut warm = self.tenancy.mirror().tenants();
        warm.retain(|tenant| is_warm(tenant) && fresh(tenant));
        warm.sort_unstable_by_key(|tenant| tenant.id);
        warm
    }

    pub(super) fn template_id(&self) -> Option<TenantId> {
        self.tenancy.mirror().by_slug(&self.template).map(|template| template.id)
    }

    /// Marks as deleting what nobody can have any more, so that servers erase it: trials that nobody has made a customer of
    /// meanwhile, and what was made ahead too long ago, or too much of it.
    async fn end_what_is_over(&self) -> Result<(), CatalogError> {
        let section = &self.tenancy.config().trial;
        let now = SystemTime::now();
        let is_over = |tenant: &Tenant| {
            let is_trial = Kind::of(tenant) == Some(Kind::Trial);
            let over = tenant.expires_at.and_then(|end| end.checked_add(section.keep)).is_some_and(|end| end <= now);
            is_trial && over && matches!(tenant.status, Status::Active | Status::Expired)
        };
        let mut kept = self.warm();
        kept.truncate(usize::try_from(section.warm).unwrap_or(usize::MAX));
        let of_no_use = |tenant: &Tenant| is_warm(tenant) && kept.iter().all(|kept| kept.id != tenant.id);
        for tenant in self.tenancy.mirror().tenants() {
            if !is_over(&tenant) && !of_no_use(&tenant) {
                continue;
            }
            let over = Amendment { status: Some(Status::Deleting), erase_at: Some(Some(now)), ..Amendment::default() };
            match self.tenancy.catalog().amend(tenant.id, &over, Some(tenant.revision)).await {
                Ok(tenant) => tracing::info!(tenant = %tenant.slug, "a trial is over, and is going to be erased"),
                // Somebody has changed it since, so it is looked at again the next time.
                Err(CatalogError::Changed { .. } | CatalogError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes ahead what is missing.
    async fn fill(&self) -> Result<(), MakeError> {
        let wanted = usize::try_from(self.tenancy.config().trial.warm).unwrap_or(usize::MAX);
        self.tenancy.refresh().await?;
        for _ in self.warm().len()..wanted {
            let mut new = self.new_tenant(Kind::Warm.name()?);
            new.status = Status::Suspended;
            self.create(new).await?;
            self.tenancy.refresh().await?;
        }
        Ok(())
    }
}

/// Whether it was made ahead, and nobody has ever had it: who gets it gets another name and an end in the same change.
fn is_warm(tenant: &Tenant) -> bool {
    let is_unused = tenant.status == Status::Suspended && tenant.expires_at.is_none() && tenant.aliases.is_empty();
    is_unused && Kind::of(tenant) == Some(Kind::Warm)
}

/// How long it waits after a failure, at most.
const PAUSE: Duration = Duration::from_secs(5);
