//! The verbs that take several steps: an operation is written to the ledger before it begins, and after each step.
//!
//! A step may be taken again, so whoever is killed in the middle of one loses nothing: the operation's lease runs out, and
//! the next one who looks ([`Control::recover`], or the next verb on the same tenant) goes on where the ledger says.
//!
//! | verb | its steps | when one fails |
//! |---|---|---|
//! | create from a template, clone | copy each plane, open | what was copied is erased, and the record removed |
//! | import | fill from the archive, open | what has come is erased, and the record removed |
//! | migrate | migrate | the database has undone it, and migrations that came before it stay |
//! | move | prepare, copy, catch up, fence, switch, settle, clean up | before the switch it is abandoned, later gone on with |
//! | reset | close, settle, copy or empty each plane, open | it is gone on with; the tenant is not served before |
//! | erase | settle, count, erase each plane, prove, forget | it is gone on with, unless the tenant is served |
//!
//! *Settle* is a wait: all servers have heard by then that the tenant is closed, and their requests are answered.
//!
//! | module | what it has |
//! |---|---|
//! | `procedure` | the verbs as lists of steps |
//! | `step` | what each step does |
//! | `run` | from step to step, and back |
//! | `clone`, `import`, `migrate`, `moving`, `reset`, `erase` | the verbs |
//! | `announce` | what whoever listens is told when a step begins |
//! | `recover` | what was abandoned is gone on with |
//! | `source` | whether what was copied or exported of a tenant is what it had |
//! | `foresee` | what a verb would do, for a dry run |

mod announce;
mod clone;
mod erase;
mod foresee;
mod import;
mod migrate;
mod moving;
mod procedure;
mod recover;
mod reset;
mod run;
mod source;
mod step;

pub use self::{
    erase::Erasing,
    migrate::{Canaries, Migrated, Needed, Needs, Pause, Reached, RolledOut, Rollout},
    recover::Recovered,
    run::Ended,
};
