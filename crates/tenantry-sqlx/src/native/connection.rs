//! What SQLite's callbacks know of their connection: whom the running statement works for, and what it has done.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use libsqlite3_sys as ffi;

use super::{
    ids::Table,
    raw::{Failed, Handle, Statement, Value},
    session::{Mode, Session},
};
use crate::room::Claim;

/// The side of the callbacks, on the thread of the connection.
///
/// SQLite's own number of the last inserted row is used as a mark while a statement runs: SQLite saves it when a
/// trigger begins and restores it however the trigger ends, so that it tells in which trigger something happens. The
/// numbers that are meant are kept here, and the one of the statement itself becomes SQLite's when it has ended.
#[derive(Debug)]
pub(super) struct Native {
    pub(super) db: Handle,
    pub(super) session: Arc<Session>,
    /// Whether a statement of our own runs.
    nested: Cell<bool>,
    /// The statement that runs, to be compared only.
    running: Cell<usize>,
    mode: Cell<Mode>,
    lease: Cell<u64>,
    /// How many rows the running statement may insert, if they are counted.
    claim: RefCell<Option<Arc<Claim>>>,
    /// Whether a trigger of ours has begun and has not called us yet.
    expects_call: Cell<bool>,
    /// The last row that the lease has inserted, outside of triggers.
    last: Cell<i64>,
    /// What SQLite was told to be that.
    reported: Cell<i64>,
    /// The last row inserted in each of the triggers that run, the outermost first.
    in_triggers: RefCell<Vec<i64>>,
    /// How many changes SQLite had counted when the lease began, and how many since are ours.
    counted_before: Cell<i64>,
    counted_ours: Cell<i64>,
    /// What SQLite would say of the last statement, had none of ours run since.
    changes: Cell<Option<i64>>,
    queries: RefCell<HashMap<Query, Statement>>,
    pub(super) tables: RefCell<HashMap<i64, Rc<Table>>>,
    /// The largest id that the running statement has been given for a table before it inserted it.
    pub(super) given: RefCell<HashMap<i64, i64>>,
    /// The tables for which the running statement takes any ids, having found the largest one taken.
    pub(super) exhausted: RefCell<HashSet<i64>>,
}

/// The statements of our own, kept as long as the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Query {
    /// Whether an id is taken in the table with this number.
    IsTaken(i64),
    /// The largest id in the table with this number.
    Largest(i64),
    /// Changes no row, which SQLite then says of it.
    Nothing,
    /// How far a table has counted.
    Sequence,
    /// Notes how far a table has counted.
    Store,
    /// What table has a number.
    Table,
}

impl Native {
    pub(super) fn new(db: Handle, session: Arc<Session>) -> Self {
        Self {
            db,
            session,
            nested: Cell::new(false),
            running: Cell::new(0),
            mode: Cell::new(Mode::Closed),
            lease: Cell::new(0),
            claim: RefCell::default(),
            expects_call: Cell::new(false),
            last: Cell::new(0),
            reported: Cell::new(db.last_insert_rowid()),
            in_triggers: RefCell::default(),
            counted_before: Cell::new(db.total_changes()),
            counted_ours: Cell::new(0),
            changes: Cell::new(None),
            queries: RefCell::default(),
            tables: RefCell::default(),
            given: RefCell::default(),
            exhausted: RefCell::default(),
        }
    }

    pub(super) fn is_nested(&self) -> bool {
        self.nested.get()
    }

    /// A statement begins, or a foreign key acts in it, which SQLite tells in the same way.
    pub(super) fn started(&self, statement: usize) {
        if self.nested.get() || self.running.replace(statement) == statement {
            return;
        }
        self.forget_statement();
        let (mode, lease) = self.session.current();
        self.mode.set(mode);
        *self.claim.borrow_mut() = self.session.take_claim();
        if self.lease.get() != lease && self.forget_lease().is_ok() {
            self.lease.set(lease);
        }
    }

    /// A trigger begins.
    pub(super) fn triggered(&self, name: &str) {
        if self.nested.get() {
            return;
        }
        if name.starts_with(super::PREFIX) {
            // It inserts nothing, so that what it says belongs to the statement or trigger around it.
            self.expects_call.set(true);
            return;
        }
        let (depth, last) = (self.depth(), self.last());
        let mut triggers = self.in_triggers.borrow_mut();
        triggers.truncate(depth);
        triggers.push(last);
        self.db.set_last_insert_rowid(MARK.wrapping_add(i64::try_from(triggers.len()).unwrap_or_default()));
    }

    /// A statement has ended, well or not. Which one is not compared: SQLite does not tell that it begins once more,
    /// with a new schema, and tells that statements of its own begin, with which it reads the schema.
    pub(super) fn ended(&self) {
        if self.nested.get() {
            return;
        }
        self.running.set(0);
        self.forget_statement();
        let last = self.last();
        if last != self.db.last_insert_rowid() {
            self.db.set_last_insert_rowid(last);
        }
        self.last.set(last);
        self.reported.set(last);
    }

    /// Whether the running statement is to stop: its lease has ended, so that nobody waits for it any more, or its time is
    /// up.
    pub(super) fn stops(&self) -> bool {
        // SQLite also asks while it compiles, when nothing runs for anybody, and in statements of ours.
        !self.nested.get() && self.running.get() != 0 && self.session.stops(self.lease.get())
    }

    /// The connection is about to be closed, which SQLite refuses while it has statements.
    pub(super) fn closes(&self) {
        let _quiet = self.quiet();
        self.queries.borrow_mut().clear();
    }

    fn forget_statement(&self) {
        self.expects_call.set(false);
        self.claim.borrow_mut().take();
        self.in_triggers.borrow_mut().clear();
        self.given.borrow_mut().clear();
        self.exhausted.borrow_mut().clear();
        self.changes.set(None);
    }

