//! Where shared tables of PostgreSQL are known to differ from a private database. Whatever differs otherwise is a fault.

use std::collections::BTreeSet;

use super::{Done, Outcome};
use crate::generate::Feature;

/// The SQLSTATE for what a role may not do.
const NO_PRIVILEGE: &str = "42501";

/// A documented difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Known {
    /// The row of a view as a value is of the type `record`, that of a table that all tenants read of the type of the
    /// shared table; privately both have the type that has their name.
    RowType,
    /// `FOR UPDATE` and its kin lock a table that all tenants read, which the application may not.
    LocksGlobal,
}

impl Known {
    /// Which difference this is.
    pub(crate) fn between(features: &BTreeSet<Feature>, private: &Outcome, shared: &Outcome) -> Option<Self> {
        match (private, shared) {
            (Outcome::Done(_), Outcome::Failed { code, .. })
                if code == NO_PRIVILEGE && features.is_superset(&[Feature::Locking, Feature::GlobalTable].into()) =>
            {
                Some(Self::LocksGlobal)
            }
            (Outcome::Done(private), Outcome::Done(shared)) if are_rows(private, shared) => Some(Self::RowType),
            _ => None,
        }
    }
}

fn are_rows(private: &Done, shared: &Done) -> bool {
    let is_row = |(private, shared): (&(String, String), &(String, String))| {
        let other = ["record".to_owned(), format!("tenantry_shared.{}", private.1)];
        private.0 == shared.0 && other.contains(&shared.1.to_ascii_lowercase())
    };
    let columns = || private.columns.iter().zip(&shared.columns).filter(|(private, shared)| private != shared);
    columns().count() > 0 && columns().all(is_row)
}
