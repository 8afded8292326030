//! Rows of tenants that are given out and taken in elsewhere: for archives, from SQLite to PostgreSQL and back where types
//! allow.
//!
//! | module | what it has |
//! |---|---|
//! | `line` | how a row is written |
//! | `fit` | whether the tables of an archive fit those that are here |
//! | `giving` | rows on their way out |
//! | `taking` | rows on their way in, whatever they become |
//! | `error` | why rows cannot be given out or taken in |
//!
//! What is done to a database is in `shared/portable/` for SQLite, and in `postgres/portable/`.

mod error;
mod fit;
mod giving;
mod line;
mod taking;

pub use self::error::PortableError;
pub(crate) use self::{
    fit::{Column, Fitted, Target, fit},
    giving::{Giving, Out},
    line::{Cell, Line, lines},
    taking::{Takes, for_tenant},
};
#[cfg(feature = "postgres")]
pub use crate::postgres::portable::PgPortable;
pub use crate::shared::portable::SqlitePortable;

use sha2::{Digest, Sha256};
use tenantry_core::TableShape;

/// What archives call SQLite.
pub(crate) const SQLITE: &str = "sqlite";

/// What archives call PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) const POSTGRESQL: &str = "postgresql";

/// What this plane is called.
pub(crate) const ROWS: &str = "rows";

/// Changes with the tables, their columns and the migrations.
pub(crate) fn fingerprint(tables: &[TableShape], migrations: &[String]) -> String {
    let mut hash = Sha256::new();
    let tables = tables.iter().map(|table| format!("{table:?}"));
    for line in tables.chain(migrations.iter().cloned()) {
        hash.update(line.len().to_le_bytes());
        hash.update(line);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
