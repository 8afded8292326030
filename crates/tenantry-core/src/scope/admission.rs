//! Admission: the only place that makes a [`Scope`].

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use super::proof::{Admitted, Scope};
use crate::{Candidate, Code, Mirror, Plans, Refusal, Status, Tenant, TenantId, Usages};

/// Decides whether work may go on for a tenant, and proves it with a [`Scope`].
///
/// 1. An unknown name is refused; so is a request whose names belong to different tenants.
/// 2. Only an active tenant whose time is not up is admitted.
/// 3. A tenant on a plan that is not configured is refused, not admitted without limits.
///
/// Everything is answered from memory: no request waits for the catalog.
///
/// ```
/// use std::sync::Arc;
/// use tenantry_core::{Admission, Candidate, Code, Mirror, Plans, Tenant, TenantId};
///
/// let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
/// let admission = Admission::new(Arc::new(Mirror::from_iter([acme])), Plans::default());
///
/// let scope = admission.admit(&Candidate::new("acme".parse()?))?;
/// assert_eq!(scope.slug().as_str(), "acme");
///
/// let refusal = admission.admit(&Candidate::new("nobody".parse()?)).unwrap_err();
/// assert_eq!(refusal.code(), Code::TenantUnknown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Admission {
    mirror: Arc<Mirror>,
    plans: Plans,
    usages: Arc<Usages>,
}

impl Admission {
    /// How long what was admitted before a tenant's time was up may take after that.
    pub const LAST_WORD: Duration = Duration::from_secs(30);

    /// Admits tenants of this catalog, on these plans.
    pub fn new(mirror: Arc<Mirror>, plans: Plans) -> Self {
        Self { mirror, plans, usages: Arc::default() }
    }

    /// Counts in these what tenants use.
    #[must_use]
    pub fn counting(mut self, usages: Arc<Usages>) -> Self {
        self.usages = usages;
        self
    }

    /// What tenants have used.
    pub const fn usages(&self) -> &Arc<Usages> {
        &self.usages
    }

    /// The mirror that tenants are looked up in.
    pub const fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// The plans that tenants can be on.
    pub const fn plans(&self) -> &Plans {
        &self.plans
    }

    /// Admits a request that names a tenant.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when a name is unknown, when the names disagree, or when the tenant may not be served.
    pub fn admit(&self, candidate: &Candidate) -> Result<Scope, Refusal> {
        let find = |slug| self.mirror.by_slug(slug).ok_or_else(|| Refusal::new(Code::TenantUnknown));
        let tenant = find(candidate.slug())?;
        for other in candidate.others() {
            if find(other)?.id != tenant.id {
                return Err(Refusal::new(Code::TenantsDisagree));
            }
        }
        self.check(tenant)
    }

    /// Admits work that has carried the tenant's key along: a job, a command of an administrator.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when there is no such tenant, or when it may not be served.
    pub fn admit_id(&self, id: TenantId) -> Result<Scope, Refusal> {
        self.check(self.mirror.by_id(id).ok_or_else(|| Refusal::new(Code::TenantUnknown))?)
    }

    /// Admits again what was admitted before and is still being done: the next statement of a request. It is as
    /// [`Admission::admit_id`], but for a tenant whose time was up meanwhile: it has [`Admission::LAST_WORD`] more, so that
    /// requests that were under way can be answered.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when there is no such tenant any more, or when it may not be served.
    pub fn admit_again(&self, scope: &Scope) -> Result<Scope, Refusal> {
        let tenant = self.mirror.by_id(scope.id()).ok_or_else(|| Refusal::new(Code::TenantUnknown))?;
        let status = match (tenant.status_now(), tenant.status, tenant.expires_at) {
            (Status::Expired, Status::Active, Some(end)) if SystemTime::now() < end + Self::LAST_WORD => Status::Active,
            (status, ..) => status,
        };
        self.check_as(tenant, status)
    }

    fn check(&self, tenant: Arc<Tenant>) -> Result<Scope, Refusal> {
        let status = tenant.status_now();
        self.check_as(tenant, status)
    }

