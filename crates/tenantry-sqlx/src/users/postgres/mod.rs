//! Local users in a PostgreSQL database, in the schema `tenantry_users`.
//!
//! | module | |
//! |---|---|
//! | `store` | [`PgUsers`]: opening it, and what a store does |
//! | `sql` | its statements |

mod sql;
mod store;

pub use self::store::PgUsers;
