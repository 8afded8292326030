//! Admits the tenant that a request is for, or refuses.
//!
//! The [`AdmitLayer`] takes the [`tenantry_core::Candidate`] that [`crate::ResolveLayer`] found, and puts the
//! [`tenantry_core::Scope`] into the request's extensions. Without a candidate it refuses: layers in the wrong order
//! let nothing through.

mod layer;
mod service;

pub use self::{layer::AdmitLayer, service::Admit};
