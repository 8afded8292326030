//! The rows of a tenant move between the shared tables and a database of its own, while the tenant works.
//!
//! ```text
//!  prepare ─► copy ─► catch_up … catch_up ─► fence ─► (the catalog is switched) ─► clean_up
//!     └──────────┴────────┴─────────────┴──► abandon
//! ```
//!
//! 1. *prepare* sees to it that there is something to move.
//! 2. *copy* makes a copy as of one moment. Nobody waits but who writes to the database that it comes into.
//! 3. *catch up* compares row by row, and brings what has changed since. It is repeated until little has.
//! 4. *fence* locks the source: writers wait, for at most their own busy timeout, and readers go on. It catches up
//!    once more, compares the counts and the sums of the digests of all rows, and marks the rows of the source as moved.
//!    From then on every change of them is refused, whoever tries ([`crate::ScopeError::Moved`], which a client may try
//!    again): a server that has not heard yet where the rows are loses nothing. Only then the catalog is switched, by whoever
//!    looks after the tenant.
//! 5. *clean up* removes the rows of the source. It is for when every server has had the time to hear of the switch; until
//!    then some may still read there.
//!
//! There is no log of changes: what has changed is found by comparing all rows, as they are compared anyway before the
//! switch. So the source gets no triggers while the tenant works, and migrations may run until the fence: rows of another
//! schema are copied once more. While rows of the shared tables are marked migrations are refused, which would take the marks
//! away.
//!
//! # Killed between any two points
//!
//! | killed | state | what then |
//! |---|---|---|
//! | before the mark | the tenant works on the source | any step again, or *abandon* |
//! | after the mark, before the switch | reads go on, writes are refused | *fence* again, which does nothing, or *abandon* |
//! | after the switch | the tenant works where the rows are now | *clean up* again |
//!
//! Each step may be begun again at any time, also after later ones.

mod fence;

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tenantry_core::{Amount, BoxFuture, Listener, MovableRows, Moving, Placement, PlaneError, Tenant};
use thiserror::Error;

pub(in crate::shared) use self::fence::{is_any_marked as is_any_moved, is_marked as is_moved};
use super::{At, NAME, RowsError, SqliteRows, from_own, into_own, own, tenants};

/// The move of a tenant's rows from one placement to another.
#[derive(Debug)]
pub struct RowsMove<'a> {
    rows: &'a SqliteRows,
    from: Tenant,
    to: Tenant,
}

/// Why rows cannot be moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MoveError {
    /// They are there already.
    #[error("the rows are to be moved to where they are; name the other placement")]
    SamePlace,
    /// What is to be removed may be all that there is.
    #[error("the rows are not marked as moved, so that they are not removed; finish the move first")]
    NotMoved,
    /// What is to be removed is all that there is.
    #[error("the rows have been moved, and nothing is left where they were; move them back instead")]
    Moved,
    /// The copy is not what it is a copy of.
    #[error(
        "{copied} and {source_rows} rows of table {table} are not the same; nothing was switched; begin the move again"
    )]
    Mismatch {
        /// The table.
        table: String,
        /// How many rows the source has.
        source_rows: i64,
        /// How many the copy has.
        copied: i64,
    },
    /// The place where rows are to be cannot be made.
    #[error(
        "a database of the tenant's own is made by the application's migrations, which are not known here; let the \
         application itself move the tenant, or say which migrations it has"
    )]
    MigrationsUnknown,
    /// Transactions that change rows did not end.
    #[error(
        "transactions that change rows do not end, so that no lock was got in {tries} tries; end them, and try again"
    )]
    Busy {
        /// How often it was tried.
        tries: u32,
    },
    /// Rows cannot be worked on.
    #[error(transparent)]
    Rows(#[from] RowsError),
}

impl From<sqlx::Error> for MoveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Rows(error.into())
    }
}

/// What the copying connection is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Bring what has changed.
    CatchUp,
    /// Only compare.
    Prove,
    /// Both.
    Finish,
}

