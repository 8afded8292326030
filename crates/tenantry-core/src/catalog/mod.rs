//! The registry of tenants, and its copy in memory.

mod error;
mod mirror;
mod registry;

pub use self::{
    error::CatalogError,
    mirror::Mirror,
    registry::{BoxFuture, Catalog, CatalogVersion, Change, NewTenant},
};
