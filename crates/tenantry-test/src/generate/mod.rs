//! Random statements over a schema, as strategies of `proptest`.
//!
//! [`statement`] makes one, [`script`] several with transactions. They get smaller as `proptest` expects it.

mod broken;
pub(crate) mod chance;
mod change;
mod draw;
mod expr;
mod feature;
mod from;
mod function;
mod insert;
mod literal;
mod name;
mod operator;
pub(crate) mod parameter;
mod query;
mod scope;
mod select;
mod statement;
mod strategy;
mod subquery;
pub(crate) mod tree;
mod window;
mod with;

pub(crate) use self::literal::{JSON, WORDS};
pub use self::{
    feature::Feature,
    parameter::Forms,
    statement::{Kind, Statement},
    strategy::{Script, ScriptTree, StatementTree, Statements, script, statement},
};
