//! The vocabulary of Tenantry: who a tenant is, how a request finds its tenant, and the proof that it may go on.
//!
//! ```text
//! request ─► Resolver ─► Candidate ─► Admission (Mirror of the Catalog, Plans) ─► Scope, or a Refusal
//! ```
//!
//! * [`Slug`], [`TenantId`] and [`Tenant`] say who; [`Catalog`] is the durable registry, [`Mirror`] its copy in memory.
//! * A [`Resolver`] reads a [`Candidate`] from a request. A candidate is a claim, nothing more.
//! * [`Admission`] turns a candidate into a [`Scope`], or into a [`Refusal`]. Nothing else makes a scope.
//! * [`Audit`] is the log of who did what to which tenant.
//! * A [`Plane`] is a kind of place where tenants have data: rows, uploads, jobs.
//! * A [`Ledger`] has the [`Operation`]s that are being done to tenants, step by step.
//! * A [`Listener`] is told how far long work is.
//! * [`Once`] remembers what was good for one use and was used.
//! * [`PortableRows`], [`PortableUploads`] and [`PortableSettings`] give out what a tenant has and take it in elsewhere.
//! * [`MovableRows`] brings a tenant's rows to the other placement; [`MigratableRows`] runs the application's migrations.
//! * [`Usage`] is what a tenant has used, counted; a [`UsageStore`] keeps it, hour by hour.
//! * [`Unscoped`] is the deliberate absence of a scope, with a written reason; a [`Witness`] is told of it.
//!
//! This crate performs no I/O and knows no runtime; a test holds its manifest to that.

mod audit;
mod catalog;
mod ledger;
mod listener;
mod migratable;
mod movable;
mod once;
mod plan;
mod plane;
mod portable;
mod refusal;
mod resolve;
mod scope;
mod settings;
mod slug;
mod tenant;
mod usage;

pub use audit::{Act, Audit, AuditEntry, AuditFilter, Broken, Deed, Link};
pub use catalog::{Amendment, BoxFuture, Catalog, CatalogError, CatalogVersion, Change, Mirror, NewTenant};
pub use ledger::{
    Direction, Ledger, LedgerError, NewOperation, Operation, OperationId, Outcome, Progress, Subject, Worker,
};
pub use listener::{Listener, News};
pub use migratable::{MigratableRows, MigrationName};
pub use movable::{MovableRows, Moving};
pub use once::{FORGET_AFTER, Once, Spent};
pub use plan::{Limits, Plan, PlanName, PlanNameError, Plans, Rate};
pub use plane::{Amount, Copying, Plane, PlaneError};
pub use portable::{
    BoxError, Chunks, ColumnShape, Counter, GivenUpload, GivesRows, GivesUploads, Passphrase, PortableRows,
    PortableSettings, PortableUploads, RowsPart, RowsSchema, TableShape, TakesRows, UploadHead,
};
pub use refusal::{Code, Refusal};
pub use resolve::{Candidate, Malformed, Resolution, Resolver};
pub use scope::{Admission, Scope, Unscoped, Witness, Witnessing};
pub use settings::{Overrides, OverridesTooLarge, SettingChange, SettingPath, SettingPathError};
pub use slug::{Slug, SlugError};
pub use tenant::{Placement, PlacementError, Revision, Status, StatusError, Tenant, TenantId};
pub use usage::{Amounts, Batch, Count, Hour, Meter, Step, Usage, UsageError, UsagePlane, UsageStore, Usages, Used};
