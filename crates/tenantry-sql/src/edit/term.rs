//! What stands for the tenant in a statement.

use std::fmt;

use crate::{Name, Quoted, TENANT};

/// What stands for the tenant: $T of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The parameter of this number.
    Parameter(u32),
    /// In a trigger: the tenant of the row that has been inserted or updated.
    New,
    /// In a trigger: the tenant of the row that has been deleted.
    Old,
}

impl Tenant {
    /// A table as it is called in the shared schema. Triggers do not allow a schema there, and need none: their names are
    /// looked up in the trigger's own schema.
    pub(crate) fn physical(self, table: &Name) -> String {
        match self {
            Self::Parameter(_) if crate::rules::on(crate::Rule::Qualify) => format!("\"main\".{}", table.quoted()),
            Self::Parameter(_) | Self::New | Self::Old => table.quoted().to_string(),
        }
    }

    /// The condition that a row of `table` is the tenant's.
    pub(crate) fn owns(self, table: &Name) -> String {
        format!("{}.{} = {self}", table.quoted(), Quoted::new(TENANT))
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(number) => write!(f, "?{number}"),
            Self::New => write!(f, "NEW.{}", Quoted::new(TENANT)),
            Self::Old => write!(f, "OLD.{}", Quoted::new(TENANT)),
        }
    }
}
