//! Rename.

use tenantry_core::{Amendment, Slug, Tenant};

use super::not_deleting;
use crate::{Changed, Control, DryRun, Foreseen, VerbError};

/// What becomes of a tenant's former name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// It stays as an alias, so that links still work.
    Kept,
    /// Others may have it.
    Freed,
}

impl Control {
    /// Gives a tenant another public name.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`tenantry_core::CatalogError::NameTaken`] in it when another tenant has the name.
    pub async fn rename(&self, tenant: &Slug, to: &Slug, former: Former) -> Result<Changed, VerbError> {
        self.change(tenant, |tenant| renamed(tenant, to, former)).await
    }
}

impl DryRun<'_> {
    /// What [`Control::rename`] would do.
    ///
    /// # Errors
    ///
    /// Its own.
    pub async fn rename(&self, tenant: &Slug, to: &Slug, former: Former) -> Result<Foreseen, VerbError> {
        self.change(tenant, |tenant| renamed(tenant, to, former)).await
    }
}

fn renamed(tenant: &Tenant, to: &Slug, former: Former) -> Result<Amendment, VerbError> {
    not_deleting(tenant)?;
    let removed = if former == Former::Freed { vec![tenant.slug.clone()] } else { Vec::new() };
    Ok(Amendment { slug: Some(to.clone()), aliases_removed: removed, ..Amendment::default() })
}
