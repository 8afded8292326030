//! What stands for the tenant in a statement.

use std::fmt;

use crate::{Dialect, Name, Quoted, TENANT};

/// What stands for the tenant: $T of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The parameter of this number, in SQLite.
    Parameter(u32),
    /// The parameter of this number, in PostgreSQL.
    #[cfg(feature = "postgres")]
    Dollar(u32),
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
            Self::New | Self::Old => table.quoted().to_string(),
            _ if !crate::rules::on(crate::Rule::Qualify) => table.quoted().to_string(),
            _ => format!("{}.{}", self.dialect().shared_schema().quoted(), table.quoted()),
        }
    }

    /// Whose text it stands in.
    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Parameter(_) | Self::New | Self::Old => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Dollar(_) => Dialect::Postgres,
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
            // In a branch of a UNION the type of a parameter would be text.
            #[cfg(feature = "postgres")]
            Self::Dollar(number) => write!(f, "${number}::bigint"),
            Self::New => write!(f, "NEW.{}", Quoted::new(TENANT)),
            Self::Old => write!(f, "OLD.{}", Quoted::new(TENANT)),
        }
    }
}
