//! Savepoints that no borrow ends.

use sqlx::Database;
use sqlx_core::transaction::TransactionManager;

use super::ScopedTransaction;

/// For transactions that several owners share, as those of SeaORM: whoever calls these counts the savepoints, and ends the
/// last one first. Others call `begin`, where the compiler sees to that.
#[doc(hidden)]
impl<DB: Database> ScopedTransaction<'_, DB> {
    /// Sets a savepoint.
    ///
    /// # Errors
    ///
    /// When the database does not set it, or when the running task works for another tenant.
    pub async fn savepoint(&mut self) -> Result<(), sqlx::Error> {
        self.lease.check_scope()?;
        let set = self.lease.begin_transaction(None).await;
        set.map_err(|error| self.lease.connection.translate(error))
    }

    /// Keeps what was done since the last savepoint, as part of what is around it.
    ///
    /// # Errors
    ///
    /// When the database does not keep it, or when the running task works for another tenant. Then the savepoint is still
    /// there.
    pub async fn release(&mut self) -> Result<(), sqlx::Error> {
        self.lease.check_scope()?;
        let outer = self.lease.depth().saturating_sub(1);
        let released = DB::TransactionManager::commit(self.raw()).await;
        if released.is_ok() {
            self.lease.settle(outer, true);
        }
        released.map_err(|error| self.lease.connection.translate(error))
    }

    /// Undoes what was done since the last savepoint.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached; it then undoes all by itself.
    pub async fn undo(&mut self) -> Result<(), sqlx::Error> {
        let outer = self.lease.depth().saturating_sub(1);
        DB::TransactionManager::rollback(self.raw()).await?;
        self.lease.settle(outer, false);
        Ok(())
    }

    /// Undoes what was done since the last savepoint, before anything else is done on the connection.
    pub fn start_undo(&mut self) {
        let outer = self.lease.depth().saturating_sub(1);
        DB::TransactionManager::start_rollback(self.raw());
        self.lease.settle(outer, false);
    }
}
