//! An adoption from beginning to end.

use std::ops::ControlFlow;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tenantry_core::{Status, Tenant};

use super::{
    copy::{self, CopyError},
    instance::Instance,
    record::{self, Record},
    rows::{Place, Rows, Sum},
    sequences, session,
    source::{Adopted, Source},
};
use crate::{
    adopt::{AdoptError, AdoptOptions, AdoptedTable, Adoption, Progress},
    postgres::{
        PostgresOptions, failure,
        keeper::Keeper,
        schema::{self, PRISTINE, enter},
    },
};

/// Adopts an instance.
pub(super) async fn adopt(
    options: &PostgresOptions,
    tenant: &Tenant,
    from: &Instance,
    how: AdoptOptions<'_>,
) -> Result<Adoption, AdoptError> {
    // Before anything is made: a source that cannot be read leaves nothing behind.
    let source = Source::open(from, options).await?;
    let keeper = Keeper::open(options.clone()).await?;
    keeper.admit().map_err(sqlx::Error::from)?;
    let owner = session::connect(&options.owner).await?;
    let mut run = Run { tenant, from: from.to_string(), source, owner, how };
    let outcome = run.adopt().await;
    // What was begun and not ended is undone.
    run.owner.close().await.ok();
    run.source.close().await;
    outcome
}

struct Run<'a> {
    tenant: &'a Tenant,
    from: String,
    source: Source,
    owner: PgConnection,
    how: AdoptOptions<'a>,
}

