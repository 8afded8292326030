//! What would become of an instance: its schema, object by object, and what is in the way. Nothing is changed.

mod rehearsal;
mod remarks;

use std::path::Path;

use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tenantry_sql::Quoted;

use super::{
    agreement::{self, Difference},
    dedicated::memory,
    error::AdoptError,
    source::{MIGRATIONS, SOURCE, Source, SourceError},
};
use crate::{
    SqliteOptions,
    shared::{store, template::Object},
};

/// What would become of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survey {
    /// The database of the instance: the path of a file, or a URL without the password.
    pub source: String,
    /// How large it is.
    pub bytes: u64,
    /// Its tables, indexes, views and triggers.
    pub objects: Vec<Surveyed>,
    /// What else is in the way: rows that refer to missing ones.
    pub problems: Vec<String>,
    /// In what it differs from the shared database; nothing when that has no schema yet.
    pub differences: Vec<Difference>,
    /// Whether there is a shared database with a schema.
    pub is_compared: bool,
}

/// An object of the instance's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surveyed {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How many rows it has, if it is a table.
    pub rows: Option<u64>,
    /// How many bytes it takes, indexes left out, if it is a table and SQLite can tell.
    pub bytes: Option<u64>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// How it is changed, why it cannot be, what to decide.
    pub notes: Vec<String>,
}

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// It stays as it is, as far as the application can tell: tables and keys get the tenant in front.
    AsIs,
    /// It works as before, and is made in another way; the notes say how.
    Changed,
    /// It can stay; but an administrator should decide what the notes ask.
    Decide,
    /// It has no form that tenants can share.
    InTheWay,
}

impl Verdict {
    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AsIs => "as is",
            Self::Changed => "changed",
            Self::Decide => "decide",
            Self::InTheWay => "in the way",
        }
    }
}

impl Survey {
    /// How many objects have a form that tenants can share.
    pub fn convertible(&self) -> usize {
        self.objects.iter().filter(|object| object.verdict != Verdict::InTheWay).count()
    }

    /// Whether [`adopt`](super::adopt) would take it now.
    pub fn is_adoptable(&self) -> bool {
        self.convertible() == self.objects.len() && self.problems.is_empty() && self.differences.is_empty()
    }
}

/// Says what would become of the instance whose database is the file at `from`. Nothing is changed, neither there nor in
/// the databases that `options` describe.
///
/// # Errors
///
/// When the file cannot be read as a database, or the shared database cannot be read.
pub async fn survey(options: &SqliteOptions, from: &Path) -> Result<Survey, AdoptError> {
    let source = Source::find(from)?;
    if options.shared.canonicalize().is_ok_and(|shared| shared == source.path) {
        return Err(SourceError::Ours(source.path).into());
    }
    let mut connection = memory().await?;
    source.attach(&mut connection).await?;
    let problems = match source.check(&mut connection).await {
        Err(error @ SourceError::ForeignKeys { .. }) => vec![error.to_string()],
        checked => checked.map(|()| Vec::new())?,
    };
    let objects = source.objects(&mut connection).await?;
    let (differences, is_compared) = compare(options, &source, &objects, &mut connection).await?;
    let refusals = rehearsal::rehearse(options, &objects).await?;
    let mut surveyed = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let measured = match object.kind.as_str() {
            "table" => measure(&object.name, &mut connection).await,
            _ => (None, None),
        };
        let refusal = refusals.get(&at).cloned();
        let (verdict, notes) = remarks::judge(object, &objects, measured.0, refusal, options);
        let Object { kind, name, .. } = object.clone();
        surveyed.push(Surveyed { kind, name, rows: measured.0, bytes: measured.1, verdict, notes });
    }
    if agreement::has_migrations(SOURCE, &mut connection).await.map_err(|error| source.failed(error))? {
        let (rows, bytes) = measure(MIGRATIONS, &mut connection).await;
        let notes = vec!["says which migrations have run; stays with the shared database, once for all".to_owned()];
        let (kind, name) = ("table".to_owned(), MIGRATIONS.to_owned());
        surveyed.push(Surveyed { kind, name, rows, bytes, verdict: Verdict::Changed, notes });
    }
    Ok(Survey {
        source: source.path.display().to_string(),
        bytes: source.bytes,
        objects: surveyed,
        problems,
        differences,
        is_compared,
    })
}

/// In what the source differs from the shared database, if that is there and has a schema.
async fn compare(
    options: &SqliteOptions,
    source: &Source,
    objects: &[Object],
    connection: &mut SqliteConnection,
) -> Result<(Vec<Difference>, bool), AdoptError> {
    if !options.shared.exists() {
        return Ok((Vec::new(), false));
    }
    let names = agreement::names(objects, connection).await.map_err(|error| source.failed(error))?;
    let mut shared = options.connect(&options.shared).connect().await?;
    if store::layout(&mut shared).await?.is_none() {
        return Ok((Vec::new(), false));
    }
    source.attach(&mut shared).await?;
    let known = store::objects(&mut shared).await?;
    if known.is_empty() && !agreement::has_migrations("main", &mut shared).await? {
        return Ok((Vec::new(), false));
    }
    let mut differences = agreement::differences(objects, &known, &names, &options.limits);
    differences.extend(agreement::migrations(&mut shared).await?);
    Ok((differences, true))
}

/// How many rows and bytes a table has, if that can be told.
pub(super) async fn measure(table: &str, connection: &mut SqliteConnection) -> (Option<u64>, Option<u64>) {
    let count = AssertSqlSafe(format!("SELECT count(*) FROM {SOURCE}.{}", Quoted::new(table)));
    let rows: Option<i64> = sqlx::query_scalar(count).fetch_one(&mut *connection).await.ok();
    let text = "SELECT sum(pgsize) FROM dbstat WHERE schema = ? AND aggregate = TRUE AND name = ?";
    let size = sqlx::query_scalar(text).bind(SOURCE.trim_matches('"')).bind(table);
    let bytes: Option<i64> = size.fetch_one(connection).await.ok().flatten();
    (rows.map(i64::unsigned_abs), bytes.map(i64::unsigned_abs))
}
