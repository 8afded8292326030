//! The schema on PostgreSQL: the application's own, and the shared tables that follow it.
//!
//! In `public` is the application's schema as its migrations declared it, without rows. In `tenantry_shared` are the tables
//! with all tenants' rows. Migrations run on the one as they are written, and the other is made to follow by comparing
//! catalogs: what a definition means is said by the server.
//!
//! | module | what it does |
//! |---|---|
//! | `install` | makes the schemas, and says who may do what |
//! | `catalogs` | the views that stand for PostgreSQL's own catalogs |
//! | `model` | reads what a schema consists of |
//! | `shape` | says what the shared tables should be |
//! | `foreign` | the same for foreign keys |
//! | `difference` | says by which statements they become so |
//! | `followed` | which shared table belongs to which of the application's |
//! | `follow` | makes the shared tables follow, and checks that they have |
//! | `map` | reads the application's schema for the rewriter |
//! | `migrate` | runs migrations, once for all tenants |
//! | `provision` | gives a tenant its first rows |
//! | `doctor` | says which walls are broken, and how to mend them |
//! | `numbering` | gives tenants ids of their own |
//! | `gone` | refuses changes of rows that have been moved |
//! | `lock` | one migration at a time, and none while a tenant is made |
//! | `error` | says why the schema is not what it has to be |

mod catalogs;
mod difference;
mod doctor;
mod error;
mod follow;
mod followed;
mod foreign;
pub(super) mod gone;
mod install;
mod lock;
mod map;
mod migrate;
mod model;
pub(super) mod numbering;
mod provision;
mod shape;
#[cfg(test)]
mod tests;

pub use self::doctor::{Finding, Severity};
pub(crate) use self::{
    doctor::doctor,
    install::{Setup, install, version},
    map::read,
    migrate::migrate,
    provision::provision,
};
pub(super) use self::{
    lock::wait_and_keep_schema,
    migrate::{enter, recorded},
    provision::{PRISTINE, has_tenant},
};
