//! What is good for one use.

use std::time::{Duration, SystemTime};

use crate::{Act, BoxFuture, CatalogError, Deed};

/// Remembers what was good for one use and was used: links, tickets. Every catalog does.
///
/// What an implementation promises:
/// 1. Of all who spend the same id, in whichever process and however close together, exactly one is told [`Spent::Now`].
/// 2. That one has an entry in the audit log, written in the same transaction; the others have none.
/// 3. An id is remembered until its time is over, and for [`FORGET_AFTER`] more, since clocks differ.
/// 4. When the store does not answer, that is an error: nobody is told that it is the first.
pub trait Once: Send + Sync + 'static {
    /// Spends the id of something that nobody accepts after `until` in any case.
    fn spend<'a>(
        &'a self,
        id: &'a str,
        until: SystemTime,
        act: &'a Act,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<Spent, CatalogError>>;
}

/// Whether an id was spent by this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what was spent before must not be accepted"]
pub enum Spent {
    /// Somebody was first.
    Before,
    /// By this call.
    Now,
}

/// How long after its time an id is remembered: further than this the clocks of a deployment must not be apart.
pub const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);
