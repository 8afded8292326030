//! The proof that work is for one tenant.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::{Limits, Plan, Refusal, Slug, Tenant, TenantId, Usage};

/// The proof "this work is for this tenant, and was admitted".
///
/// Everything below admission takes a scope, never a [`TenantId`]. Only [`crate::Admission`] makes one: there is no
/// constructor, no default and no deserialisation.
///
/// ```compile_fail
/// let forged = tenantry_core::Scope::default();
/// ```
///
/// Cloning is cheap. A scope is a statement about the moment of admission: long-lived work (a job, a subscription) has
/// to be admitted again when it runs.
#[derive(Clone)]
pub struct Scope(pub(super) Arc<Admitted>);

pub(super) struct Admitted {
    pub(super) tenant: Arc<Tenant>,
    pub(super) plan: Arc<Plan>,
    pub(super) usage: Arc<Usage>,
    pub(super) refused: OnceLock<Box<Refusal>>,
}

impl Scope {
    /// The tenant's internal key: what belongs into every key and every row.
    pub fn id(&self) -> TenantId {
        self.0.tenant.id
    }

    /// The tenant's public name.
    pub fn slug(&self) -> &Slug {
        &self.0.tenant.slug
    }

    /// The tenant's record at the time of admission.
    pub fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    /// The plan that the tenant was on at the time of admission.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// Where to count what the tenant uses.
    pub fn usage(&self) -> &Usage {
        &self.0.usage
    }

    /// Notes that work in this scope was refused, for whoever answers for the work as a whole: an application that does not
    /// know the refusal fails, and it is better told why. The first one counts. Requests that share a connection may share a
    /// scope while they are under way.
    pub fn note(&self, refusal: &Refusal) {
        self.0.refused.get_or_init(|| Box::new(refusal.clone()));
    }

    /// Why work in this scope was refused, if some was.
    pub fn noted(&self) -> Option<&Refusal> {
        self.0.refused.get().map(|refusal| &**refusal)
    }

    /// The limits of that plan.
    pub fn limits(&self) -> &Limits {
        &self.0.plan.limits
    }
}

impl PartialEq for Scope {
    /// Two scopes are equal when they are for the same tenant.
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Scope {}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} #{})", self.slug(), self.id())
    }
}
