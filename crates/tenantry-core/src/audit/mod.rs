//! Who did what to which tenant: a log that is only added to, and whose entries are a chain.

mod chain;
mod entry;
mod log;

pub use self::{
    chain::{Broken, Link},
    entry::{Act, AuditEntry, Deed},
    log::{Audit, AuditFilter},
};
