//! Looks at how SQLite would run scoped statements: never over the rows of all tenants.
//!
//! That is what keeps statements fast among many tenants, and it is part of the isolation: where every access begins with
//! the tenant, no expression of a statement is evaluated on a foreign row (sql-scoping §6).

use std::collections::HashMap;

use sqlx::{Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use tempfile::TempDir;
use tenantry_sql::Code;
use tenantry_sqlx::{Explain, ScopeError, ScopedPool};

/// Plans statements and reads what SQLite makes of them. Nothing is run.
#[derive(Debug)]
pub struct Lint {
    pool: ScopedPool<Sqlite>,
    /// The tables with tenants, by the pages where they and their indexes begin.
    roots: HashMap<i64, String>,
    // Last: the file is closed before it is deleted.
    _folder: TempDir,
}

/// What is found about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Linted {
    /// All accesses of tables with tenants begin with the tenant: this many.
    Fine(usize),
    /// This table or one of its indexes is read from its beginning.
    Scans(String),
    /// The statement is refused, with this code.
    Refused(Code),
    /// SQLite does not accept it.
    Invalid,
}

impl Lint {
    /// For the shared database in `folder`, which `raw` can look into.
    pub(crate) async fn new(
        pool: ScopedPool<Sqlite>,
        raw: &mut SqliteConnection,
        folder: TempDir,
    ) -> Result<Self, sqlx::Error> {
        let roots = sqlx::query_as::<_, (i64, String)>(ROOTS).fetch_all(raw).await?;
        Ok(Self { pool, roots: roots.into_iter().collect(), _folder: folder })
    }

    /// Looks at a statement of the application.
    ///
    /// # Errors
    ///
    /// Those of the database, when it is not the statement that is wrong.
    pub async fn check(&mut self, text: &str) -> Result<Linted, sqlx::Error> {
        match self.pool.explain(text, Explain::Program).await {
            Ok(program) => {
                let program: Vec<_> = program.iter().map(Operation::read).collect::<Result<_, _>>()?;
                Ok(self.judge(&program))
            }
            Err(error) => match ScopeError::of(&error).map(ScopeError::code) {
                Some(Some(code)) => Ok(Linted::Refused(code)),
                None if error.as_database_error().is_some() => Ok(Linted::Invalid),
                _ => Err(error),
            },
        }
    }

    fn judge(&self, program: &[Operation]) -> Linted {
        let mut cursors: HashMap<i64, &str> = HashMap::new();
        let mut accesses = 0;
        for (place, operation) in program.iter().enumerate() {
            // A program of a trigger or of a foreign key begins.
            if operation.at == 0 {
                cursors.clear();
            }
            match operation.code.as_str() {
                "OpenRead" | "OpenWrite" | "ReopenIdx" => {
                    // Databases other than the main one have no tables with tenants.
                    let table = self.roots.get(&operation.p2).filter(|_| operation.p3 == 0);
                    accesses += usize::from(table.is_some());
                    match table {
                        Some(table) => cursors.insert(operation.p1, table),
                        None => cursors.remove(&operation.p1),
                    };
                }
                "Rewind" | "Last" | "Count" | "Sort" => {
                    if let Some(table) = cursors.get(&operation.p1).filter(|_| is_reached(program, place)) {
                        return Linted::Scans((*table).to_owned());
                    }
                }
                "Clear" => return Linted::Scans(self.roots.get(&operation.p1).cloned().unwrap_or_default()),
                code if code.starts_with("Open") || code.starts_with("VOpen") || code.starts_with("Sorter") => {
                    cursors.remove(&operation.p1);
                }
                _ => {}
            }
        }
        Linted::Fine(accesses)
    }
}

/// Whether a step may be run: SQLite leaves loops in a program that a condition which is never true goes around.
fn is_reached(program: &[Operation], place: usize) -> bool {
    let begin = program[..=place].iter().rposition(|operation| operation.at == 0).unwrap_or(0);
    let end = program[place..].iter().skip(1).position(|operation| operation.at == 0);
    let program = &program[begin..end.map_or(program.len(), |end| place + 1 + end)];
    for operation in program[..=place - begin].iter().rev() {
        let leads_here = |from: &Operation| from.p2 == operation.at && JUMPS.contains(&from.code.as_str());
        if operation.code == "Goto" {
            return false;
        }
        if program.iter().any(leads_here) {
            return true;
        }
    }
    true
}

/// The steps that lead elsewhere, which is their second number.
#[rustfmt::skip]
const JUMPS: &[&str] = &[
    "DecrJumpZero", "ElseEq", "EndCoroutine", "Eq", "Filter", "FkIfZero", "Found", "Ge", "Gosub", "Goto", "Gt", "IdxGE",
    "IdxGT", "IdxLE", "IdxLT", "If", "IfEmpty", "IfNoHope", "IfNot", "IfNotOpen", "IfNotZero", "IfNullRow", "IfPos",
    "IfSizeBetween", "IfSmaller", "IncrVacuum", "Init", "InitCoroutine", "IsNull", "IsType", "Jump", "Last", "Le", "Lt",
    "MustBeInt", "Ne", "Next", "NoConflict", "NotExists", "NotFound", "NotNull", "Once", "Prev", "Program", "Rewind",
    "RowSetRead", "RowSetTest", "SeekGE", "SeekGT", "SeekLE", "SeekLT", "SeekRowid", "SeekScan", "Sort", "SorterNext",
    "SorterSort", "VFilter", "VInitIn", "VNext", "Yield",
];

/// A step of SQLite's machine: <https://sqlite.org/opcode.html>.
struct Operation {
    at: i64,
    code: String,
    p1: i64,
    p2: i64,
    p3: i64,
}

impl Operation {
    fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let number = |name| row.try_get::<i64, _>(name);
        Ok(Self {
            at: number("addr")?,
            code: row.try_get("opcode")?,
            p1: number("p1")?,
            p2: number("p2")?,
            p3: number("p3")?,
        })
    }
}

const ROOTS: &str = "
SELECT s.rootpage, s.tbl_name FROM sqlite_schema s
WHERE s.rootpage > 0 AND s.tbl_name NOT LIKE '\\_tenantry\\_%' ESCAPE '\\'
  AND EXISTS (SELECT 1 FROM pragma_table_info(s.tbl_name) WHERE name = '_tenant')";
