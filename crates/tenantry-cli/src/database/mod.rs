//! Commands that look into the database: `tenantry explain`, `tenantry sql`.

mod engine;
mod explain;
mod input;
mod outcome;
mod sql;
mod target;

pub(crate) use self::{explain::Explain, sql::Sql};
