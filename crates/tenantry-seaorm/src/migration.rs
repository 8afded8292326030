//! Migrations of SeaORM, run once for all tenants.

use std::borrow::Cow;

use sea_orm::{DatabaseConnection, DbErr};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use tenantry_sqlx::recorder::{Ran, Recorder};
use thiserror::Error;

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
#[derive(Debug)]
pub struct MigrationRecording {
    recorder: Recorder,
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
        Ok(Self { recorder, connection, migrations: Vec::new() })
    }

    /// The connection that migrations run on: to a database in memory, which has no tenant's rows.
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
        for ran in self.recorder.take() {
            judge(&ran).map_err(refused)?;
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

/// A migration cannot be run for all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the migration {migration} cannot be run for all tenants: {why}")]
pub struct MigrationRefused {
    migration: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Why {
    #[error("its name does not begin with a time, as m20260102_030405_name does; name it so")]
    Name,
    #[error("it comes after one whose name has the same time or a later one; sort them")]
    Order,
    #[error("it reads rows, which are other ones for each tenant ({0}); write it as one statement that changes them")]
    Reads(String),
    #[error(
        "it asks for the rows that it changed, whose ids are other ones for each tenant ({0}); use exec_without_returning, \
         and name the ids"
    )]
    Returns(String),
    #[error("it undoes what it did ({0}); leave that out")]
    Undoes(String),
}

/// `m20260102_030405_name` as a number.
fn version(name: &str) -> Option<i64> {
    let mut parts = name.strip_prefix('m')?.split('_');
    let (day, time) = (parts.next()?, parts.next()?);
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(day, 8) && digits(time, 6)).then(|| format!("{day}{time}").parse().ok())?
}

/// Whether a statement means the same for each tenant.
fn judge(ran: &Ran) -> Result<(), Why> {
    let words = words(&ran.text);
    let has = |sought: &str| words.iter().any(|word| word.eq_ignore_ascii_case(sought));
    let is_of_schema = |word: &&str| {
        let schema = ["sqlite_master", "sqlite_schema"].iter().any(|name| word.eq_ignore_ascii_case(name));
        schema || word.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("pragma_"))
    };
    match ran.changes {
        false if has("rollback") => Err(Why::Undoes(ran.text.clone())),
        false if has("from") && !words.iter().any(is_of_schema) => Err(Why::Reads(ran.text.clone())),
        true if has("returning") => Err(Why::Returns(ran.text.clone())),
        _ => Ok(()),
    }
}

/// The words of a statement, quoted names among them, without strings and comments.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let up_to = |end: &str| rest[1..].find(end).map_or(rest.len(), |at| 1 + at + end.len());
        let length = match first {
            '-' if rest.starts_with("--") => up_to("\n"),
            '/' if rest.starts_with("/*") => up_to("*/"),
            '\'' => up_to("'"),
            '"' | '`' => up_to(&rest[..1]),
            '[' => up_to("]"),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        if is_word(first) || matches!(first, '"' | '`' | '[') {
            words.push(word.trim_matches(|c| !is_word(c)));
        }
        rest = after;
    }
    words
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

    #[test]
    fn what_depends_on_rows_is_refused() {
        let judged = |text: &str, changes| judge(&Ran { text: text.to_owned(), changes });
        for (text, changes) in [
            ("SELECT COUNT(*) > 0 FROM sqlite_master WHERE type = 'table'", false),
            ("SELECT COUNT(*) > 0 AS \"has_column\" FROM pragma_table_info('x')", false),
            ("SELECT sqlite_version()", false),
            ("PRAGMA foreign_keys = OFF", false),
            ("BEGIN", false),
            ("INSERT INTO x VALUES ('returning it''s from')", true),
            ("INSERT INTO x SELECT * FROM y", true),
        ] {
            assert_eq!(judged(text, changes), Ok(()), "{text}");
        }
        for reads in [
            "SELECT id, 'sqlite_master' FROM cake",
            "-- it's sqlite_master\nSELECT 1 FROM \"cake\"",
            "/* pragma_x's */ WITH x AS (SELECT * FROM [cake]) SELECT 'a''b' from x",
            "SELECT \"it's\" FROM `cake`",
        ] {
            assert_eq!(judged(reads, false), Err(Why::Reads(reads.to_owned())));
        }
        let returns = "INSERT INTO cake (name) VALUES ('x') RETURNING \"id\"";
        assert_eq!(judged(returns, true), Err(Why::Returns(returns.to_owned())));
        let undoes = "-- never mind\nrollback TO x";
        assert_eq!(judged(undoes, false), Err(Why::Undoes(undoes.to_owned())));
        assert_eq!(judged("SELECT COUNT(*) > 0 FROM \"sqlite_master\" WHERE \"type\" = 'x'", false), Ok(()));
    }
}
