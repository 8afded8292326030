//! Where the ids of a shared table's rows come from.

/// Where the ids of a table's rows come from, for columns that are an identity or serial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ids {
    /// From one sequence for all tenants. A tenant sees gaps, which say how much the others do. Costs nothing.
    #[default]
    Shared,
    /// From a sequence of the tenant's own, as on a private database: 1, 2, 3, with a gap where a transaction was undone.
    /// Costs a sequence for each tenant and table.
    PerTenant,
    /// From a row that counts within the transaction, so that one that is undone leaves no gap. Transactions of a tenant
    /// that insert into the table wait for each other.
    Gapless,
}

impl Ids {
    /// As in the configuration and in `tenantry.ids`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::PerTenant => "per-tenant",
            Self::Gapless => "gapless",
        }
    }
}
