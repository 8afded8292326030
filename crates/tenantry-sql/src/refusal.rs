//! Statements that are refused, with the codes of the specification (S01 to S22).

use std::{borrow::Cow, fmt};

use crate::{Position, Span};

/// A statement that is refused. Nothing of it was run.
///
/// Displayed as `TENANT_SCOPE_REFUSED[S04] name "_tenant" at 1:8: why; hint`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TENANT_SCOPE_REFUSED[{code}] {construct}{}: {}; {hint}", At(*position), code.reason())]
pub struct Refused {
    /// Which rule refuses it.
    pub code: Code,
    /// What in the statement is refused. May repeat the statement's own words, and nothing else.
    pub construct: Cow<'static, str>,
    /// Where it stands, if it is in one place.
    pub position: Option<Position>,
    /// What to do instead.
    pub hint: Cow<'static, str>,
}

impl Refused {
    /// Refuses `construct`; the hint is the code's own.
    pub fn new(code: Code, construct: impl Into<Cow<'static, str>>) -> Self {
        Self { code, construct: construct.into(), position: None, hint: Cow::Borrowed(code.hint()) }
    }

    /// Says where in `text` it stands.
    #[must_use]
    pub fn at(mut self, text: &str, span: Span) -> Self {
        self.position = Some(Position::of(text, span.start));
        self
    }

    /// Says what to do in this case, in the place of the code's own hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = hint.into();
        self
    }
}

struct At(Option<Position>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |position| write!(f, " at {position}"))
    }
}

/// The one table of codes: name, code, reason, hint.
macro_rules! codes {
    ($($name:ident = $code:literal, $reason:literal, $hint:literal;)*) => {
        /// Why a statement is refused: the list of the specification, §10.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!($code, ": ", $reason, ".")] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code, as in messages and documents.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Why such a statement is refused.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }

            /// What to do instead, where the case says nothing better.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

codes! {
    Statement = "S01", "this is not one statement that can be read with certainty", "send one statement at a time, as the database itself reads it";
    Unknown = "S02", "there is no rule that would scope it", "write it differently, or give the tenant a dedicated database";
    Relation = "S03", "the application has no table or view that this can be done with", "name a table or view that the application's migrations created";
    Reserved = "S04", "the name is reserved", "rename it; names that begin with _tenant belong to Tenantry";
    Assignment = "S05", "a row cannot be moved to another tenant", "leave the tenant column out; it is filled in";
    SystemColumn = "S06", "a system column could mean another table's", "use the table's primary key";
    WholeRow = "S07", "the whole row would show the tenant column", "name the columns";
    UnscopedPath = "S08", "it would go past the scoping", "use INSERT, UPDATE, DELETE or SELECT on the tables";
    Function = "S09", "the function is not known to be harmless", "compute it in the application";
    Setting = "S10", "it would change the connection for the tenants that use it next", "set it in the configuration";
    SharedState = "S11", "its value belongs to the connection, which tenants share", "use what the driver returns for the statement";
    Lock = "S12", "it would reach other tenants", "use a transaction";
    Ddl = "S13", "the schema is shared by all tenants", "put it into a migration, which runs once for all of them";
    Constraint = "S14", "the constraint cannot be kept apart per tenant", "leave it out, or check it in the application";
    Temporary = "S15", "a temporary object would outlive the lease, or hide a table", "use a common table expression";
    WholeFile = "S16", "it reads or writes a whole database file", "it is for the operator, on the machine that has the file";
    Explain = "S17", "plans and statistics tell about other tenants", "use `tenantry explain`";
    Differential = "S18", "the database may read it differently", "write it without the construct";
    Ambiguous = "S19", "the name could mean two things", "give each table an alias of its own";
    NoTenant = "S20", "no tenant is bound", "run it within a scope";
    Truncate = "S21", "truncation would do more than to delete the tenant's rows", "use DELETE";
    Unverified = "S22", "the scoped statement did not pass verification", "report this: it is a defect of Tenantry, and nothing was run";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_why_and_what_to_do() {
        let refused = Refused::new(Code::Reserved, "name \"_tenant\"").at("select\n _tenant", Span::new(8, 15));
        assert_eq!(
            refused.to_string(),
            "TENANT_SCOPE_REFUSED[S04] name \"_tenant\" at 2:2: the name is reserved; \
             rename it; names that begin with _tenant belong to Tenantry"
        );
    }

    #[test]
    fn the_codes_are_s01_to_s22() {
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
        let expected: Vec<_> = (1..=22).map(|number| format!("S{number:02}")).collect();
        assert_eq!(codes, expected);
    }
}
