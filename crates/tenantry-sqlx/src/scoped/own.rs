//! The transaction that a statement gets for itself where none is around it.
//!
//! Some databases have to be told in the transaction whose rows are meant. A statement outside of a transaction is one by
//! itself there, which nobody can put anything before; so it gets one of its own, with the same effect.

use sqlx::{Database, SqlStr};
use sqlx_core::transaction::TransactionManager;

use super::Lease;

impl<DB: Database> Lease<DB> {
    /// Begins it, if the database needs one and none is around. What a statement before has left open is kept first.
    pub(super) async fn begin_own(&mut self) -> Result<(), sqlx::Error> {
        self.commit_own().await?;
        let depth = DB::TransactionManager::get_transaction_depth(self.connection.connection());
        if depth > 0 || !self.connection.needs_transaction() {
            return Ok(());
        }
        let beginning = self.connection.beginning(None);
        let begun = self.begin_transaction(beginning).await;
        begun.map_err(|error| self.connection.translate(error))?;
        self.own_is_open = true;
        Ok(())
    }

    /// Begins a transaction, or a savepoint in one.
    pub(super) async fn begin_transaction(&mut self, beginning: Option<SqlStr>) -> Result<(), sqlx::Error> {
        self.connection.begins_transaction(true);
        let begun = DB::TransactionManager::begin(self.connection.connection(), beginning).await;
        self.connection.begins_transaction(false);
        begun
    }

    /// Keeps what the statement did.
    pub(super) async fn commit_own(&mut self) -> Result<(), sqlx::Error> {
        if !self.own_is_open {
            return Ok(());
        }
        let committed = DB::TransactionManager::commit(self.connection.connection()).await;
        self.own_is_open = false;
        self.settle(0, committed.is_ok());
        committed.map_err(|error| {
            // The database has undone it. sqlx counts it as open, until it is undone there as well.
            self.connection.end();
            DB::TransactionManager::start_rollback(self.connection.connection());
            self.connection.translate(error)
        })
    }

    /// Undoes it, before anything else is done on the connection.
    pub(super) fn undo_own(&mut self) {
        if std::mem::take(&mut self.own_is_open) {
            DB::TransactionManager::start_rollback(self.connection.connection());
            self.settle(0, false);
        }
    }
}
