//! Scoping of SQL on tables that tenants share. Performs no I/O.
//!
//! An application's statement is rewritten so that it reads and changes only one tenant's rows of tables that all tenants
//! share, and gives what it would give on a database of the tenant's own. What cannot be shown to do so is refused.
//!
//! ```text
//! text ─► parse ─► bind ─► classify ─► edit ─► splice ─► verify ─► plan      any doubt ─► refusal S01 … S22
//! ```
//!
//! * **parse**: the database's own grammar, lowered to a small intermediate representation with places in the text;
//! * **bind**: what each name means where it stands;
//! * **classify**: whether everything that is called is known to be harmless;
//! * **edit**: the rules of the specification, a file per clause;
//! * **splice**: the edits applied to the application's own text;
//! * **verify**: a second reading of what was printed, which shares nothing with the rules.

#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "PostgreSQL's rules ask for more"))]
mod bind;
mod cache;
mod classify;
#[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "SQLite has no choice"))]
mod dialect;
mod edit;
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "PostgreSQL's statements have more"))]
mod ir;
mod limits;
mod name;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod refusal;
mod rewriter;
mod rules;
mod schema;
mod span;
mod splice;
mod splicing;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "postgres")]
pub use crate::postgres::{
    CATALOG_SCHEMA, CATALOGS, INFORMATION_SCHEMA,
    definition::{Definition, definition},
};
#[cfg(feature = "mutants")]
pub use crate::rules::{unverified, without};
#[cfg(feature = "sqlite")]
pub use crate::sqlite::{TenantTerm, verify, verify_trigger};
pub use crate::{
    cache::Plans,
    dialect::Dialect,
    edit::{Numbering, PRAGMAS},
    limits::Limits,
    name::{Ident, Name, Quoted, RESERVED_PREFIX, ROW_ID, SHARED_SCHEMA, TENANT},
    plan::{Affected, Effect, Parameter, Plan, Transaction},
    refusal::{Code, Refused},
    rewriter::Rewriter,
    rules::Rule,
    schema::{Action, Column, ForeignKey, PostgresFacts, Relation, RowId, SchemaMap, Table, Type, View},
    span::{Position, Span},
};
#[cfg(feature = "sqlite")]
pub use crate::{
    schema::{Belongs, StoredSchema},
    sqlite::ddl::{Change, ChangeKind, Conversion, Rewrite, Step, convert, meaning, statements},
};
