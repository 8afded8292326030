//! The adoption of a source by a tenant with shared tables, from beginning to end.

use std::time::Instant;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_core::Tenant;
use tenantry_sql::{Quoted, TENANT};

use super::{
    AdoptOptions, AdoptedTable, Adoption, Progress, agreement,
    contents::{Contents, Sum},
    error::AdoptError,
    is_not_served,
    record::{self, Record},
    rows::{Place, Rows},
    source::{SOURCE, Source},
    takeover,
};
use crate::{
    SqliteOptions, native,
    shared::{keeper::Keeper, migrate::Work, owner::Taken, provision::PRISTINE, store},
};

/// Adopts a source.
pub(super) async fn adopt(
    options: &SqliteOptions,
    tenant: &Tenant,
    source: &Source,
    how: &mut AdoptOptions<'_>,
) -> Result<Adoption, AdoptError> {
    let keeper = options.keeper().await?;
    let mut owner = keeper.owner().await?;
    source.attach(&mut owner).await?;
    let contents = Contents::read(source, &options.global, &options.limits, &mut owner).await?;
    // What is copied has been checked where it comes from, and its triggers have run there.
    sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut *owner).await?;
    native::switch_triggers(&mut owner, false).await?;
    let run = sqlx::query_scalar("SELECT random()").fetch_one(&mut *owner).await?;
    let mut run = Run { tenant, source, contents, keeper: &keeper, owner, run };
    let took_schema = run.agree().await?;
    let begun = run.begin().await?;
    if begun != Begun::Already {
        run.copy(how).await?;
        run.prove().await?;
        run.publish().await?;
    }
    // The connection is closed, and with it the source and what was switched off.
    Ok(run.report(begun, took_schema))
}

struct Run<'a> {
    tenant: &'a Tenant,
    source: &'a Source,
    contents: Contents,
    keeper: &'a Keeper,
    owner: Taken<'a>,
    /// Tells this call from others for the same tenant.
    run: i64,
}

/// How it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    /// It had been done before.
    Already,
    /// There was nothing.
    New,
    /// An earlier call had come some way.
    Resumed,
}