    fn check_as(&self, tenant: Arc<Tenant>, status: Status) -> Result<Scope, Refusal> {
        let code = match status {
            Status::Active => match self.plans.get(&tenant.plan) {
                Some(plan) => {
                    let usage = self.usages.of(tenant.id);
                    let (plan, refused) = (Arc::clone(plan), OnceLock::new());
                    return Ok(Scope(Arc::new(Admitted { plan, tenant, usage, refused })));
                }
                None => Code::PlanUnknown,
            },
            Status::Deleting => Code::TenantDeleting,
            Status::Expired => Code::TenantExpired,
            Status::Provisioning => Code::TenantProvisioning,
            Status::Suspended => Code::TenantSuspended,
        };
        let refusal = Refusal::new(code).for_tenant(tenant.slug.clone());
        Err(if code == Code::TenantProvisioning { refusal.retry_after(PROVISIONING_WAIT) } else { refusal })
    }
}

/// How long a client is asked to wait for a tenant that is being prepared.
const PROVISIONING_WAIT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: i64, slug: &str) -> Tenant {
        Tenant::new(TenantId::new(id), slug.parse().unwrap())
    }

    fn admission(tenants: impl IntoIterator<Item = Tenant>) -> Admission {
        Admission::new(Arc::new(Mirror::from_iter(tenants)), Plans::default())
    }

    fn named(slug: &str) -> Candidate {
        Candidate::new(slug.parse().unwrap())
    }

    #[test]
    fn only_an_active_tenant_is_admitted() {
        for status in Status::ALL {
            let admitted = admission([Tenant { status, ..tenant(1, "acme") }]).admit(&named("acme"));
            let code = match status {
                Status::Active => None,
                Status::Deleting => Some(Code::TenantDeleting),
                Status::Expired => Some(Code::TenantExpired),
                Status::Provisioning => Some(Code::TenantProvisioning),
                Status::Suspended => Some(Code::TenantSuspended),
            };
            assert_eq!(admitted.err().map(|refusal| refusal.code()), code, "{status}");
        }
    }

    #[test]
    fn a_tenant_whose_time_is_up_is_refused() {
        let ended = Tenant { expires_at: Some(SystemTime::now()), ..tenant(1, "acme") };
        let refusal = admission([ended]).admit(&named("acme")).unwrap_err();
        assert_eq!(refusal.code(), Code::TenantExpired);
    }

    #[test]
    fn what_is_under_way_when_the_time_is_up_may_end() {
        let mirror = Arc::new(Mirror::from_iter([tenant(1, "acme")]));
        let admission = Admission::new(Arc::clone(&mirror), Plans::default());
        let scope = admission.admit(&named("acme")).unwrap();
        let again = |status, ago: Duration| {
            mirror.apply(crate::Change::Upserted(Tenant {
                status,
                expires_at: Some(SystemTime::now() - ago),
                ..tenant(1, "acme")
            }));
            admission.admit_again(&scope).err().map(|refusal| refusal.code())
        };
        assert_eq!(again(Status::Active, Duration::ZERO), None);
        assert_eq!(again(Status::Active, Admission::LAST_WORD), Some(Code::TenantExpired));
        assert_eq!(again(Status::Expired, Duration::ZERO), Some(Code::TenantExpired), "an administrator has said so");
        assert_eq!(again(Status::Suspended, Duration::ZERO), Some(Code::TenantSuspended));
        assert_eq!(again(Status::Deleting, Duration::ZERO), Some(Code::TenantDeleting));
        mirror.reload([], crate::CatalogVersion::new(9));
        assert_eq!(admission.admit_again(&scope).unwrap_err().code(), Code::TenantUnknown);
    }

    #[test]
    fn a_tenant_on_an_unknown_plan_is_refused() {
        let lost = Tenant { plan: "gold".parse().unwrap(), ..tenant(1, "acme") };
        let refusal = admission([lost]).admit_id(TenantId::new(1)).unwrap_err();
        assert_eq!(refusal.code(), Code::PlanUnknown);
    }

    #[test]
    fn names_agree_when_they_are_names_of_one_tenant() {
        let acme = Tenant { aliases: vec!["acme-old".parse().unwrap()], ..tenant(1, "acme") };
        let admission = admission([acme, tenant(2, "globex")]);
        let both = |a, b| admission.admit(&named(a).and(named(b))).map(|scope| scope.id()).map_err(|r| r.code());
        assert_eq!(both("acme", "acme-old"), Ok(TenantId::new(1)));
        assert_eq!(both("acme", "globex"), Err(Code::TenantsDisagree));
        assert_eq!(both("acme", "nobody"), Err(Code::TenantUnknown));
    }
}
