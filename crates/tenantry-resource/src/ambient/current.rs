//! The scope of the running task.

use std::{cell::RefCell, mem};

use tenantry_core::{Code, Refusal, Scope};
use thiserror::Error;

thread_local! {
    /// The scope of the task that this thread is polling right now.
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// The scope that the running task works in.
///
/// # Errors
///
/// [`NoScope`] outside any scope.
pub fn current() -> Result<Scope, NoScope> {
    CURRENT.with_borrow(Clone::clone).ok_or(NoScope(()))
}

/// Calls `f` with `scope` as the current one, and gives both back.
///
/// The scope is moved in and out again rather than cloned: this happens whenever a task is polled, and counters that all
/// threads write to are what would cost most.
pub(super) fn enter<R>(scope: &mut Option<Scope>, f: impl FnOnce() -> R) -> R {
    /// Puts things back where they were, also when `f` panics.
    struct Leave<'a>(&'a mut Option<Scope>);

    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            CURRENT.with_borrow_mut(|current| mem::swap(current, self.0));
        }
    }

    CURRENT.with_borrow_mut(|current| mem::swap(current, scope));
    let _leave = Leave(scope);
    f()
}

/// Work that needs a tenant ran outside any scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "no tenant scope here: enter one with `within(scope, …)`, and start tasks with `tenantry::spawn` so that they keep \
     the caller's"
)]
pub struct NoScope(());

impl From<NoScope> for Refusal {
    fn from(_: NoScope) -> Self {
        Self::new(Code::NoScope)
    }
}
