//! The handle.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicBool},
};

use tenantry_core::{Revision, Scope, TenantId};
use tokio::time::Instant;

use super::{
    Bounds, Held, MakeResource, Unavailable, build,
    slots::{Found, Slots},
};
use crate::current;

/// A handle that yields the current tenant's own resource.
///
/// Cloning is cheap, and clones share the resources.
///
/// ```
/// use tenantry_resource::{Bounds, PerTenant, make_fn, within};
/// # use std::sync::Arc;
/// # use tenantry_core::{Admission, Mirror, Plans, Tenant, TenantId};
/// # let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
/// # let admission = Admission::new(Arc::new(Mirror::from_iter([acme])), Plans::default());
/// # let scope = admission.admit_id(TenantId::new(1))?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let greetings = PerTenant::new(
///     make_fn(|scope| async move { Ok::<_, std::io::Error>(format!("hello, {}", scope.slug())) }),
///     Bounds::default(),
/// );
/// assert!(greetings.current().await.is_err(), "no scope, no answer");
/// assert_eq!(*within(scope, greetings.current()).await?, "hello, acme");
/// # Ok::<(), tenantry_resource::Unavailable>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PerTenant<M: MakeResource> {
    shared: Arc<Shared<M>>,
}

pub(super) struct Shared<M: MakeResource> {
    pub(super) make: Arc<M>,
    pub(super) bounds: Bounds,
    slots: RwLock<Slots<M>>,
    /// Whether the task that closes idle resources runs.
    pub(super) sweeping: AtomicBool,
}

impl<M: MakeResource> PerTenant<M> {
    /// Resources made by `make`, within `bounds`. Nothing is built yet.
    pub fn new(make: M, bounds: Bounds) -> Self {
        Self {
            shared: Arc::new(Shared {
                make: Arc::new(make),
                bounds,
                slots: RwLock::new(Slots::new(bounds)),
                sweeping: AtomicBool::new(false),
            }),
        }
    }

    /// The resource of the tenant that the running task works for.
    ///
    /// # Errors
    ///
    /// [`Unavailable::NoScope`] outside any scope, and whatever [`PerTenant::of`] answers.
    pub async fn current(&self) -> Result<Held<M>, Unavailable> {
        self.of(&current()?).await
    }

    /// The resource of the tenant of `scope`, built now if it is not there.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] says why there is none, and when to try again.
    pub async fn of(&self, scope: &Scope) -> Result<Held<M>, Unavailable> {
        loop {
            if let Some(held) = self.ready(scope) {
                return Ok(held);
            }
            let (found, evicted) = self.shared.write().claim(scope, Instant::now())?;
            // Closing what had to make room happens outside the lock.
            drop(evicted);
            let building = match found {
                Found::Live(held) => return Ok(held),
                Found::Building(building) => building,
                Found::Begun(building, token) => {
                    build::begin(&self.shared, scope.clone(), Arc::clone(&building), token);
                    building
                }
            };
            building.wait(self.shared.bounds.waiters_max).await?;
        }
    }

    /// The resource of the tenant of `scope`, if it is there already. Never waits.
    pub fn ready(&self, scope: &Scope) -> Option<Held<M>> {
        self.shared.read().live(scope)
    }

    /// Takes the tenant's resource out of use; it is closed when its last user is done. One that is being built is closed
    /// as soon as it is there, and those who wait for it are refused.
    ///
    /// The next request builds a new one.
    pub fn evict(&self, tenant: TenantId) {
        self.evict_before(tenant, Revision::new(i64::MAX));
    }

    /// Like [`PerTenant::evict`], but leaves alone what was built for this revision of the tenant's record, or for a later
    /// one.
    pub fn evict_before(&self, tenant: TenantId, revision: Revision) {
        let evicted = self.shared.write().take_before(tenant, revision);
        // Closing begins here, outside the lock.
        drop(evicted);
    }

    /// How many resources are building or live.
    pub fn len(&self) -> usize {
        self.shared.read().occupied()
    }

    /// Whether none is building or live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses newcomers, and waits until every resource is closed: those in use when their last user is done.
    ///
    /// Dropping the future stops the waiting, not the closing.
    pub async fn shut_down(&self) {
        let live = self.shared.write().shut();
        drop(live);
        let open = self.shared.read().open().clone();
        open.close();
        open.wait().await;
    }
}

impl<M: MakeResource> Clone for PerTenant<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: MakeResource> fmt::Debug for PerTenant<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerTenant").field("bounds", &self.shared.bounds).field("len", &self.len()).finish()
    }
}

impl<M: MakeResource> Shared<M> {
    fn read(&self) -> RwLockReadGuard<'_, Slots<M>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Slots<M>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}
