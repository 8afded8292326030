//! One of the databases that are compared, and what is asked of it.

use std::{borrow::Cow, collections::BTreeMap};

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Column, Connection, Either, Executor, PgConnection, Row, SqlSafeStr, Statement as _,
    postgres::{PgArguments, PgTypeInfo},
};

use super::{
    Done, Outcome, Planner, TENANT,
    standard::{COUNTRIES, TABLES},
    value,
};
use crate::Value;

/// A database, with what stands between it and the application.
#[derive(Debug)]
pub struct Side {
    connection: PgConnection,
    /// The tables' schema.
    schema: &'static str,
    scoped: Option<Scoped>,
}

#[derive(Debug)]
struct Scoped {
    role: String,
    planner: Planner,
}

/// Something of each table, by its name.
pub type ByTable = BTreeMap<String, String>;

impl Side {
    pub(crate) async fn private(url: &str) -> Result<Self, sqlx::Error> {
        Self::open(url, "public", None).await
    }

    pub(crate) async fn shared(url: &str, role: &str, planner: Planner) -> Result<Self, sqlx::Error> {
        Self::open(url, "tenantry_shared", Some(Scoped { role: role.to_owned(), planner })).await
    }

    async fn open(url: &str, schema: &'static str, scoped: Option<Scoped>) -> Result<Self, sqlx::Error> {
        let mut side = Self { connection: PgConnection::connect(url).await?, schema, scoped };
        side.must(PINNED).await?;
        Ok(side)
    }

