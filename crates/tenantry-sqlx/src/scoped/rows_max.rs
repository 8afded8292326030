//! The rows that a tenant may have: room is taken when a statement inserts, and given back when its rows are gone.

use std::{ops::AddAssign, sync::Arc};

use sqlx::Database;
use sqlx_core::transaction::TransactionManager;
use tenantry_core::{Code, Count, Refusal};
use tenantry_sql::{Affected, Effect, Plan, RowId};

use super::{Lease, Scopable, ScopeError, Statements, statement::Does};
use crate::room::{Claim, Room, Rooms};

/// What a lease has inserted and deleted, where the tenant's rows are limited.
pub(crate) struct Tallies {
    room: Arc<Room>,
    max: i64,
    /// That of the statement which runs, where the database tells of each row.
    claim: Option<Arc<Claim>>,
    /// What the open transaction has done, and in it each savepoint since.
    levels: Vec<Tally>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    inserted: i64,
    deleted: i64,
    /// Whether rows were inserted that are in no tally, but in what was counted meanwhile.
    is_short: bool,
    /// Whether a statement has failed, so that the database undoes all, whatever it is told at the end.
    is_failed: bool,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.inserted += more.inserted;
        self.deleted += more.deleted;
        self.is_short |= more.is_short;
        self.is_failed |= more.is_failed;
    }
}

impl Tallies {
    pub(super) fn new(rooms: &Rooms, scope: &tenantry_core::Scope) -> Option<Self> {
        let max = i64::try_from(scope.limits().rows_max?).unwrap_or(i64::MAX / 2);
        Some(Self { room: rooms.of(scope.id()), max, claim: None, levels: Vec::new() })
    }

    /// What the transaction has done so far.
    fn so_far(&self) -> Tally {
        let mut all = Tally::default();
        self.levels.iter().for_each(|level| all += *level);
        all
    }

    /// How many rows there may be while the transaction is open: what it has deleted makes room for itself.
    fn allowed(&self) -> i64 {
        self.max.saturating_add(self.so_far().deleted)
    }

    fn is_full(&self) -> bool {
        self.room.used() >= self.allowed()
    }

    /// A statement has done this, in a transaction or savepoint of this depth.
    fn add(&mut self, depth: usize, tally: Tally) {
        let Some(level) = depth.checked_sub(1) else {
            return self.room.keep(tally.inserted, tally.deleted);
        };
        if self.levels.len() < depth {
            self.levels.resize(depth, Tally::default());
        }
        self.levels[level] += tally;
    }

    /// Transactions and savepoints have ended; so many are left.
    fn end(&mut self, depth: usize, are_kept: bool) {
        let mut ended = Tally::default();
        self.levels.drain(depth.min(self.levels.len())..).for_each(|level| ended += level);
        if are_kept && !ended.is_failed {
            return self.add(depth, ended);
        }
        self.room.undo(ended.inserted);
        if ended.is_short {
            self.room.forget();
        }
    }
}

impl Drop for Tallies {
    fn drop(&mut self) {
        self.end(0, false);
    }
}

impl<DB: Scopable> Lease<DB> {
    /// Before a statement: where the database tells of each row that is inserted, it is told how many there may be.
    pub(super) async fn claim_room(&mut self, plan: &Plan) -> Result<(), sqlx::Error> {
        if !plan.effect.writes() || !self.limits_rows() || !DB::TELLS_OF_ROWS {
            return Ok(());
        }
        let inserts = plan.effect == Effect::Insert;
        if inserts {
            self.count_rows_if_due().await?;
        }
        let unnumbered = inserts && self.is_unnumbered(plan);
        let Some(tallies) = &mut self.tallies else { return Ok(()) };
        let allowed = if inserts { tallies.allowed() } else { i64::MAX };
        // Of these tables nothing is told.
        if unnumbered && tallies.room.used() >= allowed {
            return Err(self.full().into());
        }
        let claim = Arc::new(Claim::new(Arc::clone(&tallies.room), allowed));
        tallies.claim = Some(Arc::clone(&claim));
        self.connection.claim(claim);
        Ok(())
    }

    /// Before a statement that inserts, in its transaction: what is known to have no room is not run, on databases that say
    /// only afterwards how many rows there were. So nobody has room who does not wait for the end of statements.
    pub(super) async fn ask_for_room(&mut self, does: Does) -> Result<(), sqlx::Error> {
        if !does.inserts() || DB::TELLS_OF_ROWS || !self.limits_rows() {
            return Ok(());
        }
        let Some(tallies) = &self.tallies else { return Ok(()) };
        let is_doubted = tallies.room.is_doubted();
        let is_full = if does.only_inserts() {
            if is_doubted || tallies.is_full() {
                self.count_rows_if_due().await?;
            }
            self.tallies.as_ref().is_some_and(Tallies::is_full)
        } else {
            // It may need no room, so that only who has too many rows already is refused.
            if is_doubted {
                self.recount_rows().await?;
            }
            is_doubted && self.is_over()
        };
        if is_full {
            self.fail_transaction().await;
            return Err(self.full().into());
        }
        Ok(())
    }

