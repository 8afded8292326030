//! Tests of tenant scoping for SQL.
//!
//! A tenant's share of shared tables must be indistinguishable from a database of its own. Here is what finds out whether
//! it is, on our schema ([`standard`]) or on yours ([`Schema::read`]):
//!
//! * [`generate`] makes random statements over a schema, as `proptest` strategies;
//! * [`noise`] makes the rows of the tenant, and those of other tenants that must never be seen;
//! * [`Oracle`] runs each statement on a private database and on the [`Shared`] side, and compares all that can be observed;
//! * [`resources`] has what any implementation of a per-tenant resource must do;
//! * `server` has PostgreSQL servers and databases for tests (feature `postgres`).

mod difference;
pub mod generate;
mod leak;
mod ledger;
mod lint;
pub mod noise;
mod oracle;
mod outcome;
pub mod physical;
#[cfg(feature = "postgres")]
pub mod postgres;
mod private;
mod report;
pub mod resources;
mod run;
mod schema;
mod scoped;
#[cfg(feature = "postgres")]
pub mod server;
pub mod standard;
mod twins;
mod value;

pub use crate::{
    difference::{Difference, Side, What},
    ledger::Known,
    lint::{Lint, Linted},
    oracle::{Digest, Oracle, Shared, State, Verdict},
    outcome::{Done, Failure, Outcome},
    private::Private,
    report::Report,
    schema::{Class, Column, ForeignKey, RowId, Schema, Table, View},
    scoped::{Scoped, Setting},
    value::Value,
};
