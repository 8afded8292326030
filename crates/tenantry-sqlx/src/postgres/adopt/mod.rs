//! An existing instance becomes a tenant of the shared tables on PostgreSQL.
//!
//! All of it is one transaction on the shared database, so that nothing is left of an adoption that fails.
//!
//! | module | what it has |
//! |---|---|
//! | `instance` | where an instance has its rows |
//! | `session` | the settings under which values read the same everywhere |
//! | `server` | the PostgreSQL database of an instance, as of one moment |
//! | `source` | what is adopted: a database on a server, or a file |
//! | `file` | how rows come from a SQLite file to the server |
//! | `agreement` | whether two schemas are the same |
//! | `rows` | the rows of a table, where they are, and their checksum |
//! | `copy` | how rows come from one server to the other |
//! | `few` | how few rows come from one connection to another |
//! | `sequences` | how far ids have been given out |
//! | `record` | which tenants were adopted, and from what |
//! | `run` | an adoption from beginning to end |
//! | `survey` | what would become of an instance, object by object |

pub(super) mod agreement;
pub(super) mod copy;
pub(super) mod few;
pub(super) mod file;
mod instance;
mod record;
pub(super) mod rows;
mod run;
pub(super) mod sequences;
mod server;
pub(super) mod session;
pub(super) mod source;
mod survey;

use tenantry_core::{Placement, Tenant};

pub(super) use self::{
    agreement::{differences, facts},
    copy::{copy as copy_rows, make as make_stage, pipe, stage},
    rows::{Place, Rows, Sum},
    sequences::{Counted, counted, raise},
    session::settle,
};
pub use self::{
    instance::{Instance, InstanceError},
    server::ServerError,
    survey::survey,
};
use super::{PostgresOptions, dedicated};
use crate::adopt::{AdoptError, AdoptOptions, Adoption};

/// Adopts an instance: its rows become those of `tenant` in the shared tables that `options` describe, with their ids.
///
/// The source is only read. All rows become visible at once, when they have been compared with the source; of an adoption
/// that fails nothing is left. Statements of other tenants go on meanwhile, migrations wait. Rows that the tenant begins
/// with make room. When the tenant was adopted from the same rows before, nothing is done.
///
/// # Errors
///
/// [`AdoptError`] says what is in the way and what to do. Unless there is nothing to do, the tenant must not be active: it
/// could be served while its rows are replaced. Into a database of a tenant's own PostgreSQL's tools bring an instance; the
/// error says how.
pub async fn adopt(
    options: &PostgresOptions,
    tenant: &Tenant,
    from: &Instance,
    how: AdoptOptions<'_>,
) -> Result<Adoption, AdoptError> {
    match tenant.placement {
        Placement::Shared => run::adopt(options, tenant, from, how).await,
        Placement::Dedicated => Err(AdoptError::OwnDatabase {
            tenant: tenant.slug.clone(),
            database: dedicated::name(options, tenant.id),
            role: options.application.get_username().to_owned(),
        }),
        ref other => Err(AdoptError::Placement { tenant: tenant.slug.clone(), placement: other.as_str() }),
    }
}
