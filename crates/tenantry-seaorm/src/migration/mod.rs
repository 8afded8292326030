//! Migrations of SeaORM, run once for all tenants.
//!
//! | module | |
//! |---|---|
//! | `judge` | whether a statement means the same for each tenant |

mod judge;

use std::borrow::Cow;

use sea_orm::{DatabaseConnection, DbErr};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
#[cfg(all(feature = "postgres", unix))]
use tenantry_sqlx::recorder::PgRecorder;
use tenantry_sqlx::recorder::{Ran, Recorder};
use thiserror::Error;

use self::judge::Why;
use crate::error::querying;

/// Makes of SeaORM's migrations, which are code, what [`ScopedPool::migrate`] runs once for all tenants.
///
/// Each migration runs on an empty database in memory. What it ran there is the migration for the tenants; SeaORM's own
/// table of migrations is not needed.
///
/// ```
/// # use sea_orm::{ConnectionTrait, DbErr};
/// # struct SchemaManager<'c>(&'c sea_orm::DatabaseConnection);
/// # impl<'c> SchemaManager<'c> { fn new(db: &'c sea_orm::DatabaseConnection) -> Self { Self(db) } }
/// # struct Cakes;
/// # impl Cakes {
/// #     fn name(&self) -> &str { "m20260102_030405_cakes" }
/// #     async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// #         manager.0.execute_unprepared("CREATE TABLE cake (id INTEGER PRIMARY KEY)").await.map(drop)
/// #     }
/// # }
/// # struct Migrator;
/// # impl Migrator { fn migrations() -> Vec<Cakes> { vec![Cakes] } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let options = tenantry_sqlx::SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own"));
/// # let db = tenantry_seaorm::ScopedDatabase::from(tenantry_sqlx::ScopedPool::sqlite(options, None));
/// let mut recording = tenantry_seaorm::MigrationRecording::begin().await?;
/// for migration in Migrator::migrations() {
///     migration.up(&SchemaManager::new(recording.connection())).await?;
///     recording.end_of(migration.name())?;
/// }
/// db.pool().migrate(&recording.into_migrator()).await?;
/// # Ok(())
/// # }
/// ```
///
/// # What migrations may do
///
/// Define, and change rows by statements that do not depend on what a database contains; they run for each tenant. A
/// migration that reads rows, or asks for the rows that it inserted (`RETURNING`, so `insert` of SeaORM with the feature
/// `sqlite-use-returning-for-3_35`), is refused: it would find the rows of no tenant. Looking at the schema (`has_table`,
/// `has_column`) is fine. Values that differ from run to run, as the time, are those of the process that migrates.
///
/// A migration is known by its name, as with SeaORM: changing one that has run has no effect.
///
/// [`ScopedPool::migrate`]: tenantry_sqlx::ScopedPool::migrate
///
/// # On PostgreSQL
///
/// [`MigrationRecording::begin_postgres`] does the same in a schema of its own, in a transaction that is never committed.
/// Nothing may begin or end a transaction by text there. The tables that are in `public` are empty.
#[derive(Debug)]
pub struct MigrationRecording {
    place: Place,
    connection: DatabaseConnection,
    migrations: Vec<Migration>,
}

impl MigrationRecording {
    /// Begins with an empty database.
    ///
    /// # Errors
    ///
    /// When there is no memory for it.
    pub async fn begin() -> Result<Self, DbErr> {
        let recorder = Recorder::open().await.map_err(querying)?;
        let connection = DatabaseConnection::from(recorder.pool().clone());
        recorder.take();
        Ok(Self { place: Place::Memory(recorder), connection, migrations: Vec::new() })
    }

    /// Begins in a database of PostgreSQL, as a role that may create schemas in it: the one of the tenants, as its owner,
    /// or any other. Nothing stays there.
    ///
    /// # Errors
    ///
    /// When there is no connection, or the role may not create a schema.
    #[cfg(all(feature = "postgres", unix))]
    pub async fn begin_postgres(database: sqlx::postgres::PgConnectOptions) -> Result<Self, DbErr> {
        let recorder = PgRecorder::open(database).await.map_err(querying)?;
        let mut connection = DatabaseConnection::from(recorder.pool().clone());
        let add = recorder.adder();
        // What has values cannot be read on its way to the server; SeaORM tells of all but what it executes unprepared,
        // which has none.
        connection.set_metric_callback(move |info| {
            if !info.failed {
                add(&info.statement.to_string());
            }
        });
        recorder.take();
        Ok(Self { place: Place::Server(recorder), connection, migrations: Vec::new() })
    }

    /// The connection that migrations run on: to a database that has no tenant's rows.
    pub const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// What has run since the last call was the migration of this name.
    ///
    /// # Errors
    ///
    /// When it cannot be run for all tenants. A recording that has refused one is of no use any more.
    pub fn end_of(&mut self, name: &str) -> Result<(), MigrationRefused> {
        let refused = |why| MigrationRefused { migration: name.to_owned(), why };
        let version = version(name).ok_or_else(|| refused(Why::Name))?;
        if self.migrations.last().is_some_and(|last| last.version >= version) {
            return Err(refused(Why::Order));
        }
        let mut script = Vec::new();
        for ran in self.place.take() {
            judge::judge(&ran).map_err(refused)?;
            if ran.changes {
                script.push(ran.text);
            }
        }
        self.migrations.push(Migration {
            version,
            description: name.to_owned().into(),
            migration_type: MigrationType::Simple,
            sql: AssertSqlSafe(script.join(";\n")).into_sql_str(),
            // Of the name alone: the text depends on SeaORM's version, and on the time if the migration does.
            checksum: Cow::Owned(name.as_bytes().to_vec()),
            no_tx: false,
        });
        Ok(())
    }

    /// The migrations, for [`ScopedPool::migrate`](tenantry_sqlx::ScopedPool::migrate).
    pub fn into_migrator(self) -> Migrator {
        Migrator::with_migrations(self.migrations)
    }
}

/// Where migrations are tried.
#[derive(Debug)]
enum Place {
    Memory(Recorder),
    #[cfg(all(feature = "postgres", unix))]
    Server(PgRecorder),
}

impl Place {
    /// What was run since this was called last.
    fn take(&self) -> Vec<Ran> {
        match self {
            Self::Memory(recorder) => recorder.take(),
            #[cfg(all(feature = "postgres", unix))]
            Self::Server(recorder) => recorder.take().into_iter().map(judge::on_server).collect(),
        }
    }
}

/// A migration cannot be run for all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the migration {migration} cannot be run for all tenants: {why}")]
pub struct MigrationRefused {
    migration: String,
    why: Why,
}

/// `m20260102_030405_name` as a number.
fn version(name: &str) -> Option<i64> {
    let mut parts = name.strip_prefix('m')?.split('_');
    let (day, time) = (parts.next()?, parts.next()?);
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(day, 8) && digits(time, 6)).then(|| format!("{day}{time}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_times() {
        assert_eq!(version("m20260102_030405_cakes"), Some(20_260_102_030_405));
        assert_eq!(version("m20220101_000001_a_b"), Some(20_220_101_000_001));
        for name in ["", "m", "cakes", "m2026_030405_x", "20260102_030405_x", "m20260102", "m20260102_03040x_y"] {
            assert_eq!(version(name), None, "{name}");
        }
    }
}