impl Run<'_> {
    async fn adopt(&mut self) -> Result<Adoption, AdoptError> {
        let (tables, version) = self.agree().await?;
        let mut tables = self.source.count(tables).await?;
        let record = Record { source: self.from.clone(), fingerprint: self.source.fingerprint(&tables).await? };
        // Once to see whether it can be done, and to leave no trace of that.
        self.begin().await?;
        let brought = self.take(&record, &tables).await?;
        sqlx::raw_sql("ROLLBACK").execute(&mut self.owner).await?;
        let Some(brought) = brought else { return Ok(report(&tables, true)) };
        for at in brought {
            if let Some(table) = tables.get_mut(at) {
                self.copy(at, table).await?;
            }
        }
        let counted = self.source.counted(&tables, &mut self.owner).await?;
        self.source.is_as_read().await?;
        self.begin().await?;
        if schema::version(&mut self.owner).await? != version {
            return Err(AdoptError::Interrupted(self.tenant.slug.clone()));
        }
        // And once for good, with what has changed meanwhile.
        let Some(brought) = self.take(&record, &tables).await? else { return Ok(report(&tables, true)) };
        self.insert(&brought, &tables).await?;
        self.prove(&brought, &tables).await?;
        let given = counted.iter().filter_map(|counted| Some((counted.name.as_str(), counted.last?))).collect();
        let own = schema::numbering::raise(&mut self.owner, self.tenant.id.get(), &given).await?;
        sequences::raise(counted.iter().filter(|counted| !own.contains(&counted.name)), &mut self.owner).await?;
        record::write(self.tenant.id.get(), &record, &mut self.owner).await?;
        match sqlx::raw_sql("COMMIT").execute(&mut self.owner).await {
            Ok(_) => Ok(report(&tables, false)),
            Err(error) if failure::is_lost(&error) => Err(AdoptError::InDoubt(self.tenant.slug.clone())),
            Err(error) => Err(self.row_failed(None, error)),
        }
    }

    /// Begins a transaction during which the schema stays as it is.
    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("BEGIN").execute(&mut self.owner).await?;
        schema::wait_and_keep_schema(&mut self.owner).await
    }

    /// Makes sure that both have the same schema. Says which tables and which version that is.
    async fn agree(&mut self) -> Result<(Vec<Rows>, u64), AdoptError> {
        self.begin().await?;
        let tables = Rows::all(&mut self.owner).await?;
        if tables.is_empty() {
            return Err(AdoptError::Unmigrated);
        }
        let differences = self.source.differences(&mut self.owner).await?;
        let version = schema::version(&mut self.owner).await?;
        sqlx::raw_sql("COMMIT").execute(&mut self.owner).await?;
        if differences.is_empty() { Ok((tables, version)) } else { Err(AdoptError::Schema(differences)) }
    }

    /// Whether the tenant has these rows from an earlier call.
    async fn is_done(&mut self, new: &Record) -> Result<bool, AdoptError> {
        match record::of(self.tenant.id.get(), &mut self.owner).await? {
            None => Ok(false),
            Some(record) if record.fingerprint == new.fingerprint => Ok(true),
            Some(Record { source: from, .. }) => Err(AdoptError::Otherwise { tenant: self.tenant.slug.clone(), from }),
        }
    }

    /// Makes sure that the tenant has no rows that would be lost, and deletes those that it began with. Says which tables
    /// are to be brought in; nothing if all was there already.
    async fn take(&mut self, record: &Record, tables: &[Adopted]) -> Result<Option<Vec<usize>>, AdoptError> {
        let tenant = self.tenant.id.get();
        // Another adoption of the tenant, and whoever gives it its first rows, waits here, or is waited for.
        let text = "INSERT INTO tenantry.tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING";
        let registered = sqlx::query(text).bind(tenant).execute(&mut self.owner).await?;
        let is_there = registered.rows_affected() == 0;
        if is_there {
            let text = "SELECT FROM tenantry.tenants WHERE tenant = $1 FOR UPDATE";
            sqlx::query(text).bind(tenant).execute(&mut self.owner).await?;
            if self.is_done(record).await? {
                return Ok(None);
            }
            self.is_unused(tables).await?;
        } else {
            schema::numbering::provision(&mut self.owner, tenant).await?;
        }
        if self.tenant.status_now() == Status::Active {
            return Err(AdoptError::Served(self.tenant.slug.clone()));
        }
        enter(&mut self.owner, Some(tenant)).await?;
        if is_there {
            let own = tables.iter().map(|table| &table.rows).filter(|rows| !rows.is_global);
            self.at_once(own.map(Rows::delete)).await?;
        }
        let mut brought = Vec::new();
        for (at, table) in tables.iter().enumerate() {
            brought.extend((!table.rows.is_global || self.is_missing(table).await?).then_some(at));
        }
        Ok(Some(brought))
    }

    /// Refuses a tenant that has other rows than a new one.
    async fn is_unused(&mut self, tables: &[Adopted]) -> Result<(), AdoptError> {
        for Adopted { rows, .. } in tables.iter().filter(|table| !table.rows.is_global) {
            let mut sums = Vec::new();
            for tenant in [PRISTINE, self.tenant.id.get()] {
                enter(&mut self.owner, Some(tenant)).await?;
                sums.push(Sum::of(rows, Place::Tenant(tenant), &mut self.owner).await?);
            }
            if sums.first() != sums.last() {
                return Err(AdoptError::Used { tenant: self.tenant.slug.clone(), table: rows.table.clone() });
            }
        }
        Ok(())
    }

    /// Whether a table that all tenants read has no rows yet, which come from the first source then. Refuses a source that
    /// has other rows in it.
    async fn is_missing(&mut self, table: &Adopted) -> Result<bool, AdoptError> {
        let rows = &table.rows;
        // As long as it is not known what the source has, it is to be brought here and looked at.
        let Some(sum) = table.sum else { return Ok(true) };
        let mut shared = Sum::of(rows, Place::Global, &mut self.owner).await?;
        if shared.rows == 0 && sum.rows > 0 {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", rows.shared());
            sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut self.owner).await?;
            shared = Sum::of(rows, Place::Global, &mut self.owner).await?;
        }
        match shared {
            shared if shared == sum => Ok(false),
            Sum { rows: 0, .. } => Ok(true),
            shared => Err(AdoptError::Global { table: rows.table.clone(), keys: vec![table.differs(shared)] }),
        }
    }

    /// Brings a table's rows to the server.
    async fn copy(&mut self, at: usize, table: &mut Adopted) -> Result<(), AdoptError> {
        let (how, rows, total) = (&mut self.how, &table.rows, table.count);
        let mut told = |there| how.told(&Progress { table: &rows.table, rows: there, total });
        let copied = self.source.copy(at, rows, &mut self.owner, &mut told).await.and_then(|copied| {
            let told = told(copied);
            if told == ControlFlow::Continue(()) { Ok(()) } else { Err(CopyError::Stopped) }
        });
        if let Err(error) = copied {
            let (tenant, table) = (self.tenant.slug.clone(), rows.table.clone());
            return Err(match error {
                CopyError::Source(error) => self.source.failed(error),
                CopyError::Target(error) => self.row_failed(Some(table), error),
                CopyError::Row(message) => AdoptError::Row { tenant, table, message },
                CopyError::Stopped => AdoptError::Stopped(tenant),
            });
        }
        if table.sum.is_some() {
            return Ok(());
        }
        let sum = Sum::of(&table.rows, Place::Stage(at), &mut self.owner).await?;
        table.sum = Some(sum);
        if sum.rows == table.count { Ok(()) } else { Err(self.mismatch(table, sum)) }
    }

    /// Makes them the tenant's.
    async fn insert(&mut self, brought: &[usize], tables: &[Adopted]) -> Result<(), AdoptError> {
        let inserts = brought.iter().filter_map(|at| Some(tables.get(*at)?.rows.insert(&copy::stage(*at))));
        let inserted = self.at_once(inserts).await;
        inserted.map_err(|error| self.row_failed(None, error))
    }

    /// Runs statements as one, at whose end all foreign keys are checked, so that no order of tables can be wrong. The
    /// tenant is $1.
    async fn at_once(&mut self, statements: impl Iterator<Item = String>) -> Result<(), sqlx::Error> {
        let parts: String = statements.enumerate().map(|(at, text)| format!(", part{at} AS ({text})")).collect();
        let text = AssertSqlSafe(format!("WITH tenant AS (SELECT $1::bigint){parts} SELECT"));
        let query = sqlx::query(text).persistent(false).bind(self.tenant.id.get());
        query.execute(&mut self.owner).await.map(drop)
    }

    /// Compares what is there with the source: the sums of the digests of all rows.
    async fn prove(&mut self, brought: &[usize], tables: &[Adopted]) -> Result<(), AdoptError> {
        for table in brought.iter().filter_map(|at| tables.get(*at)) {
            let place = if table.rows.is_global { Place::Global } else { Place::Tenant(self.tenant.id.get()) };
            let there = Sum::of(&table.rows, place, &mut self.owner).await?;
            if table.sum != Some(there) {
                return Err(self.mismatch(table, there));
            }
        }
        Ok(())
    }

    fn mismatch(&self, table: &Adopted, there: Sum) -> AdoptError {
        let (tenant, table, keys) = (self.tenant.slug.clone(), table.rows.table.clone(), vec![table.differs(there)]);
        AdoptError::Mismatch { tenant, table, keys }
    }

    /// What it means that rows cannot be inserted.
    fn row_failed(&self, table: Option<String>, error: sqlx::Error) -> AdoptError {
        let Some(said) = failure::of_row(&error, Some(self.tenant.id)) else { return error.into() };
        let table = table.or(said.table).unwrap_or_default();
        AdoptError::Row { tenant: self.tenant.slug.clone(), table, message: said.message }
    }
}

fn report(tables: &[Adopted], already: bool) -> Adoption {
    let tables = tables.iter().map(|table| AdoptedTable {
        name: table.rows.table.clone(),
        rows: table.count,
        checksum: table.checksum.clone(),
        is_global: table.rows.is_global,
    });
    Adoption { tables: tables.collect(), already, resumed: false, took_schema: false }
}
