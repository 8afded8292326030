//! Transactions that statements begin and end, on databases where they have to be counted.
//!
//! Where a transaction has to say first whose rows are meant, `BEGIN` as a statement of the application's is the same as
//! `begin()`: it is counted, so that it is known what is open when the connection goes back.

use sqlx::{AssertSqlSafe, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;
use tenantry_sql::{Code, Plan, Refused, Transaction};

use super::{Lease, Scopable, ScopeError, statement::Ready};

impl<DB: Scopable> Lease<DB> {
    /// Does what the statement says. Gives it back when it is to be run as it is.
    pub(super) async fn counted(&mut self, plan: &Plan, what: Transaction) -> Result<Option<Ready<DB>>, sqlx::Error> {
        self.commit_own().await?;
        let depth = DB::TransactionManager::get_transaction_depth(self.connection.connection());
        let done = match (what, depth) {
            (Transaction::Begin, 0) => self.begin_as(plan).await,
            (Transaction::Commit, 1) => DB::TransactionManager::commit(self.connection.connection()).await,
            (Transaction::Rollback, 1) => DB::TransactionManager::rollback(self.connection.connection()).await,
            (Transaction::Commit | Transaction::Rollback, 2..) => return Err(within_savepoint().into()),
            // The database only warns, and leaves everything as it is.
            (Transaction::Begin, _) | (Transaction::Commit | Transaction::Rollback, 0) => Ok(()),
            // A savepoint: what it undoes is in no tally of its own.
            _ => {
                self.doubt_room();
                return Ready::planned(plan, None, false, self.scope.id().get()).map(Some);
            }
        };
        match what {
            Transaction::Commit if depth == 1 => self.settle(0, done.is_ok()),
            Transaction::Rollback if depth == 1 => self.settle(0, false),
            _ => {}
        }
        done.map(|()| None).map_err(|error| self.connection.translate(error))
    }

    async fn begin_as(&mut self, plan: &Plan) -> Result<(), sqlx::Error> {
        let text = AssertSqlSafe(std::sync::Arc::clone(&plan.text)).into_sql_str();
        let beginning = self.connection.beginning(Some(text));
        self.begin_transaction(beginning).await
    }
}

fn within_savepoint() -> ScopeError {
    let refused = Refused::new(Code::Unknown, "the end of a transaction within a savepoint of begin()");
    ScopeError::from(refused.hint("end the savepoint first: drop it, or call its commit()"))
}