impl SqliteRows {
    /// The move of a tenant's rows. Where they come from is said here, since the tenant's record says it only until the
    /// switch.
    pub fn moving(&self, tenant: &Tenant, from: Placement, to: Placement) -> RowsMove<'_> {
        self.of(&Moving::new(tenant, from, to))
    }
}

impl RowsMove<'_> {
    /// Sees to it that there is something to move: a tenant that was never used gets the rows that it begins with.
    ///
    /// # Errors
    ///
    /// When both placements are the same, and what the database says.
    pub async fn prepare(&self) -> Result<(), MoveError> {
        self.rows.at(&self.to)?;
        if self.from.placement == self.to.placement {
            return Err(MoveError::SamePlace);
        }
        if self.is_moved().await? {
            return Ok(());
        }
        match self.rows.at(&self.from)? {
            At::Own(file) if file.exists() => {}
            At::Own(file) => {
                let from = into_own::From::Tenant(&self.from);
                self.rows.keeper().await?;
                into_own::copy(&self.rows.options, from, &file, &Listener::default()).await?;
            }
            At::Shared => {
                let keeper = self.rows.keeper().await?;
                if !tenants::is_used(keeper, &self.from).await? {
                    tenants::copy(keeper, &self.from, &self.from, &Listener::default()).await?;
                }
            }
        }
        Ok(())
    }

    /// Copies all rows, as of one moment.
    ///
    /// # Errors
    ///
    /// [`MoveError::Rows`]; the tenant works on as before.
    pub async fn copy(&self) -> Result<Amount, MoveError> {
        if self.is_moved().await? {
            return Ok(Amount::default());
        }
        Ok(self.rows.copy_all(&self.from, &self.to).await?)
    }

    /// Brings what has changed since, and says how many rows that were: when these are few, it is time to finish.
    ///
    /// # Errors
    ///
    /// As [`Self::copy`].
    pub async fn catch_up(&self) -> Result<u64, MoveError> {
        if self.is_moved().await? {
            return Ok(0);
        }
        match self.work(Task::CatchUp).await {
            // A migration has run since.
            Err(MoveError::Rows(RowsError::Schema(_))) => Ok(self.copy().await?.items),
            worked => worked,
        }
    }

    /// Compares the copy with the source, as both are now: counts, and the sums of the digests of all rows.
    ///
    /// # Errors
    ///
    /// [`MoveError::Mismatch`]; also where the tenant has written since it was last caught up.
    pub async fn prove(&self) -> Result<(), MoveError> {
        self.work(Task::Prove).await.map(drop)
    }

    /// Fences the source, catches up for the last time, proves the copy, and marks the rows of the source as moved. Next,
    /// the catalog is to say where they are.
    ///
    /// # Errors
    ///
    /// [`MoveError`]; the tenant works on as before.
    pub async fn fence(&self) -> Result<(), MoveError> {
        if self.is_moved().await? { Ok(()) } else { self.finish().await }
    }

    /// Removes what is left of the rows where they came from, when no server serves them there any more.
    ///
    /// # Errors
    ///
    /// [`MoveError::NotMoved`], if the rows were not moved: it could be all that there is.
    pub async fn clean_up(&self) -> Result<Amount, MoveError> {
        let left = self.rows.count_all(&self.from).await?;
        match self.rows.at(&self.from)? {
            At::Own(file) if !file.exists() => Ok(left),
            // A file without any row is no loss, and one without tables has nothing that could be marked.
            At::Own(_) if left.items > 0 && !self.is_moved().await? => Err(MoveError::NotMoved),
            At::Shared if !self.is_moved().await? => {
                if left.is_nothing() {
                    Ok(left)
                } else {
                    Err(MoveError::NotMoved)
                }
            }
            At::Own(file) => {
                own::remove(&self.rows.options, &file)?;
                Ok(left)
            }
            At::Shared => {
                let keeper = self.rows.keeper().await?;
                tenants::erase(keeper, self.from.id.get(), &self.rows.listener).await?;
                // As long as there was a row, nobody could write.
                fence::unmark(keeper, self.from.id.get()).await?;
                Ok(left)
            }
        }
    }

    /// Takes the mark off, removes the copy, and leaves the tenant where it is. Whoever calls this knows that the catalog
    /// says so: after the switch, the copy is all that there is.
    ///
    /// # Errors
    ///
    /// [`MoveError::Moved`], if there is nothing left where the rows came from.
    pub async fn abandon(&self) -> Result<(), MoveError> {
        let has_source = match self.rows.at(&self.from)? {
            At::Own(file) if !file.exists() => false,
            At::Own(file) => {
                fence::unmark_all(&mut self.open(&file).await?).await?;
                true
            }
            At::Shared => {
                let keeper = self.rows.keeper().await?;
                fence::restore(keeper, self.from.id.get()).await?;
                tenants::is_used(keeper, &self.from).await?
            }
        };
        if !has_source {
            return Err(MoveError::Moved);
        }
        self.rows.erase_all(&self.to).await?;
        Ok(())
    }

    async fn is_moved(&self) -> Result<bool, MoveError> {
        match self.rows.at(&self.from)? {
            At::Shared => {
                let mut owner = self.rows.keeper().await?.owner().await?;
                let is_moved = fence::is_marked("main", self.from.id.get(), &mut owner).await?;
                owner.put_back();
                Ok(is_moved)
            }
            At::Own(file) if !file.exists() => Ok(false),
            At::Own(file) => Ok(fence::is_marked("main", fence::ALL, &mut self.open(&file).await?).await?),
        }
    }

    /// Works on the copy, with the source as it is.
    async fn work(&self, task: Task) -> Result<u64, MoveError> {
        match (self.rows.at(&self.from)?, self.rows.at(&self.to)?) {
            (At::Shared, At::Own(file)) => into_own::work(&self.rows.options, &self.from, &file, task).await,
            (At::Own(file), At::Shared) => from_own::work(self.rows.keeper().await?, &file, &self.to, task).await,
            (At::Shared, At::Shared) | (At::Own(_), At::Own(_)) => Err(MoveError::SamePlace),
        }
    }

    /// What is done while the source is fenced. Its other connection sees what was committed before the fence, and nothing
    /// is committed within.
    async fn finish(&self) -> Result<(), MoveError> {
        match self.rows.at(&self.from)? {
            At::Shared => {
                let keeper = self.rows.keeper().await?;
                let mut source = tenants::begin(keeper).await?;
                self.work(Task::Finish).await?;
                fence::mark(keeper, self.from.id.get(), &mut source).await?;
                Ok(tenants::end(source).await?)
            }
            At::Own(file) => {
                let mut source = self.open(&file).await?;
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut source).await?;
                self.work(Task::Finish).await?;
                fence::mark_all(&mut source).await?;
                sqlx::raw_sql("COMMIT").execute(&mut source).await?;
                Ok(())
            }
        }
    }

    async fn open(&self, file: &std::path::Path) -> Result<SqliteConnection, sqlx::Error> {
        let options: SqliteConnectOptions = self.rows.options.connect(file);
        options.create_if_missing(false).connect().await
    }
}

impl MovableRows for SqliteRows {
    fn prepare<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { told(moving, self.of(moving).prepare().await) })
    }

    fn copy<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { told(moving, self.of(moving).copy().await) })
    }

    fn catch_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<u64, PlaneError>> {
        Box::pin(async move { told(moving, self.of(moving).catch_up().await) })
    }

    fn fence<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { told(moving, self.of(moving).fence().await) })
    }

    fn clean_up<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { told(moving, self.of(moving).clean_up().await) })
    }

    fn abandon<'a>(&'a self, moving: &'a Moving) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move { told(moving, self.of(moving).abandon().await) })
    }
}

impl SqliteRows {
    fn of(&self, moving: &Moving) -> RowsMove<'_> {
        RowsMove { rows: self, from: moving.from.clone(), to: moving.to.clone() }
    }
}

fn told<T>(moving: &Moving, done: Result<T, MoveError>) -> Result<T, PlaneError> {
    done.map_err(|error| PlaneError::new(NAME, &moving.from, error))
}
