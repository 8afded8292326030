//! Rows come from one place to another.
//!
//! They are read on one connection, in a transaction that sees one moment, and wait in tables of another that are gone with it,
//! or in memory where they are few. There they take the place of the former rows.

use std::ops::ControlFlow;

use sqlx::{Connection, PgConnection};
use tenantry_core::{Amount, Listener, TenantId};
use tenantry_sql::TENANT;

use super::{At, PgRows, counting, moving::record, own, shared};
use crate::{
    RowsError,
    line::Taken,
    postgres::{
        adopt::{
            self, Place, Rows, Sum,
            few::{self, Fields},
            settle, stage,
        },
        keeper::Keeper,
        schema::{self, enter},
    },
};

/// Replaces the rows of one place by a copy of another's.
pub(super) async fn copy(plane: &PgRows, from: At, to: At) -> Result<Amount, RowsError> {
    install(plane).await?;
    let from = match from {
        At::Own(tenant) if own::exists(plane, tenant).await? => At::Own(tenant),
        // What was never used is what a new one is.
        At::Own(_) => At::Shared(TenantId::new(schema::PRISTINE)),
        shared => shared,
    };
    if let At::Own(tenant) = to {
        own::make(plane, tenant).await?;
    }
    record::come_back(plane, to).await?;
    let mut way = Way::open(plane, from, to).await?;
    let tables = Rows::all(&mut way.keeping).await?.into_iter().zip(few::fields(&mut way.keeping).await?).collect();
    let Ends { reading, keeping, own } = way.ends();
    let source = Source::begin(from, reading).await?;
    let listener = &plane.listener;
    let mut work = Work { tables, source, reading, few: Vec::new(), amount: Amount::default(), listener };
    match (to, own) {
        (At::Shared(tenant), _) => work.put_into_shared(tenant.get(), keeping).await?,
        (At::Own(_), Some(own)) => work.put_into_own(keeping, own).await?,
        (At::Own(_), None) => {}
    }
    let amount = work.amount;
    way.close().await?;
    Ok(amount)
}

/// Makes what is missing of the shared database, which says what the tables are.
pub(super) async fn install(plane: &PgRows) -> Result<(), sqlx::Error> {
    if !is_installed(plane).await? {
        Keeper::open(plane.options.clone()).await?;
    }
    Ok(())
}

/// The connections that rows pass on from one place to another. Whatever databases these are, it is the shared one whose
/// schema stays as it is meanwhile.
pub(super) struct Way<'a> {
    /// To the shared database, with a transaction that keeps the schema.
    pub(super) keeping: Taken<'a>,
    reading: Taken<'a>,
    from_own: Option<PgConnection>,
    to_own: Option<PgConnection>,
}

/// What is at the ends of a way.
pub(super) struct Ends<'a> {
    /// Where rows are read.
    pub(super) reading: &'a mut PgConnection,
    /// Keeps the schema, and writes if the rows come into the shared database.
    pub(super) keeping: &'a mut PgConnection,
    /// Writes if they come into a database of a tenant's own.
    pub(super) own: Option<&'a mut PgConnection>,
}

impl<'a> Way<'a> {
    /// Opens it, and makes sure that there are the same tables at both ends.
    pub(super) async fn open(plane: &'a PgRows, from: At, to: At) -> Result<Self, RowsError> {
        let keeping = plane.to.take().await?;
        let reading = plane.from.take().await?;
        let [from_own, to_own] = [connect(plane, from).await?, connect(plane, to).await?];
        let mut way = Self { keeping, reading, from_own, to_own };
        settle(&mut way.keeping).await?;
        settle(&mut way.reading).await?;
        sqlx::raw_sql("BEGIN").execute(&mut *way.keeping).await?;
        schema::wait_and_keep_schema(&mut way.keeping).await?;
        agree(&mut way.keeping, [way.from_own.as_mut(), way.to_own.as_mut()]).await?;
        Ok(way)
    }

    /// Its ends.
    pub(super) fn ends(&mut self) -> Ends<'_> {
        let reading = self.from_own.as_mut().unwrap_or(&mut self.reading);
        Ends { reading, keeping: &mut self.keeping, own: self.to_own.as_mut() }
    }

    /// Leaves nothing behind.
    pub(super) async fn close(mut self) -> Result<(), sqlx::Error> {
        for connection in [&mut *self.keeping, &mut *self.reading] {
            sqlx::raw_sql(CLEAN).execute(connection).await?;
        }
        self.keeping.give_back();
        self.reading.give_back();
        for own in [self.from_own, self.to_own].into_iter().flatten() {
            own.close().await?;
        }
        Ok(())
    }
}

