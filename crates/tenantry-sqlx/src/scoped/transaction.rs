//! Transactions and savepoints.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use sqlx::{Database, SqlStr};
use sqlx_core::transaction::TransactionManager;

use super::ScopedConnection;

/// A transaction or a savepoint of one tenant. It is rolled back when it is dropped before [`commit`].
///
/// `&mut *transaction` runs statements in it, as with a transaction of sqlx.
///
/// [`commit`]: ScopedTransaction::commit
pub struct ScopedTransaction<'c, DB: Database> {
    connection: Held<'c, DB>,
    open: bool,
}

enum Held<'c, DB: Database> {
    Owned(Box<ScopedConnection<DB>>),
    Borrowed(&'c mut ScopedConnection<DB>),
}

impl<DB: Database> ScopedTransaction<'static, DB> {
    pub(super) async fn on_connection(
        connection: ScopedConnection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, sqlx::Error> {
        Self::start(Held::Owned(Box::new(connection)), statement).await
    }
}

impl<'c, DB: Database> ScopedTransaction<'c, DB> {
    pub(super) async fn within(connection: &'c mut ScopedConnection<DB>) -> Result<Self, sqlx::Error> {
        Self::start(Held::Borrowed(connection), None).await
    }

    async fn start(connection: Held<'c, DB>, statement: Option<SqlStr>) -> Result<Self, sqlx::Error> {
        let mut transaction = Self { connection, open: false };
        transaction.lease.check_scope()?;
        let statement = match statement {
            Some(statement) => Some(transaction.lease.beginning(statement).await?),
            None => None,
        };
        transaction.lease.commit_own().await?;
        let depth = DB::TransactionManager::get_transaction_depth(transaction.raw());
        let statement = if depth == 0 { transaction.lease.connection.beginning(statement) } else { statement };
        // Not open before it has begun: sqlx undoes a beginning that nobody waits for any more, and undoing it twice would
        // undo the transaction around it.
        let begun = transaction.lease.begin_transaction(statement).await;
        transaction.open = begun.is_ok();
        match begun {
            Ok(()) => Ok(transaction),
            Err(error) => Err(transaction.lease.connection.translate(error)),
        }
    }

    /// Keeps what was done.
    ///
    /// # Errors
    ///
    /// When the database does not commit; then nothing is kept.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.lease.check_scope()?;
        let outer = self.lease.depth().saturating_sub(1);
        let committed = DB::TransactionManager::commit(self.raw()).await;
        self.open = committed.is_err();
        if committed.is_ok() {
            self.lease.settle(outer, true);
            self.spoil_beyond(0);
        }
        committed.map_err(|error| self.lease.connection.translate(error))
    }

    /// Undoes what was done.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached; it then undoes it by itself.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        if self.lease.undone.is_some() {
            // The database has done it, and says that there is none.
            return Ok(());
        }
        let outer = self.lease.depth().saturating_sub(1);
        let rolled_back = DB::TransactionManager::rollback(self.raw()).await;
        self.open = rolled_back.is_err();
        if rolled_back.is_ok() {
            self.lease.settle(outer, false);
        }
        rolled_back
    }

    /// A savepoint that was forgotten instead of dropped has taken this transaction's place when it ended. Then the
    /// connection is in a transaction for which nobody is left.
    fn spoil_beyond(&mut self, depth: usize) {
        let is_whole = matches!(self.connection, Held::Owned(_));
        if is_whole && DB::TransactionManager::get_transaction_depth(self.raw()) > depth {
            self.lease.connection.spoil();
        }
    }

    pub(super) fn raw(&mut self) -> &mut DB::Connection {
        self.lease.connection.connection()
    }
}

impl<DB: Database> Deref for ScopedTransaction<'_, DB> {
    type Target = ScopedConnection<DB>;

    fn deref(&self) -> &Self::Target {
        match &self.connection {
            Held::Owned(connection) => connection,
            Held::Borrowed(connection) => connection,
        }
    }
}

impl<DB: Database> DerefMut for ScopedTransaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.connection {
            Held::Owned(connection) => connection,
            Held::Borrowed(connection) => connection,
        }
    }
}

impl<DB: Database> Drop for ScopedTransaction<'_, DB> {
    fn drop(&mut self) {
        if self.open {
            self.spoil_beyond(1);
            let outer = self.lease.depth().saturating_sub(1);
            DB::TransactionManager::start_rollback(self.raw());
            self.lease.settle(outer, false);
        }
    }
}

impl<DB: Database> fmt::Debug for ScopedTransaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedTransaction").field("tenant", self.scope().slug()).finish_non_exhaustive()
    }
}
