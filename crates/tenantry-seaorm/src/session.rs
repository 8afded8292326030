//! The connection that a transaction shares with those begun within it.
//!
//! SeaORM hands out transactions that own what they need, also the nested ones. So which of them is the innermost, and
//! which have ended with the one around them, is counted here and not known to the compiler.

use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use sea_orm::{DbErr, RuntimeErr};
use tenantry_sqlx::{ScopedConnection, ScopedTransaction};
use tokio::sync::{Mutex, MutexGuard};

use crate::{backend::Backend, error::querying, statement::Rows};

/// A connection that is in a transaction, for it and those begun within it.
pub(crate) struct Session<DB: Backend> {
    open: Mutex<Open<DB>>,
    /// Those that were dropped, which may be while a statement runs. They are undone before anything else is done.
    dropped: SyncMutex<Vec<Level>>,
}

/// What is open on the connection.
pub(crate) struct Open<DB: Backend> {
    /// Nothing when it has ended.
    transaction: Option<ScopedTransaction<'static, DB>>,
    /// Those that have not ended, from the outermost to the innermost.
    levels: Vec<Level>,
    next: u64,
}

/// A transaction, or one begun within it. Never used again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(u64);

impl<DB: Backend> Session<DB> {
    pub(crate) fn new(transaction: ScopedTransaction<'static, DB>) -> (Arc<Self>, Level) {
        let outermost = Level(0);
        let open = Open { transaction: Some(transaction), levels: vec![outermost], next: 1 };
        (Arc::new(Self { open: Mutex::new(open), dropped: SyncMutex::default() }), outermost)
    }

    /// Waits until no other statement runs.
    pub(crate) async fn lock(&self) -> MutexGuard<'_, Open<DB>> {
        let mut open = self.open.lock().await;
        self.undo_dropped(&mut open);
        open
    }

    /// Undoes what was done at a level: at once, or when the statement that runs has ended.
    pub(crate) fn drop_level(&self, level: Level) {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(level);
        if let Ok(mut open) = self.open.try_lock() {
            self.undo_dropped(&mut open);
        }
    }

    fn undo_dropped(&self, open: &mut Open<DB>) {
        for level in self.dropped.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            open.start_undo(level);
        }
    }
}

impl<DB: Backend> Open<DB> {
    /// The connection, for a level that has not ended.
    pub(crate) fn connection(&mut self, level: Level) -> Result<&mut ScopedConnection<DB>, DbErr> {
        let is_open = self.levels.contains(&level);
        self.transaction.as_deref_mut().filter(|_| is_open).ok_or_else(ended)
    }

    /// Begins a level within `outer`.
    pub(crate) async fn begin(&mut self, outer: Level) -> Result<Level, DbErr> {
        self.connection(outer)?;
        if let Some(transaction) = &mut self.transaction {
            transaction.savepoint().await.map_err(querying)?;
        }
        let level = Level(self.next);
        self.next += 1;
        self.levels.push(level);
        Ok(level)
    }

    /// Keeps what was done at a level, which has to be the innermost.
    pub(crate) async fn commit(&mut self, level: Level) -> Result<(), DbErr> {
        self.connection(level)?;
        if self.levels.last() != Some(&level) {
            return Err(internal(
                "a transaction that was begun within this one is still open: commit it or roll it back first; nothing of \
                 this one is kept",
            ));
        }
        if self.levels.len() > 1 {
            if let Some(transaction) = &mut self.transaction {
                transaction.release().await.map_err(querying)?;
            }
            self.levels.pop();
            return Ok(());
        }
        self.levels.clear();
        match self.transaction.take() {
            Some(transaction) => transaction.commit().await.map_err(querying),
            None => Err(ended()),
        }
    }

    /// Undoes what was done at a level and within it. It is undone already if it has ended.
    pub(crate) async fn rollback(&mut self, level: Level) -> Result<(), DbErr> {
        while self.levels.contains(&level) && self.levels.last() != Some(&level) {
            self.start_undo_innermost();
        }
        if !self.levels.contains(&level) {
            return Ok(());
        }
        if self.levels.len() > 1 {
            if let Some(transaction) = &mut self.transaction {
                transaction.undo().await.map_err(querying)?;
            }
            self.levels.pop();
            return Ok(());
        }
        self.levels.clear();
        match self.transaction.take() {
            Some(transaction) => transaction.rollback().await.map_err(querying),
            None => Ok(()),
        }
    }

    fn start_undo(&mut self, level: Level) {
        while self.levels.contains(&level) {
            self.start_undo_innermost();
        }
    }

    fn start_undo_innermost(&mut self) {
        match (self.levels.pop(), &mut self.transaction) {
            (Some(_), Some(transaction)) if !self.levels.is_empty() => transaction.start_undo(),
            // The transaction undoes itself when it is dropped.
            _ => self.transaction = None,
        }
    }
}

/// The connection of a transaction, while a stream has it.
pub(crate) struct Taken<'a, DB: Backend> {
    pub(crate) open: MutexGuard<'a, Open<DB>>,
    pub(crate) level: Level,
}

impl<DB: Backend> Rows<DB> for Taken<'_, DB> {
    fn connection(&mut self) -> Result<&mut ScopedConnection<DB>, DbErr> {
        self.open.connection(self.level)
    }
}

fn ended() -> DbErr {
    internal(
        "the transaction has ended with the one that it was begun in, and what it did is undone: begin another one",
    )
}

fn internal(message: &str) -> DbErr {
    DbErr::Query(RuntimeErr::Internal(message.to_owned()))
}
