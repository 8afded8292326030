//! The ambient scope: which tenant the running task works for.
//!
//! The scope is bound to a task, not to a thread and not to the process. It is entered with [`within`], read with
//! [`current`], and lost wherever a new task begins: there, [`spawn`] and [`spawn_blocking`] take it along. Code that
//! runs outside any scope gets [`NoScope`], never a tenant by default.
//!
//! | keeps the scope | loses it, and is refused |
//! |---|---|
//! | everything awaited inside `within` | `tokio::spawn`, `tokio::task::spawn_blocking`, `std::thread::spawn` |
//! | a stream or a body wrapped by `within`, whenever it is polled, and when it is dropped | callbacks that a library runs in tasks of its own, such as a WebSocket's `on_upgrade` |
//! | [`spawn`], [`spawn_blocking`] | |
//!
//! ```
//! use tenantry_resource::{current, within};
//! # use std::sync::Arc;
//! # use tenantry_core::{Admission, Mirror, Plans, Tenant, TenantId};
//! # let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
//! # let admission = Admission::new(Arc::new(Mirror::from_iter([acme])), Plans::default());
//! # let scope = admission.admit_id(TenantId::new(1))?;
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! assert!(current().is_err());
//! let slug = within(scope, async { current().map(|scope| scope.slug().to_string()) }).await;
//! assert_eq!(slug.as_deref(), Ok("acme"));
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod current;
mod spawn;
mod within;

pub use self::{
    current::{NoScope, current},
    spawn::{spawn, spawn_blocking},
    within::{Within, within, within_call, within_sync},
};
