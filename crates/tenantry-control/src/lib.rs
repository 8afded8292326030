//! The life of a tenant: every verb of it, as a function.
//!
//! The command line is a thin client of [`Control`], and whatever else looks after tenants is to be another one.
//!
//! | module | |
//! |---|---|
//! | [`archive`] | a tenant in one file: export and import |
//! | `control` | [`Control`]: what the verbs need, and how a record is changed |
//! | `dry_run` | [`DryRun`]: what the verbs would do |
//! | `record` | the verbs that change nothing but a tenant's record |
//! | `operation` | the verbs that take several steps |
//! | `sweep` | what has to be done from time to time |
//! | [`time`] | times as they are said |
//! | `error` | why a verb does not do what it was asked |

pub mod archive;
mod control;
mod dry_run;
mod error;
mod operation;
mod record;
mod sweep;
pub mod time;

pub use self::{
    control::{Changed, Control},
    dry_run::{DryRun, Foreseen},
    error::{VerbError, with_causes},
    operation::{Canaries, Ended, Erasing, Migrated, Needed, Needs, Pause, Reached, Recovered, RolledOut, Rollout},
    record::{Deleted, Former, check_plan},
    sweep::{Swept, Warned},
};
