//! How long a statement may run: it is stopped by the database, and told apart from what else stops statements.

use std::time::{Duration, Instant};

use tenantry_core::{Code, Count, Refusal};
use tenantry_sql::Effect;

use super::{Lease, Scopable, ScopeError};

impl<DB: Scopable> Lease<DB> {
    /// A statement begins to run.
    pub(super) fn starts(&mut self) {
        let now = Instant::now();
        if self.began.replace(now).is_some() {
            // Nobody has waited for the end of the one before.
            self.doubt_room();
        }
        self.connection.stop_at(self.time_max().and_then(|max| now.checked_add(max)));
    }

    /// It has ended.
    pub(super) fn ends(&mut self) {
        self.connection.end();
        self.connection.stop_at(None);
        if let Some(began) = self.began.take() {
            self.scope.usage().add_time(Count::StatementNanos, began.elapsed());
        }
        self.count_read();
    }

    /// Counts the rows that statements have given.
    pub(super) fn count_read(&mut self) {
        let rows = std::mem::take(&mut self.read);
        if rows > 0 {
            self.scope.usage().add(Count::RowsRead, rows);
        }
    }

    /// It has failed with `error`, which is said as it is on a database of the tenant's own, or as the limit that was met.
    pub(super) fn fails(&mut self, effect: Option<Effect>, error: sqlx::Error) -> sqlx::Error {
        let took = self.began.map(|began| began.elapsed());
        self.ends();
        let is_full = self.give_room_back();
        self.undo_own();
        if let Some(full) = is_full {
            return full.into();
        }
        match (self.time_max(), took) {
            // The database does not say who has stopped it.
            (Some(max), Some(took)) if took >= max && DB::is_stopped(&error) => self.too_long(effect, max).into(),
            _ => self.connection.translate(error),
        }
    }

    fn too_long(&mut self, effect: Option<Effect>, max: Duration) -> ScopeError {
        let (plan, slug) = (&self.scope.plan().name, self.scope.slug());
        let why = format!("the plan {plan} allows {max:?} for a statement (plans.{plan}.statement_time_max)");
        let refusal = Refusal::new(Code::StatementTimeout).for_tenant(slug.clone()).because(why);
        tracing::warn!(tenant.slug = %slug, %refusal, "a statement was stopped");
        self.scope.usage().add(Count::Refusals, 1);
        self.scope.note(&refusal);
        // What comes next must not be taken for the rest of a transaction that is none any more.
        if DB::UNDOES_WHAT_IS_STOPPED && effect != Some(Effect::Read) {
            self.undone = Some(refusal.clone());
            self.connection.spoil();
        }
        ScopeError::OverLimit(refusal)
    }

    fn time_max(&self) -> Option<Duration> {
        self.scope.limits().statement_time_max
    }
}
