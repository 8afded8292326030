//! The registry of tenants, and its copy in memory.

mod amendment;
mod error;
mod mirror;
mod registry;

pub use self::{
    amendment::Amendment,
    error::CatalogError,
    mirror::Mirror,
    registry::{BoxFuture, Catalog, CatalogVersion, Change, NewTenant},
};