    /// After a statement: takes room for what it has inserted. Where there is none, it is undone.
    pub(super) async fn take_room(&mut self, does: Does, affected: u64) -> Result<(), sqlx::Error> {
        let Some(effect) = does.effect.filter(|effect| effect.writes()) else { return Ok(()) };
        if !self.limits_rows() {
            return Ok(());
        }
        let depth = self.depth();
        let Some(tallies) = &mut self.tallies else { return Ok(()) };
        let affected = i64::try_from(affected).unwrap_or(i64::MAX / 2);
        let told = tallies.claim.take().map_or(0, |claim| claim.take());
        let hides_inserted = does.affected == Affected::WithoutInserted;
        let mut tally = Tally { inserted: told, is_short: hides_inserted, ..Tally::default() };
        match effect {
            _ if hides_inserted || does.affected == Affected::Unknown => {}
            Effect::Delete | Effect::Truncate => tally.deleted = affected,
            // Of tables without row ids nothing is told.
            Effect::Insert | Effect::Merge if told == 0 => {
                tally.inserted = affected;
                tallies.room.insert(affected);
            }
            _ => {}
        }
        tallies.add(depth, tally);
        if DB::TELLS_OF_ROWS || !does.inserts() {
            return Ok(());
        }
        if hides_inserted {
            // Nobody else says how many there were.
            self.recount_rows().await?;
        } else {
            self.count_rows_if_due().await?;
            if self.is_over() && !does.only_inserts() {
                // Some of the rows may have been there before.
                self.recount_rows().await?;
            }
        }
        if self.is_over() {
            self.fail_transaction().await;
            return Err(self.full().into());
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.tallies.as_ref().is_some_and(|tallies| tallies.room.used() > tallies.allowed())
    }

    /// After a statement that has failed: gives the room back. Says whether it failed because there is none.
    pub(super) fn give_room_back(&mut self) -> Option<ScopeError> {
        let depth = self.depth();
        let tallies = self.tallies.as_mut()?;
        if depth > 0 && !DB::TELLS_OF_ROWS {
            tallies.add(depth, Tally { is_failed: true, ..Tally::default() });
        }
        let claim = tallies.claim.take()?;
        tallies.room.undo(claim.take());
        claim.is_refused().then(|| self.full())
    }

    fn limits_rows(&mut self) -> bool {
        if self.tallies.is_none() {
            self.tallies = self.rooms.as_ref().and_then(|rooms| Tallies::new(rooms, &self.scope));
        }
        self.tallies.is_some()
    }

    async fn recount_rows(&mut self) -> Result<(), sqlx::Error> {
        if let Some(tallies) = &self.tallies {
            tallies.room.forget();
        }
        self.count_rows_if_due().await
    }

    async fn count_rows_if_due(&mut self) -> Result<(), sqlx::Error> {
        let (Some(tallies), Statements::Scoped(planning)) = (&self.tallies, &self.statements) else { return Ok(()) };
        let Some(counting) = tallies.room.count_if_due(tallies.max).await else { return Ok(()) };
        let seen = if DB::TELLS_OF_ROWS { Tally::default() } else { tallies.so_far() };
        let rows = self.connection.count_rows(&planning.plans()).await;
        let rows = rows.map_err(|error| self.connection.translate(error))?;
        counting.found(i64::try_from(rows).unwrap_or(i64::MAX / 2) - seen.inserted + seen.deleted);
        Ok(())
    }

    /// Whether a statement names a table whose rows have no ids.
    fn is_unnumbered(&self, plan: &Plan) -> bool {
        let Statements::Scoped(planning) = &self.statements else { return false };
        let plans = planning.plans();
        let schema = plans.schema();
        plan.relations.iter().filter_map(|name| schema.table(name)).any(|table| table.row_id == RowId::None)
    }

    /// There is no room: says so to the operator, and what is to be said to the tenant's user.
    fn full(&self) -> ScopeError {
        let (plan, slug) = (&self.scope.plan().name, self.scope.slug());
        let (max, used, tells) = self
            .tallies
            .as_ref()
            .map_or((0, 0, false), |tallies| (tallies.max, tallies.room.used(), tallies.room.tells()));
        let why = format!("the plan {plan} allows {max} rows (plans.{plan}.rows_max), and there are {}", used.min(max));
        let refusal = Refusal::new(Code::RowsFull).for_tenant(slug.clone()).because(why);
        if tells {
            tracing::warn!(tenant.slug = %slug, %refusal, "a tenant can have no more rows");
        }
        self.scope.usage().add(Count::Refusals, 1);
        self.scope.note(&refusal);
        ScopeError::OverLimit(refusal)
    }

    /// Undoes a statement that has run: with its own transaction, or else with the one around it, as any error does.
    async fn fail_transaction(&mut self) {
        if self.own_is_open {
            return self.undo_own();
        }
        DB::fail(self.connection.connection()).await;
        let depth = self.depth();
        if let Some(tallies) = &mut self.tallies {
            tallies.add(depth, Tally { is_failed: true, ..Tally::default() });
        }
    }
}

impl<DB: Database> Lease<DB> {
    /// Transactions or savepoints have ended, and so many are left.
    pub(super) fn settle(&mut self, depth: usize, are_kept: bool) {
        if let Some(tallies) = &mut self.tallies {
            tallies.end(depth, are_kept);
        }
    }

    /// What was done on the connection may not be what was counted.
    pub(super) fn doubt_room(&mut self) {
        if let Some(tallies) = &mut self.tallies {
            tallies.levels.iter_mut().for_each(|level| level.is_failed = false);
            tallies.room.doubt();
        }
    }

    /// In how many transactions and savepoints the connection is.
    pub(super) fn depth(&mut self) -> usize {
        DB::TransactionManager::get_transaction_depth(self.connection.connection())
    }
}
