//! Runs the application within the scope of the request's tenant.
//!
//! The [`EnterLayer`] makes the scope current ([`tenantry_resource::current`]) while the handler runs and while its
//! answer's body is polled. A panic in the handler becomes an answer with status 500, as it concerns this request alone.
//! So does a failure (500) of an application that work in the scope was refused to, by a limit of the tenant's plan for
//! instance: it becomes the refusal, which says more to the tenant's user.
//!
//! What the application starts with `tokio::spawn` is outside the scope, and refused by every handle that needs one:
//! see [`tenantry_resource::spawn`]. The callback of a WebSocket upgrade runs in such a task.

mod future;
mod layer;
mod service;

pub use self::{future::EnterFuture, layer::EnterLayer, service::Enter};
