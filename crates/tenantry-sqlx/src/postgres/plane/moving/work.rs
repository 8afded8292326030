//! The copy is compared with its source, made the same, and proved to be.

use sqlx::{Connection, PgConnection};
use tenantry_core::Moving;

use super::{
    super::{
        At, PgRows, at,
        copy::{Ends, Source, Way, compare_globals, copy, take_over},
        counting,
    },
    apart::{self, Compared, Key},
    marks,
    mend::{self, Table},
};
use crate::{
    MoveError,
    postgres::{
        adopt::{
            Counted, Place, Rows,
            few::{self, Fields},
        },
        schema::enter,
    },
};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Bring what has changed, while the tenant works.
    CatchUp,
    /// Let nobody change the source from then on, bring what has changed, and prove the copy.
    Finish,
}

/// Does it, and says how many rows were not the same.
///
/// What cannot be made the same row by row, as where two rows have exchanged what is unique, is copied once more as a whole.
pub(super) async fn work(plane: &PgRows, moving: &Moving, task: Task) -> Result<u64, MoveError> {
    match once(plane, moving, task).await {
        Err(error) if is_worth_a_copy(&error) => {
            tracing::info!(%error, "the rows are copied once more as a whole");
            let copied = copy(plane, at(&moving.from)?, at(&moving.to)?).await?;
            Ok(once(plane, moving, task).await?.max(copied.items))
        }
        worked => worked,
    }
}

async fn once(plane: &PgRows, moving: &Moving, task: Task) -> Result<u64, MoveError> {
    let (from, to) = (at(&moving.from)?, at(&moving.to)?);
    let mut way = Way::open(plane, from, to).await?;
    let tables = Tables::all(to, &mut way.keeping).await?;
    let Ends { reading, keeping, own } = way.ends();
    let changed = match (to, own) {
        (At::Shared(tenant), _) => {
            take_over(tenant.get(), keeping).await?;
            let (changed, counted, source) = tables.bring(task, from, reading, keeping).await?;
            // What comes next on this connection is this tenant's as well.
            enter(keeping, Some(tenant.get())).await?;
            counting::stand_in_shared(&counted, source, tenant.get(), keeping).await?;
            sqlx::raw_sql("COMMIT").execute(keeping).await?;
            changed
        }
        (At::Own(_), Some(own)) => {
            sqlx::raw_sql("BEGIN").execute(&mut *own).await?;
            let (changed, counted, _) = tables.bring(task, from, reading, own).await?;
            counting::stand_in_own(&counted, own).await?;
            // The schema was kept as it is until now.
            keeping.ping().await?;
            sqlx::raw_sql("COMMIT").execute(own).await?;
            changed
        }
        (At::Own(_), None) => return Err(MoveError::SamePlace),
    };
    way.close().await?;
    Ok(changed)
}

/// All that the application has.
struct Tables {
    all: Vec<(Rows, Key, Fields)>,
    /// Whose rows they become in the shared tables; nothing in a database of a tenant's own.
    to: Option<i64>,
}

impl Tables {
    async fn all(to: At, shared: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let (keys, fields) = (apart::keys(shared).await?, few::fields(shared).await?);
        let all = Rows::all(shared).await?.into_iter().zip(keys).zip(fields);
        let to = match to {
            At::Shared(tenant) => Some(tenant.get()),
            At::Own(_) => None,
        };
        Ok(Self { all: all.map(|((rows, key), fields)| (rows, key, fields)).collect(), to })
    }

    fn rows(&self) -> impl Iterator<Item = &Rows> {
        self.all.iter().map(|(rows, ..)| rows)
    }

    /// Those that have a copy.
    fn copied(&self) -> impl Iterator<Item = Compared<'_>> {
        let copy = self.to.map_or(Place::Public, Place::Tenant);
        let all =
            self.all.iter().enumerate().map(move |(at, (rows, key, fields))| Compared { at, rows, key, fields, copy });
        all.filter(|table| self.to.is_none() || !table.rows.is_global)
    }

    /// Makes the copy the same, in the transaction that is open there. Says how many rows were not, and how far ids were
    /// given out where they are read.
    async fn bring(
        &self,
        task: Task,
        from: At,
        reading: &mut PgConnection,
        writing: &mut PgConnection,
    ) -> Result<(u64, Vec<Counted>, Source), MoveError> {
        // What is compared is not to be put on disk and fetched again.
        sqlx::raw_sql("SET LOCAL work_mem = '64MB'").execute(&mut *writing).await?;
        for table in self.copied() {
            table.digest(writing).await?;
        }
        // From here on writers wait.
        if task == Task::Finish {
            marks::set(from, self.rows(), reading).await?;
        }
        let source = Source::begin(from, reading).await?;
        if let Source::Own = source {
            compare_globals(self.rows(), reading, writing).await?;
        }
        let mut apart = Vec::new();
        for table in self.copied() {
            let found = table.find(source, reading, writing).await?;
            apart.push(Table { at: table.at, rows: table.rows, key: table.key, apart: found, tenant: self.to });
        }
        let changed = apart.iter().map(|table| table.apart.changed()).sum();
        if changed > 0 {
            mend::mend(&apart, writing).await?;
        }
        if task == Task::Finish {
            for table in self.copied() {
                table.prove(writing).await?;
            }
        }
        Ok((changed, counting::read(source, reading).await?, source))
    }
}

/// Whether a copy of all rows may lead further: where rows stood in each other's way, or something happened to a row because
/// of another one.
fn is_worth_a_copy(error: &MoveError) -> bool {
    match error {
        MoveError::Mismatch { .. } => true,
        MoveError::Rows(crate::RowsError::Database(error)) => {
            let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
            // Classes 23 and 27: a constraint, and a row that was changed already.
            code.is_some_and(|code| code.starts_with("23") || code.starts_with("27"))
        }
        _ => false,
    }
}
