//! What a connection knows about whom it works for; shared between its user and SQLite's callbacks.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::room::Claim;

/// Whom a connection works for. SQLite's callbacks have the same session, on the thread of the connection.
///
/// A lease begins with [`Session::enter`] and ends with [`Session::leave`]. Both are for a connection that has nothing
/// running: a statement works to its end for whom it was begun, but what is compiled meanwhile is judged anew.
#[derive(Debug, Default)]
pub(crate) struct Session(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    lease: u64,
    expected: Arc<Names>,
    triggers: Arc<Names>,
    denied: Option<String>,
    stop_at: Option<Instant>,
    claim: Option<Arc<Claim>>,
}

/// What a connection may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// For nothing but a rollback. The state of a connection that nobody has leased.
    #[default]
    Closed,
    /// For everything: migrations.
    Owner,
    /// For the rows of this tenant.
    Tenant(i64),
}

/// Names of tables or triggers, to SQLite the same in upper and lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// Whether `name` is one of them.
    pub(crate) fn contains(&self, name: &str) -> bool {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.0.contains(&name.to_ascii_lowercase());
        }
        self.0.contains(name)
    }
}

impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect())
    }
}

impl Session {
    /// Begins the lease of a tenant.
    pub(crate) fn enter(&self, tenant: i64) {
        self.begin(Mode::Tenant(tenant));
    }

    /// Begins a lease that may do everything. SQLite keeps compiled statements, and does not judge them a second time:
    /// close the connection afterwards, or clear its cached statements.
    pub(crate) fn own(&self) {
        self.begin(Mode::Owner);
    }

    /// Ends the lease.
    pub(crate) fn leave(&self) {
        self.begin(Mode::Closed);
    }

    fn begin(&self, mode: Mode) {
        let mut state = self.state();
        state.mode = mode;
        state.lease = state.lease.wrapping_add(1);
        state.expected = Arc::default();
        state.denied = None;
        state.stop_at = None;
        state.claim = None;
    }

    /// Says what the next statements may read and write: the tables that they name, the common table expressions that
    /// they define, and for a table that is written the parents and children that foreign keys take in. Stays until said otherwise or until the lease ends, since
    /// SQLite compiles a statement anew when the schema changes.
    pub(crate) fn expect(&self, tables: Arc<Names>) {
        self.state().expected = tables;
    }

    /// Says when the next statement is to stop.
    pub(crate) fn stop_at(&self, at: Option<Instant>) {
        self.state().stop_at = at;
    }

    /// Says how many rows the next statement may insert.
    pub(crate) fn claim(&self, claim: Arc<Claim>) {
        self.state().claim = Some(claim);
    }

    /// Says which triggers of the application there are. What they do was judged when they were created, so it is not
    /// compared with what is expected of a statement.
    pub(crate) fn set_triggers(&self, triggers: Arc<Names>) {
        self.state().triggers = triggers;
    }

    /// What was denied last, once.
    pub(crate) fn take_denied(&self) -> Option<String> {
        self.state().denied.take()
    }

    /// What the connection may be used for, and which lease that is.
    pub(super) fn current(&self) -> (Mode, u64) {
        let state = self.state();
        (state.mode, state.lease)
    }

    /// How many rows the statement that begins may insert, once.
    pub(super) fn take_claim(&self) -> Option<Arc<Claim>> {
        self.state().claim.take()
    }

    /// Whether nobody waits any more for a statement of this lease, or not for as long.
    pub(super) fn stops(&self, lease: u64) -> bool {
        let state = self.state();
        state.lease != lease || state.stop_at.is_some_and(|at| at <= Instant::now())
    }

    /// What the authorizer decides by.
    pub(super) fn rules(&self) -> (Mode, Arc<Names>, Arc<Names>) {
        let state = self.state();
        (state.mode, Arc::clone(&state.expected), Arc::clone(&state.triggers))
    }

    pub(super) fn deny(&self, what: String) {
        self.state().denied = Some(what);
    }

    /// Every change of the state is whole at each moment, so that a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_upper_and_lower_case() {
        let names: Names = ["Notes", "tags"].into_iter().collect();
        assert!(names.contains("notes") && names.contains("NOTES") && names.contains("Tags"));
        assert!(!names.contains("note"));
    }

    #[test]
    fn a_lease_starts_with_nothing_expected_and_nothing_denied() {
        let session = Session::default();
        assert_eq!(session.current(), (Mode::Closed, 0));
        session.enter(7);
        session.expect(Arc::new(["notes"].into_iter().collect()));
        session.deny("PRAGMA".to_owned());
        session.enter(8);
        assert_eq!(session.current(), (Mode::Tenant(8), 2));
        assert_eq!(session.rules().1, Arc::default());
        assert_eq!(session.take_denied(), None);
    }
}
