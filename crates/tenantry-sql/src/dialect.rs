//! The databases whose statements are scoped, and what differs between them where the rules ask.

use crate::{Code, Limits, Name, Refused, SchemaMap, edit::Tenant, ir, sqlite};

/// Whose SQL a statement is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    #[default]
    Sqlite,
    /// PostgreSQL. The schema map's names are made with [`Name::exact`].
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Dialect {
    /// Parses exactly one statement.
    pub(crate) fn parse(self, text: &str, limits: &Limits) -> Result<ir::Statement, Refused> {
        match self {
            Self::Sqlite => sqlite::lower::parse(text, limits),
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::lower::parse(text, limits),
        }
    }

    /// The statements of a script, without the semicolons between them.
    ///
    /// # Errors
    ///
    /// A refusal, if the script cannot be read.
    pub fn statements(self, script: &str) -> Result<Vec<&str>, Refused> {
        match self {
            Self::Sqlite => sqlite::ddl::statements(script),
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::script::statements(script),
        }
    }

    /// Reads what was printed again; the tenant is the parameter of this number.
    pub(crate) fn verify(self, text: &str, schema: &SchemaMap, number: u32) -> Result<(), Refused> {
        match self {
            Self::Sqlite => sqlite::verify(text, schema, sqlite::TenantTerm::Parameter(number)),
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::verify(text, schema, number),
        }
    }

    /// What stands for the tenant.
    pub(crate) const fn tenant(self, number: u32) -> Tenant {
        match self {
            Self::Sqlite => Tenant::Parameter(number),
            #[cfg(feature = "postgres")]
            Self::Postgres => Tenant::Dollar(number),
        }
    }

    /// The schema that the shared tables are in.
    pub(crate) fn shared_schema(self) -> Name {
        match self {
            Self::Sqlite => Name::from("main"),
            #[cfg(feature = "postgres")]
            Self::Postgres => Name::exact(crate::SHARED_SCHEMA),
        }
    }

    /// What the application calls the schema that its tables are in.
    pub(crate) fn schema(self) -> Name {
        match self {
            Self::Sqlite => Name::from("main"),
            #[cfg(feature = "postgres")]
            Self::Postgres => Name::exact("public"),
        }
    }

    /// Whether tables have row ids, which are no columns.
    pub(crate) const fn has_row_ids(self) -> bool {
        match self {
            Self::Sqlite => true,
            #[cfg(feature = "postgres")]
            Self::Postgres => false,
        }
    }

    /// Whether it is the table in which the database keeps its own schema.
    pub(crate) fn is_master(self, name: &Name) -> bool {
        match self {
            Self::Sqlite => name.is("sqlite_master") || name.is("sqlite_schema"),
            #[cfg(feature = "postgres")]
            Self::Postgres => false,
        }
    }

    /// Whether a statement may call the function.
    pub(crate) fn is_allowed(self, function: &ir::Function, schema: &SchemaMap) -> bool {
        let name = function.name.name.as_str();
        match self {
            Self::Sqlite => sqlite::functions::is_allowed(name),
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                let within = function.schema.as_ref().map(Name::as_str);
                crate::postgres::functions::may_call(within, name, function.literal.as_deref(), schema)
            }
        }
    }

    /// Whether a statement may name the type.
    pub(crate) fn has_type(self, within: Option<&Name>, name: &Name, schema: &SchemaMap) -> bool {
        match self {
            Self::Sqlite => true,
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::types::may_name(within.map(Name::as_str), name.as_str(), schema),
        }
    }

    /// Whether it is a schema of the database's own relations, which have views that stand for them.
    pub(crate) fn is_catalog_schema(self, name: &Name) -> bool {
        match self {
            Self::Sqlite => false,
            #[cfg(feature = "postgres")]
            Self::Postgres => matches!(name.as_str(), "pg_catalog" | "information_schema"),
        }
    }

    /// Whether the name of a field could be that of a function that must not be called.
    pub(crate) fn is_no_field(self, name: &Name) -> bool {
        match self {
            Self::Sqlite => true,
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::functions::is_no_field(name.as_str()),
        }
    }

    /// What to do instead of calling a function.
    pub(crate) fn hint_of(self, name: &Name) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::functions::hint_of(name.as_str()),
        }
    }

    /// Why a function that is not allowed is refused.
    pub(crate) fn code_of(self, name: &Name) -> Code {
        match self {
            Self::Sqlite if name.is("total_changes") => Code::SharedState,
            Self::Sqlite => Code::Function,
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::functions::code_of(name.as_str()),
        }
    }
}
