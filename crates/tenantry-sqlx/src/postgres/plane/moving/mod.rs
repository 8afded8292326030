//! The rows of a tenant move between the shared tables and a database of its own, while the tenant works.
//!
//! 1. *prepare* makes the place where the rows are to be, by the application's migrations, and gives a tenant that was never
//!    used what a new one begins with.
//! 2. *copy* makes a copy as of one moment. Nobody waits.
//! 3. *catch up* brings what has changed since. There is no log of changes: a digest of each row, and its place, come from the
//!    source, are compared with those of the copy, and only rows that are not the same follow. So the source gets no
//!    triggers while the tenant works, for whose sake other tenants would wait; what it costs is a look at all rows, some
//!    tenths of a second for 100,000.
//! 4. *fence* catches up, marks the rows of the source as moved, catches up once more, and proves that the copy has the
//!    digests of all rows of the source, each as often. The mark is a trigger on each table that refuses every change, whoever tries
//!    ([`crate::ScopeError::Moved`], which a client may try again). Who changes rows when it is made is waited for; other
//!    tenants wait for at most a fifth of a second. When the proof fails the mark is taken off again.
//! 5. *clean up* removes the rows of the source. Until then a server that has not heard of the switch reads them.
//!
//! | module | what it has |
//! |---|---|
//! | `record` | how far a move has come |
//! | `marks` | the triggers |
//! | `work` | catching up and proving |
//! | `apart` | which rows are not the same |
//! | `mend` | how these become the same |
//!
//! # Killed between any two points
//!
//! | killed | state | what then |
//! |---|---|---|
//! | before the mark | the tenant works on the source | any step again, or *abandon* |
//! | after the mark, before the proof | reads go on, writes are refused | *fence* again, or *abandon* |
//! | after the proof | the same until the catalog is switched | earlier steps do nothing; *clean up*, or *abandon* |
//! | after *clean up* | nothing is left of the source | all steps do nothing, and *abandon* is refused |
//!
//! # Migrations
//!
//! While rows are copied or compared, migrations of the shared tables wait; between two steps they run, and what was copied
//! of the former schema is copied again. While rows of the shared tables are marked migrations are refused, since they could
//! not change these. A database of the tenant's own is migrated when it is next opened, as always, and by nobody else: while a
//! tenant moves, no other operation is done to it.

mod apart;
mod marks;
mod mend;
pub(in crate::postgres) mod record;
mod work;

use tenantry_core::{Amount, BoxFuture, MovableRows, Moving, PlaneError, Tenant};

use self::{
    record::Reached,
    work::{Task, work},
};
use super::{At, NAME, PgRows, at, copy, own, shared};
use crate::{
    MoveError, RowsError,
    postgres::{adopt::settle, schema},
};

impl PgRows {
    async fn prepare_move(&self, moving: &Moving) -> Result<(), MoveError> {
        let (from, to) = (at(&moving.from)?, at(&moving.to)?);
        if moving.from.placement == moving.to.placement {
            return Err(MoveError::SamePlace);
        }
        copy::install(self).await?;
        match record::reached(self, moving).await? {
            Reached::Proved | Reached::Left => return Ok(()),
            Reached::Begun | Reached::Nothing => {}
        }
        // What an earlier move has left where the rows are to be.
        let back = Moving { from: moving.to.clone(), to: moving.from.clone() };
        if record::is_proved_to(self, moving.from.id, &moving.from.placement).await? {
            self.clean_up_move(&back).await?;
        }
        for own in [from, to] {
            if let At::Own(tenant) = own
                && self.migrator.is_none()
                && !own::exists(self, tenant).await?
            {
                return Err(MoveError::MigrationsUnknown);
            }
        }
        record::begin(self, moving).await?;
        match from {
            At::Own(tenant) if own::exists(self, tenant).await? => {}
            // As there is none, what comes is what a new tenant begins with.
            At::Own(_) => drop(copy::copy(self, from, from).await?),
            At::Shared(tenant) => {
                let mut owner = self.to.take().await?;
                schema::provision(&mut owner, tenant.get()).await?;
                owner.give_back();
            }
        }
        if let At::Own(tenant) = to {
            own::make(self, tenant).await?;
        }
        // Better now than when it has begun.
        copy::Way::open(self, from, to).await?.close().await?;
        Ok(())
    }

    async fn copy_move(&self, moving: &Moving) -> Result<Amount, MoveError> {
        if self.is_fenced(moving).await? {
            return Ok(Amount::default());
        }
        Ok(copy::copy(self, at(&moving.from)?, at(&moving.to)?).await?)
    }

