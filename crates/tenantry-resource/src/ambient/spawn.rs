//! Starting tasks that keep the caller's scope.

use tokio::task::JoinHandle;

use super::{NoScope, current, within, within_sync};

/// Like `tokio::spawn`, and the task keeps the caller's scope.
///
/// # Errors
///
/// [`NoScope`] when the caller has none: the task is not started.
#[expect(clippy::disallowed_methods, reason = "this is the module that may: it takes the scope along")]
pub fn spawn<F>(future: F) -> Result<JoinHandle<F::Output>, NoScope>
where
    F: Future<Output: Send> + Send + 'static,
{
    Ok(tokio::spawn(within(current()?, future)))
}

/// Like `tokio::task::spawn_blocking`, and the closure keeps the caller's scope.
///
/// # Errors
///
/// [`NoScope`] when the caller has none: the closure is not started.
#[expect(clippy::disallowed_methods, reason = "this is the module that may: it takes the scope along")]
pub fn spawn_blocking<F, R>(f: F) -> Result<JoinHandle<R>, NoScope>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let scope = current()?;
    Ok(tokio::task::spawn_blocking(move || within_sync(scope, f)))
}
