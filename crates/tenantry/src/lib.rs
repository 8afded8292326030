//! Multi-tenancy for existing web applications: what an application depends on.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tenantry::Tenancy;
//!
//! # async fn build_app(slug: &str) -> Result<Router, std::io::Error> { Ok(Router::new()) }
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let tenancy = Tenancy::open("tenantry.toml").await?;
//! let app = tenancy.dispatch(|scope| async move { build_app(scope.slug().as_str()).await });
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! tenancy.serve(listener, app, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Tenancy`] puts the parts together as the configuration says. The parts are here as well, to be put together
//! differently: the vocabulary of `tenantry-core`, the ambient scope and [`PerTenant`] of `tenantry-resource`, the
//! layers of `tenantry-tower`, the stores of `tenantry-sqlx`.

pub mod cache;
mod catalog;
mod certificate;
pub mod config;
pub mod directory;
pub mod entrance;
mod front;
pub mod jobs;
mod keys;
mod metrics;
mod open;
mod planes;
mod resolver;
mod serve;
pub mod settings;
mod tenancy;
pub mod trial;
mod unscoped;
pub mod uploads;
mod usage;

pub use tenantry_control as control;
pub use tenantry_core::{
    Act, Admission, Amendment, Amount, Amounts, Audit, AuditEntry, AuditFilter, Batch, BoxFuture, Broken, Candidate,
    Catalog, CatalogError, CatalogVersion, Change, Code, Count, Deed, Hour, Ledger, LedgerError, Limits, Link,
    Listener, Malformed, MigratableRows, MigrationName, Mirror, MovableRows, Moving, NewTenant, News, Once, Operation,
    OperationId, Outcome, Passphrase, Placement, PlacementError, Plan, PlanName, PlanNameError, Plane, PlaneError,
    Plans, Rate, Refusal, Resolution, Resolver, Revision, Scope, Slug, SlugError, Spent, Status, StatusError, Step,
    Tenant, TenantId, Unscoped, Usage, UsageError, UsagePlane, UsageStore, Usages, Used, Witness, Witnessing,
};
pub use tenantry_resource::{
    Bounds, BoxError, BuildError, DerivedKey, Held, KeyFileError, KeyId, Keys, MakeFn, MakeResource, MasterKeys,
    NoScope, PerTenant, Purpose, TokenError, Unavailable, current, make_fn, spawn, spawn_blocking, within,
};
pub use tenantry_sql as sql;
#[cfg(feature = "postgres")]
pub use tenantry_sqlx::PgCatalog;
#[doc(hidden)]
pub use tenantry_sqlx::scoped::Scopable;
pub use tenantry_sqlx::{
    Explain, FollowOptions, Follower, MigrationError, OpenOptions, ScopeError, ScopedConnection, ScopedPool,
    ScopedTransaction, SqliteCatalog, SqliteOptions, adopt, follow,
};
#[cfg(feature = "postgres")]
pub use tenantry_sqlx::{Finding, Ids, PgRows, PostgresOptions, Severity, doctor};
pub use tenantry_tower as tower;
pub use tenantry_tower::{App, CurrentScope, ScriptRoot};

pub use self::{
    catalog::CatalogStore,
    certificate::{Certificate, NotErased, Removed},
    front::{Connected, Front},
    open::OpenError,
    resolver::ResolverError,
    serve::Stopped,
    tenancy::Tenancy,
};
