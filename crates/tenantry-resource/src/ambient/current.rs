//! The scope of the running task.

use tenantry_core::{Code, Refusal, Scope};
use thiserror::Error;

tokio::task_local! {
    pub(super) static SCOPE: Scope;
}

/// The scope that the running task works in.
///
/// # Errors
///
/// [`NoScope`] outside any scope.
pub fn current() -> Result<Scope, NoScope> {
    SCOPE.try_with(Scope::clone).map_err(|_| NoScope(()))
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
