//! SQLite: its parser's tree lowered to the intermediate representation, and the verifier of what is printed.

pub(crate) mod ddl;
pub(crate) mod functions;
pub(crate) mod lower;
pub(crate) mod tokens;
mod verify;

pub use self::verify::{TenantTerm, verify, verify_trigger};