/// Ends the transaction, if there is still one: the server warns of it where there is none.
const CLEAN: &str = "SET client_min_messages TO error; ROLLBACK; RESET client_min_messages; DISCARD TEMP";

async fn connect(plane: &PgRows, at: At) -> Result<Option<PgConnection>, sqlx::Error> {
    match at {
        At::Own(tenant) => own::connect(plane, tenant).await.map(Some),
        At::Shared(_) => Ok(None),
    }
}

async fn is_installed(plane: &PgRows) -> Result<bool, sqlx::Error> {
    let mut owner = plane.to.take().await?;
    let text = "SELECT to_regclass('tenantry.moves') IS NOT NULL";
    let is_installed = sqlx::query_scalar(text).fetch_one(&mut *owner).await?;
    owner.give_back();
    Ok(is_installed)
}

/// Makes sure that databases of tenants' own have the schema of the shared one.
async fn agree(shared: &mut PgConnection, own: [Option<&mut PgConnection>; 2]) -> Result<(), RowsError> {
    let mut facts = None;
    for own in own.into_iter().flatten() {
        let expected = match facts.take() {
            Some(facts) => facts,
            None => adopt::facts(shared).await?,
        };
        let differences = adopt::differences(&adopt::facts(own).await?, &expected);
        if !differences.is_empty() {
            return Err(RowsError::Schema(differences));
        }
        facts = Some(expected);
    }
    Ok(())
}

/// Where the rows are read.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Own,
    /// In the shared tables: those of this tenant.
    Tenant(i64),
}

impl Source {
    pub(super) async fn begin(at: At, reading: &mut PgConnection) -> Result<Self, sqlx::Error> {
        sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *reading).await?;
        let At::Shared(tenant) = at else { return Ok(Self::Own) };
        let number = shared::number(reading, tenant.get()).await?;
        enter(reading, Some(number)).await?;
        Ok(Self::Tenant(number))
    }

    /// Where the rows of a table are read.
    pub(super) fn place(self, rows: &Rows) -> Place {
        match self {
            Self::Own => Place::Public,
            Self::Tenant(_) if rows.is_global => Place::Global,
            Self::Tenant(tenant) => Place::Tenant(tenant),
        }
    }

    /// What a query ends with that reads them.
    fn rest(self, rows: &Rows) -> String {
        match self.place(rows) {
            Place::Tenant(tenant) => format!("FROM {} WHERE {TENANT} = {tenant}", rows.shared()),
            Place::Global => format!("FROM {}", rows.shared()),
            Place::Public | Place::Stage(_) => format!("FROM {}", rows.public()),
        }
    }
}

struct Work<'a> {
    tables: Vec<(Rows, Fields)>,
    source: Source,
    reading: &'a mut PgConnection,
    /// The rows of tables that have few, which wait here.
    few: Vec<Vec<String>>,
    amount: Amount,
    listener: &'a Listener,
}

