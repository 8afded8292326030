//! One application per tenant, built when the tenant is first asked for, in one process.
//!
//! ```text
//! request with a scope ─► is the tenant's application live? ── yes ─► call it
//!                                        │ no
//!                                        ▼
//!                              build it (once), or refuse with 503 and `Retry-After`
//! ```
//!
//! Applications are a [`tenantry_resource::PerTenant`], so they are bounded, closed when idle, and not closed while an
//! answer is under way, its body included.

mod future;
mod make;
mod service;

pub use self::{
    future::DispatchFuture,
    make::{App, MakeApp},
    service::Dispatch,
};
