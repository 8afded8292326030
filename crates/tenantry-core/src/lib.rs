//! The vocabulary of Tenantry: who a tenant is, how a request finds its tenant, and the proof that it may go on.
//!
//! ```text
//! request ─► Resolver ─► Candidate ─► Admission (Mirror of the Catalog, Plans) ─► Scope, or a Refusal
//! ```
//!
//! * [`Slug`], [`TenantId`] and [`Tenant`] say who; [`Catalog`] is the durable registry, [`Mirror`] its copy in memory.
//! * A [`Resolver`] reads a [`Candidate`] from a request. A candidate is a claim, nothing more.
//! * [`Admission`] turns a candidate into a [`Scope`], or into a [`Refusal`]. Nothing else makes a scope.
//! * [`Usage`] is what a tenant has used, counted.
//! * [`Unscoped`] is the deliberate absence of a scope, with a written reason.
//!
//! This crate performs no I/O and knows no runtime; a test holds its manifest to that.

mod catalog;
mod plan;
mod refusal;
mod resolve;
mod scope;
mod settings;
mod slug;
mod tenant;
mod usage;

pub use catalog::{Amendment, BoxFuture, Catalog, CatalogError, CatalogVersion, Change, Mirror, NewTenant};
pub use plan::{Limits, Plan, PlanName, PlanNameError, Plans, Rate};
pub use refusal::{Code, Refusal};
pub use resolve::{Candidate, Malformed, Resolution, Resolver};
pub use scope::{Admission, Scope, Unscoped};
pub use settings::{Overrides, OverridesTooLarge, SettingChange, SettingPath, SettingPathError};
pub use slug::{Slug, SlugError};
pub use tenant::{Placement, PlacementError, Revision, Status, StatusError, Tenant, TenantId};
pub use usage::{Count, Usage, Usages};