impl Work<'_> {
    /// Replaces a tenant's rows in the shared tables, in the transaction that is open there.
    async fn put_into_shared(&mut self, tenant: i64, owner: &mut PgConnection) -> Result<(), RowsError> {
        if let Source::Own = self.source {
            compare_globals(self.tables.iter().map(|(rows, _)| rows), self.reading, owner).await?;
        }
        self.tables.retain(|(rows, _)| !rows.is_global);
        let brought = self.bring(owner).await?;
        let counted = counting::read(self.source, self.reading).await?;
        take_over(tenant, owner).await?;
        let tables = || self.tables.iter().map(|(rows, _)| rows);
        shared::at_once(tables().map(Rows::delete), tenant, &[], owner).await?;
        let inserts = tables().zip(&brought).map(|(rows, from)| rows.insert(from));
        shared::at_once(inserts, tenant, &self.few, owner).await?;
        counting::stand_in_shared(&counted, self.source, tenant, owner).await?;
        sqlx::raw_sql("COMMIT").execute(owner).await?;
        Ok(())
    }

    /// Replaces all rows of a database of a tenant's own.
    async fn put_into_own(&mut self, keeping: &mut PgConnection, own: &mut PgConnection) -> Result<(), RowsError> {
        sqlx::raw_sql("BEGIN").execute(&mut *own).await?;
        let brought = self.bring(own).await?;
        let counted = counting::read(self.source, self.reading).await?;
        let tables = || self.tables.iter().map(|(rows, _)| rows);
        shared::at_once(tables().map(|rows| format!("DELETE FROM {}", rows.public())), 0, &[], own).await?;
        let inserts = tables().zip(&brought).map(|(rows, from)| {
            let (into, list) = (rows.public(), rows.list());
            format!("INSERT INTO {into} ({list}) OVERRIDING SYSTEM VALUE SELECT {list} FROM {from}")
        });
        shared::at_once(inserts, 0, &self.few, own).await?;
        counting::stand_in_own(&counted, own).await?;
        // The schema was kept as it is until now.
        keeping.ping().await?;
        sqlx::raw_sql("COMMIT").execute(own).await?;
        Ok(())
    }

    /// Brings all rows to where they wait, and says for each table where that is.
    async fn bring(&mut self, to: &mut PgConnection) -> Result<Vec<String>, RowsError> {
        let (mut brought, nobody) = (Vec::new(), Listener::default());
        for (at, (rows, fields)) in self.tables.iter().enumerate() {
            let rest = self.source.rest(rows);
            // What is all tenants' is not this one's.
            let listener = if rows.is_global { &nobody } else { self.listener };
            let (from, copied) = match few::few(fields, &rest, self.reading).await? {
                Some(few) => {
                    let copied = u64::try_from(few.len()).unwrap_or(u64::MAX);
                    self.few.push(few);
                    listener.done(copied);
                    // The tenant is the first one.
                    (few::rows_of(&rows.public(), self.few.len() + 1), copied)
                }
                None => (stage(at), into_stage(at, rows, &rest, listener, self.reading, to).await?),
            };
            brought.push(from);
            if !rows.is_global {
                self.amount += Amount::items(copied);
            }
        }
        Ok(brought)
    }
}

/// Brings the rows of a table to its stage.
async fn into_stage(
    at: usize,
    rows: &Rows,
    rest: &str,
    listener: &Listener,
    reading: &mut PgConnection,
    to: &mut PgConnection,
) -> Result<u64, sqlx::Error> {
    let stage = stage(at);
    adopt::make_stage(&stage, rows, to).await?;
    let out = format!("COPY (SELECT {} {rest}) TO STDOUT", rows.list());
    let mut so_far = 0;
    let mut told = |copied: u64| {
        listener.done(copied.saturating_sub(so_far));
        so_far = copied;
        ControlFlow::Continue(())
    };
    let copied = adopt::copy_rows(&out, rows, reading, &stage, to, &mut told).await?;
    listener.done(copied.saturating_sub(so_far));
    Ok(copied)
}

/// Makes the tenant's rows in the shared tables those of whoever has the transaction.
pub(super) async fn take_over(tenant: i64, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Another copy, and whoever gives the tenant its first rows, waits here, or is waited for.
    let text = "INSERT INTO tenantry.tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING";
    sqlx::query(text).bind(tenant).execute(&mut *owner).await?;
    let text = "SELECT FROM tenantry.tenants WHERE tenant = $1 FOR UPDATE";
    sqlx::query(text).bind(tenant).execute(&mut *owner).await?;
    // What is there is no longer what was adopted.
    let text = "DELETE FROM tenantry.adoptions WHERE tenant = $1";
    sqlx::query(text).bind(tenant).execute(&mut *owner).await?;
    enter(owner, Some(tenant)).await
}

/// What all tenants read belongs to nobody, and stays as it is. The tenant's rows may refer to it.
pub(super) async fn compare_globals(
    tables: impl Iterator<Item = &Rows>,
    reading: &mut PgConnection,
    owner: &mut PgConnection,
) -> Result<(), RowsError> {
    for rows in tables.filter(|rows| rows.is_global) {
        let source = Sum::of(rows, Place::Public, reading).await?;
        if source != Sum::of(rows, Place::Global, owner).await? {
            return Err(RowsError::Global(rows.table.clone()));
        }
    }
    Ok(())
}
