//! Names of tables, columns and functions, as the database reads them.

use std::{
    fmt::{self, Write as _},
    hash::{Hash, Hasher},
};

use crate::Span;

/// A name without its quotes.
///
/// Names compare as SQLite compares them: without regard to the case of ASCII letters. PostgreSQL's are made with
/// [`Name::exact`], and then every letter counts.
#[derive(Clone)]
pub struct Name {
    text: Box<str>,
    /// Whether the case of letters makes a difference.
    exact: bool,
}

impl Name {
    /// The name that is spelt so, quotes already removed.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), exact: false }
    }

    /// The name that is spelt exactly so, as PostgreSQL keeps it: what stood without quotes is in lower case.
    pub fn exact(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), exact: true }
    }

    /// As it was spelt.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is this word, in whatever case.
    pub fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// Whether only Tenantry may use it: the tenant column, the hidden row id, and Tenantry's own tables and functions.
    pub fn is_reserved(&self) -> bool {
        self.text.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
    }

    /// The name in double quotes, to be put into a statement.
    pub const fn quoted(&self) -> Quoted<'_> {
        Quoted(&self.text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        match self.exact || other.exact {
            true => self.text == other.text,
            false => self.text.eq_ignore_ascii_case(&other.text),
        }
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.text.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.quoted())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// A name in double quotes, those within it doubled.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(&'a str);

impl<'a> Quoted<'a> {
    /// Quotes a name that is known to need no more.
    pub const fn new(name: &'a str) -> Self {
        Self(name)
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for (at, part) in self.0.split('"').enumerate() {
            f.write_str(if at > 0 { "\"\"" } else { "" })?;
            f.write_str(part)?;
        }
        f.write_char('"')
    }
}

/// A name and where it stands.
#[derive(Clone, Debug)]
pub struct Ident {
    /// The name.
    pub name: Name,
    /// Where, quotes included.
    pub span: Span,
}

/// The column that says whose row it is: τ of the specification.
pub const TENANT: &str = "_tenant";

/// The column with the row id of a table that has no `INTEGER PRIMARY KEY`.
pub const ROW_ID: &str = "_tenant_rowid";

/// The schema in PostgreSQL that the shared tables are in. What the application calls `public` has its own, empty ones.
pub const SHARED_SCHEMA: &str = "tenantry_shared";

/// What all names begin with that only Tenantry may use.
pub const RESERVED_PREFIX: &str = "_tenant";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_compare_without_ascii_case_only() {
        let names: HashSet<Name> = ["Notes", "É"].map(Name::from).into();
        assert!(names.contains(&Name::from("nOTES")));
        assert!(!names.contains(&Name::from("é")), "SQLite folds no other letters");
    }

    #[test]
    fn exact_names_differ_by_case() {
        assert_ne!(Name::exact("Notes"), Name::exact("notes"));
        assert_ne!(Name::exact("Notes"), Name::from("notes"));
        assert!(Name::exact("_Tenant").is_reserved(), "what is reserved is so in any case");
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(Name::from("a\"b").quoted().to_string(), "\"a\"\"b\"");
    }

    #[test]
    fn the_prefix_is_reserved_in_any_case() {
        for (name, reserved) in [
            ("_tenant", true),
            ("_TENANT_rowid", true),
            ("_tenantry_schema", true),
            ("tenant", false),
            ("_tenan", false),
            ("_tenané", false),
        ] {
            assert_eq!(Name::from(name).is_reserved(), reserved, "{name}");
        }
    }
}