    async fn catch_up_move(&self, moving: &Moving) -> Result<u64, MoveError> {
        if self.is_fenced(moving).await? {
            return Ok(0);
        }
        match work(self, moving, Task::CatchUp).await {
            // A migration has run since.
            Err(MoveError::Rows(RowsError::Schema(_))) => Ok(self.copy_move(moving).await?.items),
            worked => worked,
        }
    }

    async fn fence_move(&self, moving: &Moving) -> Result<(), MoveError> {
        if self.is_fenced(moving).await? {
            return Ok(());
        }
        // What is brought now is not brought while writers wait.
        work(self, moving, Task::CatchUp).await?;
        let finished = work(self, moving, Task::Finish).await;
        if let Err(error) = finished {
            if let Err(left) = self.take_marks_off(&moving.from).await {
                tracing::error!(error = %left, "the rows stay marked, so that the tenant cannot change them");
            }
            return Err(error);
        }
        Ok(record::prove(self, moving).await?)
    }

    async fn clean_up_move(&self, moving: &Moving) -> Result<Amount, MoveError> {
        let from = at(&moving.from)?;
        let is_proved = record::is_proved_to(self, moving.to.id, &moving.to.placement).await?;
        if !record::has_source(self, moving).await? {
            if is_proved {
                record::leave(self, moving).await?;
            }
            self.take_marks_off(&moving.from).await?;
            return Ok(Amount::default());
        }
        if !is_proved {
            let left = self.count_all(&moving.from).await?;
            return if left.items == 0 { Ok(left) } else { Err(MoveError::NotMoved) };
        }
        let amount = match from {
            At::Own(tenant) => own::erase(self, tenant).await?,
            At::Shared(tenant) => shared::erase(self, tenant.get()).await?,
        };
        record::leave(self, moving).await?;
        self.take_marks_off(&moving.from).await?;
        Ok(amount)
    }

    async fn abandon_move(&self, moving: &Moving) -> Result<(), MoveError> {
        copy::install(self).await?;
        let reached = record::reached(self, moving).await?;
        if !record::has_source(self, moving).await? {
            let is_elsewhere = record::is_there(self, moving.to.id, &moving.to.placement).await?;
            return if is_elsewhere || reached == Reached::Left { Err(MoveError::Moved) } else { Ok(()) };
        }
        if reached == Reached::Proved {
            // The tenant goes on to change its rows.
            record::begin(self, moving).await?;
        }
        self.take_marks_off(&moving.from).await?;
        match at(&moving.to)? {
            At::Own(tenant) => own::erase(self, tenant).await?,
            At::Shared(tenant) => shared::erase(self, tenant.get()).await?,
        };
        Ok(record::forget(self, moving.from.id).await?)
    }

    /// Whether the rows where they were are those of the past.
    async fn is_fenced(&self, moving: &Moving) -> Result<bool, MoveError> {
        let reached = record::reached(self, moving).await?;
        Ok(matches!(reached, Reached::Proved | Reached::Left))
    }

    /// Lets the rows of a place be changed again.
    pub(super) async fn take_marks_off(&self, tenant: &Tenant) -> Result<(), MoveError> {
        match at(tenant)? {
            At::Own(id) if own::exists(self, id).await? => {
                let mut own = own::connect(self, id).await?;
                marks::take_off(At::Own(id), &mut own).await
            }
            At::Own(_) => Ok(()),
            shared => {
                let mut owner = self.to.take().await?;
                settle(&mut owner).await?;
                marks::take_off(shared, &mut owner).await?;
                owner.give_back();
                Ok(())
            }
        }
    }
}

impl MovableRows for PgRows {
    fn prepare<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { told(moving, self.prepare_move(moving).await) })
    }

    fn copy<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { told(moving, self.copy_move(moving).await) })
    }

    fn catch_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<u64, PlaneError>> {
        Box::pin(async move { told(moving, self.catch_up_move(moving).await) })
    }

    fn fence<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { told(moving, self.fence_move(moving).await) })
    }

    fn clean_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { told(moving, self.clean_up_move(moving).await) })
    }

    fn abandon<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { told(moving, self.abandon_move(moving).await) })
    }
}

/// Remembers nothing of a tenant whose rows were erased.
pub(super) async fn forget(plane: &PgRows, tenant: &Tenant) -> Result<(), RowsError> {
    plane.take_marks_off(tenant).await.map_err(|error| match error {
        MoveError::Rows(error) => error,
        other => sqlx::Error::Configuration(other.into()).into(),
    })?;
    Ok(record::forget(plane, tenant.id).await?)
}

fn told<T>(moving: &Moving, done: Result<T, MoveError>) -> Result<T, PlaneError> {
    done.map_err(|error| PlaneError::new(NAME, &moving.from, error))
}
