//! Keeps each tenant within the limits of its plan, so that one at its limit does not slow another.
//!
//! 1. Requests under way: counted until the answer's body has been sent. More than `in_flight_max` are refused with 429.
//! 2. Requests per second with a burst, by the generic cell rate algorithm (crate `governor`). More are refused with
//!    429, and `Retry-After` says when the next one fits.
//! 3. The request's body: one that says it is larger than `body_bytes_max` is refused with 413; one that does not say
//!    and turns out to be larger fails where the application reads it, which axum's extractors answer with 413.
//!
//! An upgraded connection (a WebSocket) counts until its handshake is answered: what follows belongs to a task that the
//! application started. How long a client may take to send its body is not limited here; a proxy in front has to.
//!
//! The limits are kept per process: three processes behind a load balancer allow three times as much.

mod future;
mod layer;
mod meter;
mod service;

pub use self::{future::LimitFuture, layer::LimitLayer, service::Limit};
