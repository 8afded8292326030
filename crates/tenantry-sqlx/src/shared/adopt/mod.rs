//! An existing instance of the application becomes a tenant: its database is read, its rows become the tenant's.
//!
//! | module | what it has |
//! |---|---|
//! | `source` | the instance's database: found, opened, looked through |
//! | `contents` | what it has in it, summed up |
//! | `rows` | what of a table is adopted, and the statements that copy and compare it |
//! | `agreement` | whether both have the same schema |
//! | `takeover` | a shared database without a schema takes that of the source |
//! | `record` | which adoptions there are and how far they are |
//! | `run` | an adoption into shared tables, from beginning to end |
//! | `dedicated` | an adoption into a database of the tenant's own |
//! | `elsewhere` | what an adoption into another database reads of a file |
//! | `survey` | what would become of an instance, object by object |
//! | `error` | why an instance was not adopted |

mod agreement;
mod contents;
mod dedicated;
#[cfg(feature = "postgres")]
pub(crate) mod elsewhere;
mod error;
pub(super) mod record;
mod rows;
mod run;
mod source;
mod survey;
mod takeover;

use std::{fmt, ops::ControlFlow, path::Path};

use tenantry_core::{Placement, Status, Tenant};

/// Adoption into shared tables on PostgreSQL.
#[cfg(feature = "postgres")]
pub mod postgres {
    pub use crate::postgres::adopt::{Instance, InstanceError, ServerError, adopt, survey};
}

pub use self::{
    agreement::Difference,
    error::AdoptError,
    source::SourceError,
    survey::{Survey, Surveyed, Verdict, survey},
};
pub(super) use self::{
    agreement::{differences, has_migrations, names},
    contents::{Sum, table},
    record::{discard, discard_unfinished, is_unfinished},
    rows::{Place, Rows, row_id_of},
    source::{MIGRATIONS, SOURCE, attach, encoded, is_of_application},
    takeover::copy_migrations,
};
use super::SqliteOptions;

/// How an instance is adopted.
pub struct AdoptOptions<'a> {
    /// How many rows are copied in one transaction, at most; 5,000 by default. Other tenants cannot write meanwhile.
    pub batch_rows: u32,
    /// How many bytes are, roughly: rows are taken to be as large as those of the source on average; 16 MiB by default.
    pub batch_bytes: u64,
    progress: Box<Told<'a>>,
}

/// Who is told how far it is.
type Told<'a> = dyn FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'a;

/// How far an adoption is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The table that is being copied.
    pub table: &'a str,
    /// How many rows of it are there.
    pub rows: u64,
    /// How many there will be.
    pub total: u64,
}

/// What was adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adoption {
    /// The tables, each with what the source and now the tenant has in it.
    pub tables: Vec<AdoptedTable>,
    /// Whether all of it was there before.
    pub already: bool,
    /// Whether an earlier call had come some way.
    pub resumed: bool,
    /// Whether the shared database had no schema, and has the source's from now on. New tenants then begin without rows:
    /// which of the source's rows came from migrations cannot be told.
    pub took_schema: bool,
}

/// A table that was adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdoptedTable {
    /// The table.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// The sum of the digests of its rows, all columns and storage classes included; it does not depend on their order.
    pub checksum: String,
    /// Whether all tenants read it.
    pub is_global: bool,
}

/// Adopts the instance whose database is the file at `from`: its rows become those of `tenant`, with their ids.
///
/// The source is only read. The rows are copied in batches, compared with the source, and become visible all at once; a
/// call that ended before that is continued by the next one. Statements of other tenants go on meanwhile. When the tenant
/// was adopted from the same rows before, nothing is done.
///
/// # Errors
///
/// [`AdoptError`] says what is in the way and what to do. Unless there is nothing to do, the tenant must not be active: it
/// could be served while its rows are incomplete.
pub async fn adopt(
    options: &SqliteOptions,
    tenant: &Tenant,
    from: &Path,
    mut how: AdoptOptions<'_>,
) -> Result<Adoption, AdoptError> {
    let source = source::Source::find(from)?;
    if options.shared.canonicalize().is_ok_and(|shared| shared == source.path) {
        return Err(SourceError::Ours(source.path).into());
    }
    // Before anything is made: a source that cannot be read leaves nothing behind.
    source.attach(&mut dedicated::memory().await?).await?;
    match tenant.placement {
        Placement::Shared => run::adopt(options, tenant, &source, &mut how).await,
        Placement::Dedicated => dedicated::adopt(options, tenant, &source).await,
        ref other => Err(AdoptError::Placement { tenant: tenant.slug.clone(), placement: other.as_str() }),
    }
}

/// Refuses a tenant that could be served while its rows are incomplete.
fn is_not_served(tenant: &Tenant) -> Result<(), AdoptError> {
    match tenant.status_now() {
        Status::Active => Err(AdoptError::Served(tenant.slug.clone())),
        _ => Ok(()),
    }
}

impl<'a> AdoptOptions<'a> {
    /// Tells after each batch how far it is. The answer says whether to go on; a later call continues.
    #[must_use]
    pub fn on_progress(mut self, told: impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'a) -> Self {
        self.progress = Box::new(told);
        self
    }

    pub(crate) fn told(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        (self.progress)(progress)
    }

    /// How many rows a batch has when there are so many in so many bytes.
    fn batch(&self, bytes: u64, rows: i64) -> i64 {
        let size = bytes / rows.max(1).unsigned_abs();
        let fitting = self.batch_bytes / size.max(1);
        i64::try_from(fitting.clamp(1, u64::from(self.batch_rows.max(1)))).unwrap_or(1)
    }
}

impl Default for AdoptOptions<'_> {
    fn default() -> Self {
        Self { batch_rows: 5_000, batch_bytes: 16 << 20, progress: Box::new(|_| ControlFlow::Continue(())) }
    }
}

impl fmt::Debug for AdoptOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch_rows, batch_bytes, .. } = self;
        f.debug_struct("AdoptOptions")
            .field("batch_rows", batch_rows)
            .field("batch_bytes", batch_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_rows_and_by_bytes() {
        let options = AdoptOptions::default();
        assert_eq!(options.batch(1_000_000, 10_000), 5_000);
        assert_eq!(options.batch(1 << 30, 1_024), 16);
        assert_eq!(options.batch(1 << 40, 1), 1);
        assert_eq!(options.batch(4_096, 0), 4_096);
    }
}
