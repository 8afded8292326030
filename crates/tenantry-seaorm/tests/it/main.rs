//! SeaORM on shared tables, against SeaORM on a database of one's own.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod entities;
mod entity;
mod errors;
mod graphs;
mod migrations;
mod queries;
mod refusals;
mod same;
mod streams;
mod transactions;
mod world;
