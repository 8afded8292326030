//! Who is told of work without a scope.
//!
//! [`Unscoped::because`] has nothing that leads to a deployment, so its witnesses are the process's.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::Unscoped;

/// Is told of all work without a scope in this process, while it is registered.
///
/// Where there are several witnesses, as for several deployments in one process, those are told who know whom the work
/// concerns. Of work that concerns none that anybody knows, all are told: it may reach tenants of any.
pub trait Witness: Send + Sync + 'static {
    /// Whether the work concerns a tenant that is this one's: the one that it names, or the one in whose scope it is begun.
    fn knows(&self, unscoped: &Unscoped) -> bool;

    /// Takes note. It is called where the work is begun, so it neither waits nor fails.
    fn note(&self, unscoped: &Unscoped);
}

/// A witness is told for as long as this is there.
#[must_use]
pub struct Witnessing(Arc<dyn Witness>);

impl Witnessing {
    /// Tells this one from now on.
    pub fn begin(witness: Arc<dyn Witness>) -> Self {
        WITNESSES.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&witness));
        Self(witness)
    }
}

impl Drop for Witnessing {
    fn drop(&mut self) {
        let mut witnesses = WITNESSES.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = witnesses.iter().position(|witness| Arc::ptr_eq(witness, &self.0)) {
            witnesses.swap_remove(at);
        }
    }
}

impl fmt::Debug for Witnessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witnessing").finish_non_exhaustive()
    }
}

/// Tells those whom it concerns.
pub(super) fn tell(unscoped: &Unscoped) {
    // Not while the list is locked: a witness is somebody else's code.
    let witnesses = WITNESSES.read().unwrap_or_else(PoisonError::into_inner).clone();
    let knowing: Vec<_> = witnesses.iter().filter(|witness| witness.knows(unscoped)).collect();
    if knowing.is_empty() {
        witnesses.iter().for_each(|witness| witness.note(unscoped));
    } else {
        knowing.into_iter().for_each(|witness| witness.note(unscoped));
    }
}

static WITNESSES: RwLock<Vec<Arc<dyn Witness>>> = RwLock::new(Vec::new());

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::TenantId;

    struct Deployment {
        tenant: TenantId,
        heard: Mutex<Vec<&'static str>>,
    }

    impl Deployment {
        fn of(tenant: i64) -> Arc<Self> {
            Arc::new(Self { tenant: TenantId::new(tenant), heard: Mutex::default() })
        }

        fn heard(&self) -> Vec<&'static str> {
            std::mem::take(&mut *self.heard.lock().unwrap())
        }
    }

    impl Witness for Deployment {
        fn knows(&self, unscoped: &Unscoped) -> bool {
            unscoped.tenant() == Some(self.tenant)
        }

        fn note(&self, unscoped: &Unscoped) {
            self.heard.lock().unwrap().push(unscoped.reason());
        }
    }

    #[test]
    fn those_are_told_whom_it_concerns() {
        let (one, other) = (Deployment::of(1), Deployment::of(2));
        let witnessing = Witnessing::begin(Arc::<Deployment>::clone(&one));
        let _witnessing = Witnessing::begin(Arc::<Deployment>::clone(&other));
        let _ = Unscoped::on(TenantId::new(2), "about the second");
        assert_eq!((one.heard(), other.heard()), (vec![], vec!["about the second"]));
        let _ = Unscoped::on(TenantId::new(3), "about nobody known");
        let _ = Unscoped::because("about all");
        let all = vec!["about nobody known", "about all"];
        assert_eq!((one.heard(), other.heard()), (all.clone(), all));
        drop(witnessing);
        let _ = Unscoped::because("about those who are left");
        assert_eq!((one.heard(), other.heard()), (vec![], vec!["about those who are left"]));
    }
}
