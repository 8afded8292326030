//! Random statements for PostgreSQL over the [standard](super::standard) schema.
//!
//! PostgreSQL is strict about types, so that every piece is made for one: what is made is accepted, mostly.

mod aggregate;
mod change;
mod condition;
mod draw;
mod expr;
mod from;
mod insert;
mod literal;
mod query;
mod select;
mod strategy;
mod types;
mod with;

pub(crate) use self::literal::{DOCUMENTS, WORDS};
pub use self::{
    strategy::{Script, script},
    types::Ty,
};
