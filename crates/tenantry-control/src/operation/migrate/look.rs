//! What each database needs.

use std::num::NonZeroUsize;

use futures_util::{StreamExt, TryStreamExt, stream};
use tenantry_core::{MigrationName, Slug, Tenant};

use crate::{Control, VerbError, with_causes};

/// What a rollout would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The migrations that the shared tables need.
    pub shared: Vec<MigrationName>,
    /// What each tenant's own database needs.
    pub tenants: Vec<(Slug, Needs)>,
}

/// What a database needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// These migrations; none where it is up to date.
    Migrations(Vec<MigrationName>),
    /// Nothing: there is no database yet.
    NoDatabase,
    /// It cannot be said. A migration would fail as well.
    Unknown {
        /// Why.
        problem: String,
    },
}

impl Control {
    /// What the databases of these tenants need, in their order.
    pub(super) async fn look(&self, tenants: &[Tenant], concurrency: NonZeroUsize) -> Result<Vec<Needs>, VerbError> {
        let rows = self.migrations()?;
        let looks = tenants.iter().map(|tenant| async move {
            Ok::<_, VerbError>(match rows.pending(tenant).await {
                Ok(Some(migrations)) => Needs::Migrations(migrations),
                Ok(None) => Needs::NoDatabase,
                Err(error) => Needs::Unknown { problem: with_causes(&error) },
            })
        });
        stream::iter(looks).buffered(concurrency.get()).try_collect().await
    }
}