    /// A new lease sees no number that is left of another one.
    fn forget_lease(&self) -> Result<(), Failed> {
        self.last.set(0);
        self.reported.set(0);
        if self.db.last_insert_rowid() != 0 {
            self.db.set_last_insert_rowid(0);
        }
        if self.db.changes() != 0 {
            self.query::<0>(Query::Nothing, || format!("DELETE FROM temp.{NOTHING}"), &[])?;
        }
        self.counted_before.set(self.db.total_changes());
        self.counted_ours.set(0);
        Ok(())
    }

    /// The tenant that the running statement works for.
    pub(super) fn tenant(&self) -> Result<i64, Failed> {
        match self.mode.get() {
            Mode::Tenant(tenant) => Ok(tenant),
            Mode::Closed | Mode::Owner => {
                Err(self.denied("no tenant has entered this connection, and only a tenant has ids"))
            }
        }
    }

    /// Whether it is a trigger of ours that calls.
    pub(super) fn is_called_by_trigger(&self) -> Result<(), Failed> {
        if self.expects_call.replace(false) {
            return Ok(());
        }
        Err(self.denied("only a trigger of Tenantry's may call this"))
    }

    /// A denial that comes while a statement runs.
    fn denied(&self, why: &str) -> Failed {
        self.session.deny(why.to_owned());
        Failed::new(ffi::SQLITE_AUTH, why)
    }

    /// A row with this id was inserted.
    pub(super) fn inserted(&self, tenant: i64, id: i64) -> Result<(), Failed> {
        match self.mode.get() {
            Mode::Tenant(entered) if entered != tenant => {
                return Err(self.denied("the inserted row belongs to another tenant"));
            }
            Mode::Closed | Mode::Owner | Mode::Tenant(_) => {}
        }
        if self.claim.borrow().as_ref().is_some_and(|claim| !claim.insert()) {
            return Err(Failed::new(ffi::SQLITE_AUTH, "the tenant can have no more rows"));
        }
        let depth = self.depth();
        match self.in_triggers.borrow_mut().get_mut(depth.wrapping_sub(1)) {
            Some(last) => *last = id,
            None => self.last.set(id),
        }
        Ok(())
    }

    /// What `last_insert_rowid()` says at this place.
    pub(super) fn last(&self) -> i64 {
        if let Some(last) = self.in_triggers.borrow().get(self.depth().wrapping_sub(1)) {
            return *last;
        }
        // SQLite sets its number by itself for a table that has row ids of SQLite, that is, one that nobody shares.
        let own = self.db.last_insert_rowid();
        if own == self.reported.get() { self.last.get() } else { own }
    }

    /// How many triggers are running around the one place that asks.
    fn depth(&self) -> usize {
        let depth = usize::try_from(self.db.last_insert_rowid().wrapping_sub(MARK)).unwrap_or_default();
        if depth <= self.in_triggers.borrow().len() { depth } else { 0 }
    }

    /// What `changes()` says.
    pub(super) fn changes(&self) -> i64 {
        self.changes.get().unwrap_or_else(|| self.db.changes())
    }

    /// What `total_changes()` says.
    pub(super) fn total_changes(&self) -> i64 {
        self.db.total_changes() - self.counted_before.get() - self.counted_ours.get()
    }

    /// Runs a statement of our own that writes, and keeps that out of what is said about the application's statements.
    pub(super) fn write(&self, query: Query, sql: impl FnOnce() -> String, parameters: &[i64]) -> Result<(), Failed> {
        let (changes, total) = (self.changes(), self.db.total_changes());
        self.changes.set(Some(changes));
        let done = self.query::<0>(query, sql, parameters);
        self.counted_ours.set(self.counted_ours.get() + self.db.total_changes() - total);
        done.map(drop)
    }

    /// Runs a statement of our own.
    pub(super) fn query<const N: usize>(
        &self,
        query: Query,
        sql: impl FnOnce() -> String,
        parameters: &[i64],
    ) -> Result<Answer<N>, Failed> {
        // Not borrowed while SQLite runs, which may call us again.
        let kept = self.queries.borrow_mut().remove(&query);
        let _quiet = self.quiet();
        let mut statement = match kept {
            Some(statement) => statement,
            None => self.db.prepare(&sql())?,
        };
        let row = statement.row(parameters)?;
        let is_recompiled = statement.is_recompiled();
        self.queries.borrow_mut().insert(query, statement);
        Ok(Answer { row, is_recompiled })
    }

    /// Forgets a statement, because its text would be another one now.
    pub(super) fn discard(&self, query: Query) {
        let _quiet = self.quiet();
        self.queries.borrow_mut().remove(&query);
    }

    /// Until the result is dropped, what SQLite calls us for is our own doing.
    fn quiet(&self) -> Quiet<'_> {
        Quiet { nested: &self.nested, before: self.nested.replace(true) }
    }
}

/// What a statement of our own has found.
#[derive(Debug)]
pub(super) struct Answer<const N: usize> {
    pub(super) row: Option<[Value; N]>,
    /// Whether the schema was found to be another one.
    pub(super) is_recompiled: bool,
}

struct Quiet<'a> {
    nested: &'a Cell<bool>,
    before: bool,
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.nested.set(self.before);
    }
}

/// The table without rows that [`Query::Nothing`] changes. It is a temporary one, since that waits for no lock.
pub(super) const NOTHING: &str = "_tenantry_nothing";

/// Stands for "outside of all triggers". Plus one is the outermost trigger, and so on; no real id is near.
const MARK: i64 = -0x5EED_7E4A_4E70_0000;