    /// Runs what cannot fail.
    pub(crate) async fn must(&mut self, text: &str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut self.connection).await.map(drop)
    }

    /// Begins a script.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.must("BEGIN").await
    }

    /// Undoes all of a script.
    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.must("ROLLBACK").await
    }

    /// Runs a statement, which can be taken back until it is kept. Ids go on from this number.
    pub(crate) async fn run(
        &mut self,
        text: &str,
        arguments: &[Value],
        ids: Option<usize>,
    ) -> Result<Outcome, sqlx::Error> {
        self.must(&self.prologue(ids)).await?;
        let outcome = match self.planned(text, arguments) {
            Err(code) => Outcome::Refused(code),
            Ok((text, arguments)) => match self.execute(&text, &arguments, ids.is_some()).await {
                Ok(done) => Outcome::Done(done),
                Err(error) if error.as_database_error().is_some() => Outcome::of_error(&error),
                Err(error) => return Err(error),
            },
        };
        match outcome {
            Outcome::Done(_) => self.must("SET LOCAL ROLE NONE").await?,
            _ => self.must("ROLLBACK TO SAVEPOINT oracle").await?,
        }
        Ok(outcome)
    }

    /// Keeps what was run, or takes it back.
    pub(crate) async fn end(&mut self, keep: bool) -> Result<(), sqlx::Error> {
        let text =
            if keep { "RELEASE SAVEPOINT oracle" } else { "ROLLBACK TO SAVEPOINT oracle; RELEASE SAVEPOINT oracle" };
        self.must(text).await
    }

    /// Runs the statement that was run last once more, from the same rows, in another way.
    pub(crate) async fn run_again(
        &mut self,
        way: &str,
        text: &str,
        arguments: &[Value],
        ids: Option<usize>,
    ) -> Result<Outcome, sqlx::Error> {
        self.end(false).await?;
        self.must(&format!("SAVEPOINT way; {way}")).await?;
        let outcome = self.run(text, arguments, ids).await?;
        self.must("ROLLBACK TO SAVEPOINT way; RELEASE SAVEPOINT way; SAVEPOINT oracle").await?;
        Ok(outcome)
    }

    fn prologue(&self, ids: Option<usize>) -> String {
        let mut text = "SAVEPOINT oracle;".to_owned();
        if let Some(ids) = ids {
            let schema = self.schema;
            for table in TABLES.iter().filter(|table| table.columns[0].0 == "id") {
                text += &format!("SELECT setval('{schema}.{}_id_seq', {ids});", table.name);
            }
        }
        if let Some(scoped) = &self.scoped {
            text += &format!("SET LOCAL ROLE {}; SELECT set_config('tenantry.tenant', '{TENANT}', true);", scoped.role);
        }
        text
    }

    /// The text that is sent, and what is bound.
    fn planned<'a>(&self, text: &'a str, arguments: &[Value]) -> Result<(Cow<'a, str>, Vec<Value>), String> {
        let Some(scoped) = &self.scoped else { return Ok((Cow::Borrowed(text), arguments.to_vec())) };
        let plan = scoped.planner.plan(text).map_err(|refused| refused.code.to_string())?;
        let mut arguments = arguments.to_vec();
        arguments.extend(plan.tenant.map(|_| Value::Integer(TENANT)));
        Ok((Cow::Owned(plan.text.to_string()), arguments))
    }

    async fn execute(&mut self, text: &str, arguments: &[Value], writes: bool) -> Result<Done, sqlx::Error> {
        let types: Vec<_> = arguments.iter().map(type_of).collect();
        let text = AssertSqlSafe(text).into_sql_str();
        let statement = (&mut self.connection).prepare_with(text, &types).await?;
        let columns = statement.columns().iter();
        let columns = columns.map(|column| (column.name().to_owned(), value::type_name(column.type_info()))).collect();
        let mut done = Done { columns, ..Done::default() };
        let mut query = statement.query_with(PgArguments::default());
        for argument in arguments {
            query = match argument {
                Value::Null => query.bind(None::<String>),
                Value::Integer(number) => query.bind(*number),
                Value::Real(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.clone()),
                Value::Blob(bytes) => query.bind(bytes.clone()),
            };
        }
        // What a command tag tells of comes no other way.
        let mut stream = (&mut self.connection).fetch_many(query);
        while let Some(each) = stream.try_next().await? {
            match each {
                Either::Left(result) => done.affected = result.rows_affected(),
                Either::Right(row) => done.rows.push(value::row(&row)?),
            }
        }
        drop(stream);
        if writes {
            self.must("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED").await?;
        }
        Ok(done)
    }

    /// All rows that the tenant has, by table.
    pub(crate) async fn state(&mut self) -> Result<ByTable, sqlx::Error> {
        let schema = self.schema;
        let condition = self.scoped.as_ref().map(|_| format!("WHERE _tenant = {TENANT}")).unwrap_or_default();
        let of = |table: &super::standard::Table| {
            let columns: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
            let (name, columns) = (table.name, columns.join(", "));
            format!("(SELECT {columns} FROM {schema}.{name} {condition})")
        };
        self.digest(TABLES.iter().map(|table| (table.name, of(table))), "t::text").await
    }

    /// What stands for all rows of the others and for those of all tenants' tables: not only their values must be the same,
    /// but nobody may have touched them.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn others(&mut self) -> Result<ByTable, sqlx::Error> {
        let schema = self.schema;
        let of = |table: &str, condition: &str| {
            format!("(SELECT t::text AS row, ctid, xmin, xmax FROM {schema}.{table} t {condition})")
        };
        let tables = TABLES.iter().map(|table| (table.name, of(table.name, &format!("WHERE _tenant <> {TENANT}"))));
        let all = tables.chain([(COUNTRIES.0, of(COUNTRIES.0, ""))]);
        self.digest(all, "md5(t::text)").await
    }

    async fn digest(
        &mut self,
        tables: impl Iterator<Item = (&'static str, String)>,
        row: &str,
    ) -> Result<ByTable, sqlx::Error> {
        let queries = tables.map(|(name, from)| {
            format!(
                "SELECT '{name}', coalesce(string_agg({row}, E'\\n' ORDER BY {row} COLLATE \"C\"), '') FROM {from} t"
            )
        });
        let text = queries.collect::<Vec<_>>().join(" UNION ALL ");
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The text that is sent for a statement, if it is not refused.
    pub fn sent(&self, text: &str) -> String {
        match self.planned(text, &[]) {
            Ok((text, _)) => text.into_owned(),
            Err(code) => format!("refused: {code}"),
        }
    }
}

/// What a connection for scoped statements has pinned.
const PINNED: &str = "
SET search_path = pg_catalog, public; SET standard_conforming_strings = on; SET row_security = on;
SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET statement_timeout = '2s'; SET max_parallel_workers_per_gather = 0;";

/// The type that an application's value has by itself.
fn type_of(value: &Value) -> PgTypeInfo {
    PgTypeInfo::with_name(match value {
        Value::Null | Value::Text(_) => "text",
        Value::Integer(_) => "int8",
        Value::Real(_) => "float8",
        Value::Blob(_) => "bytea",
    })
}
