//! What is taken in becomes a tenant's own database.
//!
//! It is made by the application's migrations, under another name, and gets its own when it is whole. What a call has left that
//! failed or was killed is dropped by the next one, and when what the tenant has is erased.

use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};
use tenantry_core::{RowsPart, RowsSchema, Tenant};
use tenantry_sql::Quoted;

use super::{
    super::{
        PostgresOptions,
        adopt::{rows::Rows as Fitting, session},
        dedicated,
    },
    stage::{Stages, at_once, row_failed},
    tables::Rows,
};
use crate::portable::{PortableError, Takes};

/// Rows that are being taken in.
#[derive(Debug)]
pub(super) struct TakingOwn {
    tenant: Tenant,
    schema: RowsSchema,
    /// As the role that may make databases.
    owner: PgConnection,
    /// To the new one.
    own: PgConnection,
    stages: Stages,
    tables: Vec<String>,
    making: String,
    becomes: String,
}

impl TakingOwn {
    /// Makes the database and its tables.
    pub(super) async fn begin(
        options: &PostgresOptions,
        migrator: &Migrator,
        tenant: &Tenant,
        schema: &RowsSchema,
    ) -> Result<Self, PortableError> {
        let becomes = dedicated::name(options, tenant.id);
        let making = dedicated::importing(&becomes);
        let mut owner = session::connect(&options.owner).await?;
        if dedicated::exists(&becomes, &mut owner).await? {
            return Err(PortableError::Used);
        }
        dedicated::drop_database(&making, &mut owner).await?;
        dedicated::create(&mut owner, &making, options.application.get_username()).await?;
        let options_of_own = options.application.clone().database(&making);
        let migrated = dedicated::migrate(&options_of_own, migrator).await;
        migrated.map_err(|halted| sqlx::Error::Migrate(Box::new(halted.error)))?;
        let mut own = session::connect(&options_of_own).await?;
        let here = Rows::own(options, &mut own).await?;
        let stages = Stages::make(schema, &here, &mut own).await?;
        let tables = here.into_iter().map(|rows| format!("public.{}", Quoted::new(&rows.target.name))).collect();
        Ok(Self { tenant: tenant.clone(), schema: schema.clone(), owner, own, stages, tables, making, becomes })
    }
}

impl Takes for TakingOwn {
    async fn take(&mut self, part: &RowsPart) -> Result<(), PortableError> {
        self.stages.take(part, &mut self.own).await
    }

    async fn finish(mut self) -> Result<u64, PortableError> {
        let own = &mut self.own;
        let id = self.tenant.id;
        sqlx::raw_sql("BEGIN").execute(&mut *own).await?;
        // Triggers have run where the rows come from.
        switch_triggers("DISABLE", &self.tables, own).await?;
        // The rows that the migrations made make room.
        at_once(id, self.tables.iter().map(|table| format!("DELETE FROM {table}")), own).await?;
        self.stages.insert(id, insert, own).await?;
        raise(&self.stages, &self.schema, own).await.map_err(|error| row_failed(error, id))?;
        let checked = sqlx::raw_sql("SET CONSTRAINTS ALL IMMEDIATE").execute(&mut *own).await;
        checked.map_err(|error| row_failed(error, id))?;
        switch_triggers("ENABLE", &self.tables, own).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *own).await?;
        self.own.close().await?;
        let (making, becomes) = (Quoted::new(&self.making), Quoted::new(&self.becomes));
        let rename = AssertSqlSafe(format!("ALTER DATABASE {making} RENAME TO {becomes}"));
        sqlx::raw_sql(rename).execute(&mut self.owner).await?;
        self.owner.close().await.ok();
        Ok(self.stages.rows())
    }
}

fn insert(rows: &Fitting, stage: &str) -> String {
    let list = rows.list();
    format!("INSERT INTO {} ({list}) OVERRIDING SYSTEM VALUE SELECT {list} FROM {stage}", rows.public())
}

/// Lets sequences go on after what was given out.
async fn raise(stages: &Stages, schema: &RowsSchema, own: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (highest, mut counters) = stages.counted(schema, own).await?;
    for counted in highest {
        let Some(last) = counted.last else { continue };
        counters.entry(counted.name).and_modify(|known| *known = (*known).max(last)).or_insert(last);
    }
    for (name, last) in counters {
        let text = "SELECT setval(c.oid, $2) FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid \
                    WHERE c.relname = $1 AND c.relnamespace = 'public'::regnamespace AND $2 BETWEEN s.seqmin AND s.seqmax";
        sqlx::query(text).bind(name).bind(last).execute(&mut *own).await?;
    }
    Ok(())
}

async fn switch_triggers(how: &str, tables: &[String], own: &mut PgConnection) -> Result<(), sqlx::Error> {
    let texts: Vec<_> = tables.iter().map(|table| format!("ALTER TABLE {table} {how} TRIGGER USER")).collect();
    sqlx::raw_sql(AssertSqlSafe(texts.join("; "))).execute(own).await.map(drop)
}
