//! Work without a scope, noted in the audit log.
//!
//! 1. **Nothing waits for it.** What is seen is counted in memory, and a task writes it. While the catalog is away it goes on
//!    counting; what is more than `audit.unscoped_max` is left out, counted, and told in the log.
//! 2. **A place that is passed a million times** is an entry at once, and then one every `audit.unscoped_every`, with how many
//!    times it was.
//! 3. **Whose it is.** Work that names a tenant, or is begun in a tenant's scope, is noted with this tenant, and by the
//!    deployments of the process that have it. Other work may reach tenants of any of them: all note it, without a tenant.
//!
//! When it does not apply: a process that is killed loses what it has counted since the last entry, never the first one of a
//! place that is older than a moment.

mod seen;

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tenantry_core::{CatalogError, Deed, Mirror, Tenant, TenantId, Unscoped, Witness, Witnessing};
use tokio::sync::{Mutex as Turn, Notify};

use self::seen::{Seen, Which, Work};
use crate::{CatalogStore, Tenancy, config::AuditSection};

impl Tenancy {
    /// Writes to the audit log what work was begun without a scope and is not written yet. [`Tenancy::shut_down`] does that,
    /// and so does [`Tenancy::serve`] at its end.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be written. Then it is written later.
    pub async fn flush_unscoped(&self) -> Result<(), CatalogError> {
        self.unscoped().notes.write(Which::All).await
    }

    /// Does it once more, for a process that stops.
    pub(crate) async fn flush_last_unscoped(&self) {
        match tokio::time::timeout(AT_THE_END, self.flush_unscoped()).await {
            Ok(written) => written.unwrap_or_else(|error| cannot_write(&error)),
            Err(_) => {
                tracing::warn!("what work was begun without a scope could not be written to the audit log in time")
            }
        }
    }
}

/// How long a process that stops may take to write it.
const AT_THE_END: Duration = Duration::from_secs(5);

/// Notes what work is begun without a scope, for as long as it is there; what is left then, a task writes.
pub(crate) struct UnscopedLog {
    notes: Arc<Notes>,
    _witnessing: Witnessing,
}

impl UnscopedLog {
    pub(crate) fn begin(catalog: CatalogStore, mirror: Arc<Mirror>, section: &AuditSection) -> Self {
        let max = usize::try_from(section.unscoped_max.get()).unwrap_or(usize::MAX);
        let notes = Arc::new(Notes {
            catalog,
            mirror,
            seen: Mutex::new(Seen::new(max, section.unscoped_every)),
            writing: Turn::default(),
            woken: Notify::new(),
            closed: AtomicBool::new(false),
        });
        let writer = Arc::clone(&notes);
        #[expect(clippy::disallowed_methods, reason = "it writes for the deployment, and ends with it")]
        tokio::spawn(async move { writer.keep().await });
        Self { _witnessing: Witnessing::begin(Arc::<Notes>::clone(&notes)), notes }
    }
}

impl Drop for UnscopedLog {
    fn drop(&mut self) {
        self.notes.closed.store(true, Ordering::Release);
        self.notes.woken.notify_one();
    }
}

impl fmt::Debug for UnscopedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnscopedLog").finish_non_exhaustive()
    }
}

struct Notes {
    catalog: CatalogStore,
    mirror: Arc<Mirror>,
    seen: Mutex<Seen>,
    writing: Turn<()>,
    woken: Notify,
    closed: AtomicBool,
}

impl Witness for Notes {
    fn knows(&self, unscoped: &Unscoped) -> bool {
        concerned(unscoped).is_some_and(|tenant| self.mirror.by_id(tenant).is_some())
    }

    fn note(&self, unscoped: &Unscoped) {
        let tenant = concerned(unscoped).and_then(|id| self.mirror.by_id(id));
        let tenant: Option<&Tenant> = tenant.as_deref();
        let work = Work { why: *unscoped, tenant: tenant.map(|tenant| tenant.id).or(unscoped.tenant()) };
        if self.seen().add(work, || tenant.map(|tenant| tenant.slug.clone())) {
            self.woken.notify_one();
        }
    }
}

/// The tenant that the work names, or the one in whose scope it is begun.
fn concerned(unscoped: &Unscoped) -> Option<TenantId> {
    unscoped.tenant().or_else(|| tenantry_resource::current().ok().map(|scope| scope.id()))
}

impl Notes {
    /// Writes what there is to write, until the deployment is closed.
    async fn keep(&self) {
        let mut failed = false;
        loop {
            let wait = if failed { AGAIN } else { self.seen().rest() };
            tokio::select! {
                () = self.woken.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
            let closed = self.closed.load(Ordering::Acquire);
            let written = self.write(if closed { Which::All } else { Which::Due }).await;
            if let Err(error) = &written
                && (closed || !failed)
            {
                cannot_write(error);
            }
            if closed {
                return;
            }
            failed = written.is_err();
        }
    }

    /// One entry after the other. Who stops in the middle has at most one that is written again.
    async fn write(&self, which: Which) -> Result<(), CatalogError> {
        let _turn = self.writing.lock().await;
        let left_out = self.seen().left_out();
        if left_out > 0 {
            tracing::warn!(left_out, "work without a scope is not in the audit log: more than audit.unscoped_max");
        }
        // Those that there are now: whoever goes on meanwhile is not waited for.
        let pending = self.seen().pending(which);
        for work in pending {
            let Some(times) = self.seen().times(&work) else { continue };
            let deed = Deed::unscoped(&work.why, times.times, times.since);
            let deed = Deed { tenant: work.tenant, slug: times.slug, ..deed };
            let audit = self.catalog.audit();
            audit.note(audit.act(), &deed).await?;
            self.seen().written(&work, times.times);
        }
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a catalog is left alone that was away.
const AGAIN: Duration = Duration::from_secs(5);

fn cannot_write(error: &CatalogError) {
    tracing::warn!(
        error = error as &dyn Error,
        "work without a scope cannot be written to the audit log now; it is kept in memory"
    );
}
