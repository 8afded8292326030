//! What is taken in becomes a tenant's own database.
//!
//! It is made beside its place, under another name, from the schema that the shared database has; and moved there when it is
//! whole and on disk. What a killed call has left is removed by the next one, and when what the tenant has is erased.

use std::{fs, io, path::PathBuf};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    migrate::Migrate,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tenantry_core::{RowsPart, RowsSchema, Tenant};

use super::{
    super::{
        SqliteOptions,
        adopt::{MIGRATIONS, encoded, is_of_application},
        companions, store,
        template::Object,
    },
    insert::Inserts,
    tables::{self, Rows},
};
use crate::{
    owner_only,
    portable::{PortableError, Takes, fit},
};

/// Rows that are being taken in.
#[derive(Debug)]
pub(super) struct TakingOwn {
    tenant: Tenant,
    schema: RowsSchema,
    inserts: Inserts,
    connection: SqliteConnection,
    file: Making,
    /// What is made when all rows are there: indexes, views and triggers.
    later: Vec<Object>,
    rows: u64,
}

/// A file that is not whole yet, and gone when it never is.
#[derive(Debug)]
struct Making {
    path: PathBuf,
    becomes: PathBuf,
}

impl TakingOwn {
    /// Makes the file and its tables.
    pub(super) async fn begin(
        options: &SqliteOptions,
        tenant: &Tenant,
        schema: &RowsSchema,
    ) -> Result<Self, PortableError> {
        let becomes = options.dedicated_file(tenant.id);
        if becomes.exists() {
            return Err(PortableError::Used);
        }
        let objects = shared_objects(options).await?;
        if objects.is_empty() {
            return Err(PortableError::Unmigrated);
        }
        fs::create_dir_all(&options.dedicated)?;
        let file = Making { path: companions::importing(&becomes), becomes };
        file.remove()?;
        owner_only::create(&file.path)?;
        // Until it has its name it need not survive anything; a statement that fails is undone nevertheless.
        let connect = SqliteConnectOptions::new().filename(&file.path).foreign_keys(false);
        let connect = connect.journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off);
        let mut connection = connect.connect().await?;
        let (tables, later): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| object.kind == "table");
        for object in &tables {
            define(object, &mut connection).await?;
        }
        take_over(options, &mut connection).await?;
        let here = Rows::own(&options.global, &options.limits, &mut connection).await?;
        let targets: Vec<_> = here.iter().map(|rows| rows.target.clone()).collect();
        let inserts = Inserts::new(schema, &fit(schema, &targets)?, &here);
        let (tenant, schema) = (tenant.clone(), schema.clone());
        Ok(Self { tenant, schema, inserts, connection, file, later, rows: 0 })
    }
}

impl Takes for TakingOwn {
    async fn take(&mut self, part: &RowsPart) -> Result<(), PortableError> {
        sqlx::raw_sql("BEGIN").execute(&mut self.connection).await?;
        self.inserts.insert(part, self.tenant.id.get(), &mut self.connection).await?;
        sqlx::raw_sql("COMMIT").execute(&mut self.connection).await?;
        self.rows += part.rows;
        Ok(())
    }

    async fn finish(mut self) -> Result<u64, PortableError> {
        for kind in ["index", "view", "trigger"] {
            for object in self.later.iter().filter(|object| object.kind == kind) {
                define(object, &mut self.connection).await?;
            }
        }
        check_references(&mut self.connection).await?;
        for counter in &self.schema.counters {
            count(counter.table.as_deref().unwrap_or_default(), counter.last, &mut self.connection).await?;
        }
        self.connection.close().await?;
        self.file.finish()?;
        Ok(self.rows)
    }
}

/// The application's schema, as the shared database knows it.
async fn shared_objects(options: &SqliteOptions) -> Result<Vec<Object>, PortableError> {
    if !options.shared.exists() {
        return Err(PortableError::Unmigrated);
    }
    let keeper = options.keeper().await?;
    let mut owner = keeper.owner().await?;
    let objects = store::objects(&mut owner).await?;
    owner.put_back();
    Ok(objects.into_iter().filter(|object| object.sql.is_some() && is_of_application(&object.tbl_name)).collect())
}

async fn define(object: &Object, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Some(sql) = object.sql.as_ref().filter(|_| !object.name.starts_with("sqlite_")) else { return Ok(()) };
    sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(connection).await.map(drop)
}

/// Takes over which migrations have run, and the rows of tables that all tenants read.
async fn take_over(options: &SqliteOptions, connection: &mut SqliteConnection) -> Result<(), PortableError> {
    let attach = format!("ATTACH 'file:{}?mode=ro' AS shared", encoded(&options.shared));
    sqlx::raw_sql(AssertSqlSafe(attach)).execute(&mut *connection).await?;
    let there = "SELECT EXISTS (SELECT 1 FROM shared.sqlite_schema WHERE name = ?)";
    if sqlx::query_scalar(there).bind(MIGRATIONS).fetch_one(&mut *connection).await? {
        let made = connection.ensure_migrations_table(MIGRATIONS).await;
        made.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
        let columns = "version, description, installed_on, success, checksum, execution_time";
        let text = format!("INSERT INTO main.{MIGRATIONS} ({columns}) SELECT {columns} FROM shared.{MIGRATIONS}");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
    }
    for object in tables::objects(connection).await? {
        let Some(global) = options.global.iter().find(|global| global.is(&object.name)) else { continue };
        let name = global.quoted();
        let text = AssertSqlSafe(format!("INSERT INTO main.{name} SELECT * FROM shared.{name}"));
        sqlx::raw_sql(text).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("DETACH shared").execute(connection).await?;
    Ok(())
}

/// Makes sure that each row that is referred to is there.
async fn check_references(connection: &mut SqliteConnection) -> Result<(), PortableError> {
    let text = "SELECT \"table\", parent FROM pragma_foreign_key_check() LIMIT 1";
    let broken: Option<(String, String)> = sqlx::query_as(text).fetch_optional(connection).await?;
    match broken {
        Some((table, parent)) => Err(PortableError::Reference { table, parent }),
        None => Ok(()),
    }
}

/// Lets AUTOINCREMENT go on after what was given out. It has counted the rows by now.
async fn count(table: &str, last: i64, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let there = "SELECT name FROM main.sqlite_schema WHERE name = ? COLLATE NOCASE AND type = 'table' \
                 AND EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence') \
                 AND sql LIKE '%AUTOINCREMENT%'";
    let table: Option<String> = sqlx::query_scalar(there).bind(table).fetch_optional(&mut *connection).await?;
    let Some(table) = table else { return Ok(()) };
    let raised = sqlx::query("UPDATE main.sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1");
    if raised.bind(&table).bind(last).execute(&mut *connection).await?.rows_affected() == 0 {
        let insert = sqlx::query("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)");
        insert.bind(&table).bind(last).execute(connection).await?;
    }
    Ok(())
}

impl Making {
    fn remove(&self) -> io::Result<()> {
        companions::all_of(&self.path).iter().try_for_each(|file| companions::remove(file))
    }

    fn finish(mut self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, &self.becomes)?;
        self.path.clear();
        let Some(folder) = self.becomes.parent() else { return Ok(()) };
        fs::File::open(folder)?.sync_all()
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        if let Err(error) = self.remove() {
            tracing::warn!(%error, path = %self.path.display(), "half a database is left over");
        }
    }
}
