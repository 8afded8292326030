//! The life of a tenant: every verb of it, as a function.
//!
//! The command line is a thin client of [`Control`], and whatever else looks after tenants is to be another one.
//!
//! | module | |
//! |---|---|
//! | `control` | [`Control`]: what the verbs need, and how a record is changed |
//! | `record` | the verbs that change nothing but a tenant's record |
//! | `error` | why a verb does not do what it was asked |

mod control;
mod error;
mod record;

pub use self::{
    control::{Changed, Control},
    error::VerbError,
    record::{Deleted, Former, check_plan},
};
