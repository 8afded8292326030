//! The oracle for PostgreSQL: random statements on shared tables, and on a private database.
//!
//! * [`standard`] is the schema, as the application declares it and as it is shared;
//! * [`generate`] makes random statements over it;
//! * [`Setting`] makes the databases, with everybody's rows, and [`Walls`] says what keeps tenants apart in it;
//! * [`Oracle`] runs each statement on all of them, and compares all that can be observed.
//!
//! A script of statements runs in one transaction that is rolled back, so that each begins with the same rows. Between two
//! statements the connection is its administrator's again, who sees the rows of all tenants.

mod compare;
mod difference;
pub mod generate;
mod ledger;
mod oracle;
mod outcome;
mod report;
mod scoped;
mod setting;
mod side;
pub mod standard;
mod value;
mod world;

pub use self::{
    difference::{Difference, What},
    ledger::Known,
    oracle::{Oracle, Verdict},
    outcome::{Done, Outcome},
    report::Report,
    scoped::Planner,
    setting::{Setting, TENANT, Walls},
    side::{ByTable, Side},
};
