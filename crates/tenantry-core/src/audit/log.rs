//! What a store of the log must be able to do.

use super::{Act, AuditEntry, Deed};
use crate::{BoxFuture, CatalogError, TenantId};

/// The log of who did what to which tenant. Every catalog keeps one, and writes an entry with each change, in the same
/// transaction: there is no change without its entry.
///
/// What an implementation promises:
/// 1. Entries are added at the end, and neither changed nor removed.
/// 2. Each is tied to the one before it ([`crate::Link::to`]).
pub trait Audit: Send + Sync + 'static {
    /// Who changes the catalog through this store, and from where.
    fn act(&self) -> &Act;

    /// Notes something that was done and that is no change of the catalog.
    fn note<'a>(&'a self, act: &'a Act, deed: &'a Deed) -> BoxFuture<'a, Result<AuditEntry, CatalogError>>;

    /// At most `limit` entries after the one with this number, in their order.
    fn entries(
        &self,
        after: i64,
        filter: AuditFilter,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<AuditEntry>, CatalogError>>;
}

/// Which entries are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditFilter {
    /// All of them.
    #[default]
    All,
    /// Those about one tenant.
    Of(TenantId),
}