impl Run<'_> {
    /// Makes sure that both have the same schema. Says whether the shared database took it from the source.
    async fn agree(&mut self) -> Result<bool, AdoptError> {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *self.owner).await?;
        self.keeper.reload_with(&mut self.owner).await?;
        let shared = store::objects(&mut self.owner).await?;
        let takes = shared.is_empty() && !agreement::has_migrations("main", &mut self.owner).await?;
        if takes {
            is_not_served(self.tenant)?;
            let session = self.owner.session();
            let work = Work::begin(self.keeper, session, &mut self.owner).await?;
            let (schema, objects) = takeover::define(work, &self.contents.objects).await?;
            takeover::history(&mut self.owner).await?;
            sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await?;
            self.keeper.put(schema, &objects);
            return Ok(true);
        }
        let Contents { objects, names, .. } = &self.contents;
        let mut differences = agreement::differences(objects, &shared, names, self.keeper.limits());
        differences.extend(agreement::migrations(&mut self.owner).await?);
        sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await?;
        if differences.is_empty() { Ok(false) } else { Err(AdoptError::Schema(differences)) }
    }

    /// Notes that the tenant's rows are incomplete from now on, unless they are complete.
    async fn begin(&mut self) -> Result<Begun, AdoptError> {
        let tenant = self.tenant.id.get();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *self.owner).await?;
        if self.keeper.reload_with(&mut self.owner).await? {
            return Err(AdoptError::Interrupted(self.tenant.slug.clone()));
        }
        let schema = store::version(&mut self.owner).await?;
        let is_same = |record: &Record| record.fingerprint == self.contents.fingerprint;
        let begun = match record::of(tenant, &mut self.owner).await? {
            Some(record) if record.finished && is_same(&record) => {
                sqlx::raw_sql("ROLLBACK").execute(&mut *self.owner).await?;
                return Ok(Begun::Already);
            }
            Some(Record { finished: true, source, .. }) => {
                return Err(AdoptError::Otherwise { tenant: self.tenant.slug.clone(), from: source });
            }
            Some(record) if is_same(&record) && record.schema == schema => Begun::Resumed,
            Some(_) => {
                record::discard(tenant, self.keeper.current().schema(), &mut self.owner).await?;
                Begun::New
            }
            None => {
                self.is_unused().await?;
                record::discard(tenant, self.keeper.current().schema(), &mut self.owner).await?;
                Begun::New
            }
        };
        is_not_served(self.tenant)?;
        self.compare_globals().await?;
        let record = Record {
            source: self.source.path.display().to_string(),
            fingerprint: self.contents.fingerprint.clone(),
            schema,
            run: self.run,
            finished: false,
        };
        record::write(tenant, &record, &mut self.owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await?;
        Ok(begun)
    }

    /// Refuses a tenant that has other rows than a new one.
    async fn is_unused(&mut self) -> Result<(), AdoptError> {
        let tenant = self.tenant.id.get();
        let is_there = store::has_tenant(tenant, &mut self.owner).await?;
        let used = |table: &str| AdoptError::Used { tenant: self.tenant.slug.clone(), table: table.to_owned() };
        for (rows, _) in self.contents.tables.iter().filter(|(rows, _)| !rows.is_global) {
            let is_new = if is_there {
                let new = Sum::of(rows, Place::Tenant, PRISTINE, &mut self.owner).await?;
                Sum::of(rows, Place::Tenant, tenant, &mut self.owner).await? == new
            } else {
                !has_rows(rows, tenant, &mut self.owner).await?
            };
            if !is_new {
                return Err(used(&rows.table));
            }
        }
        let counted = record::counted(tenant, &mut self.owner).await?;
        // Rows that were there and are gone count as well.
        if is_there && counted != record::counted(PRISTINE, &mut self.owner).await? {
            return Err(used("a table whose ids are counted"));
        }
        Ok(())
    }

    async fn copy(&mut self, how: &mut AdoptOptions<'_>) -> Result<(), AdoptError> {
        let tables = self.contents.tables.clone();
        let batch = how.batch(self.source.bytes, tables.iter().map(|(_, sum)| sum.rows).sum());
        for (rows, sum) in tables.iter().filter(|(rows, _)| !rows.is_global) {
            let mut done = self.rows_there(rows).await?;
            let limit = if rows.at_once() { i64::MAX } else { batch };
            let mut is_complete = rows.at_once() && done > 0;
            while !is_complete {
                let begun = Instant::now();
                let copied = self.copy_batch(rows, done == 0, limit).await?;
                (done, is_complete) = (done + copied, copied < limit);
                let (table, total) = (rows.table.as_str(), sum.rows.unsigned_abs());
                if how.told(&Progress { table, rows: done.unsigned_abs(), total }).is_break() {
                    return Err(AdoptError::Stopped(self.tenant.slug.clone()));
                }
                // Other tenants wait for the lock in short sleeps, and have to find it free.
                tokio::time::sleep(begun.elapsed() / PAUSE).await;
            }
        }
        Ok(())
    }

    async fn copy_batch(&mut self, rows: &Rows, first: bool, limit: i64) -> Result<i64, AdoptError> {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *self.owner).await?;
        self.is_mine().await?;
        let copy = sqlx::query(AssertSqlSafe(rows.copy(first))).bind(self.tenant.id.get()).bind(limit);
        let copied = copy.execute(&mut *self.owner).await.map_err(|error| self.row_failed(rows, error))?;
        sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await?;
        Ok(i64::try_from(copied.rows_affected()).unwrap_or(i64::MAX))
    }

    /// Compares what is there with the source, table by table: the sums of the digests of all rows.
    async fn prove(&mut self) -> Result<(), AdoptError> {
        let tenant = self.tenant.id.get();
        let mut differing = None;
        sqlx::raw_sql("BEGIN").execute(&mut *self.owner).await?;
        for (rows, found) in &self.contents.tables {
            let now = Sum::of(rows, Place::SOURCE, tenant, &mut self.owner).await?;
            if now != *found || !self.source.is_as_found() {
                return Err(AdoptError::Changed(self.source.path.clone()));
            }
            if !rows.is_global && Sum::of(rows, Place::Tenant, tenant, &mut self.owner).await? != now {
                let keys = differing_keys(rows, Place::Tenant, tenant, &mut self.owner).await?;
                differing = Some((rows.table.clone(), keys));
                break;
            }
        }
        sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await?;
        let Some((table, keys)) = differing else { return Ok(()) };
        // What is there cannot be relied on.
        let spoil = "UPDATE main._tenantry_adoptions SET fingerprint = '' WHERE tenant = ? AND run = ?";
        sqlx::query(spoil).bind(tenant).bind(self.run).execute(&mut *self.owner).await?;
        Err(AdoptError::Mismatch { tenant: self.tenant.slug.clone(), table, keys })
    }

    /// Makes the rows those of a tenant that can be served.
    async fn publish(&mut self) -> Result<(), AdoptError> {
        let tenant = self.tenant.id.get();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *self.owner).await?;
        self.is_mine().await?;
        // What was compared at the beginning another process has changed since.
        let compared = self.compare_globals().await;
        compared.map_err(|error| match error {
            AdoptError::Global { .. } => AdoptError::Interrupted(self.tenant.slug.clone()),
            other => other,
        })?;
        for (rows, sum) in self.contents.tables.iter().filter(|(rows, _)| rows.is_global) {
            let is_empty = Sum::of(rows, Place::GLOBAL, 0, &mut self.owner).await?.rows == 0;
            if is_empty && sum.rows > 0 {
                let copy = AssertSqlSafe(rows.copy_global());
                let copied = sqlx::raw_sql(copy).execute(&mut *self.owner).await;
                copied.map_err(|error| self.row_failed(rows, error))?;
            }
        }
        if self.contents.tables.iter().any(|(rows, _)| rows.is_counted) {
            let text = format!(
                "INSERT INTO main._tenantry_sequence ({TENANT}, number, seq) \
                 SELECT ?, t.number, max(CAST(s.seq AS INTEGER)) FROM main._tenantry_tables t \
                 JOIN {SOURCE}.sqlite_sequence s ON s.name = t.name COLLATE NOCASE \
                 WHERE t.auto_increment AND s.seq IS NOT NULL GROUP BY t.number"
            );
            sqlx::query(AssertSqlSafe(text)).bind(tenant).execute(&mut *self.owner).await?;
        }
        let register = "INSERT INTO main._tenantry_tenants (id) VALUES (?)";
        sqlx::query(register).bind(tenant).execute(&mut *self.owner).await?;
        let finish = "UPDATE main._tenantry_adoptions SET finished = TRUE WHERE tenant = ?";
        sqlx::query(finish).bind(tenant).execute(&mut *self.owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *self.owner).await?;
        Ok(())
    }

    /// Refuses to go on when another call does, or when the schema has changed.
    async fn is_mine(&mut self) -> Result<(), AdoptError> {
        let text = "SELECT EXISTS (SELECT 1 FROM main._tenantry_adoptions a, main._tenantry_meta m \
                    WHERE a.tenant = ? AND a.run = ? AND a.schema = m.version AND NOT a.finished)";
        let is_mine = sqlx::query_scalar(text).bind(self.tenant.id.get()).bind(self.run);
        if is_mine.fetch_one(&mut *self.owner).await? {
            return Ok(());
        }
        Err(AdoptError::Interrupted(self.tenant.slug.clone()))
    }

    /// Refuses tables that all tenants read and of which the source has other rows. None at all can become any.
    async fn compare_globals(&mut self) -> Result<(), AdoptError> {
        for (rows, sum) in self.contents.tables.iter().filter(|(rows, _)| rows.is_global) {
            let shared = Sum::of(rows, Place::GLOBAL, 0, &mut self.owner).await?;
            if shared.rows > 0 && shared != *sum {
                let keys = differing_keys(rows, Place::GLOBAL, 0, &mut self.owner).await?;
                return Err(AdoptError::Global { table: rows.table.clone(), keys });
            }
        }
        Ok(())
    }

    async fn rows_there(&mut self, rows: &Rows) -> Result<i64, sqlx::Error> {
        let tenant = self.tenant.id.get();
        if !has_rows(rows, tenant, &mut self.owner).await? {
            return Ok(0);
        }
        let text = format!("SELECT count(*) FROM main.{} WHERE {TENANT} = ?", Quoted::new(&rows.table));
        sqlx::query_scalar(AssertSqlSafe(text)).bind(tenant).fetch_one(&mut *self.owner).await
    }

    fn row_failed(&self, rows: &Rows, error: sqlx::Error) -> AdoptError {
        let error = native::translate(error, &self.owner.session());
        match error.as_database_error() {
            Some(database) if database.kind() != sqlx::error::ErrorKind::Other => AdoptError::Row {
                tenant: self.tenant.slug.clone(),
                table: rows.table.clone(),
                message: database.message().to_owned(),
            },
            _ => AdoptError::Database(error),
        }
    }

    fn report(self, begun: Begun, took_schema: bool) -> Adoption {
        let tables = self.contents.tables.iter().map(|(rows, sum)| AdoptedTable {
            name: rows.table.clone(),
            rows: sum.rows.unsigned_abs(),
            checksum: sum.to_string(),
            is_global: rows.is_global,
        });
        Adoption {
            tables: tables.collect(),
            already: begun == Begun::Already,
            resumed: begun == Begun::Resumed,
            took_schema,
        }
    }
}

/// After a batch, so much of its time is left to others: a fourth.
const PAUSE: u32 = 4;

async fn has_rows(rows: &Rows, tenant: i64, owner: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(rows.exists())).bind(tenant).fetch_one(owner).await
}

/// The keys of the first rows that a place and the source do not have in common.
async fn differing_keys(
    rows: &Rows,
    place: Place,
    tenant: i64,
    owner: &mut SqliteConnection,
) -> Result<Vec<String>, sqlx::Error> {
    let mut differing = Vec::new();
    for (here, there, which) in [(Place::SOURCE, place, "of the source"), (place, Place::SOURCE, "of the shared table")]
    {
        let text = AssertSqlSafe(rows.missing(here, there));
        let keys: Vec<String> = sqlx::query_scalar(text).bind(tenant).fetch_all(&mut *owner).await?;
        differing.extend(keys.into_iter().map(|key| format!("row {key} {which}")));
    }
    Ok(differing)
}
