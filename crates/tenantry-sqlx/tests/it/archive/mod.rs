//! Tenants that become archives, and archives that become tenants.

mod failures;
#[cfg(feature = "postgres")]
mod postgres;
mod round_trips;

use std::path::Path;

use proptest::prelude::*;
use sqlx::{AssertSqlSafe, Sqlite};
use tenantry_control::archive::{self, ArchiveError, Imported, Options, Parts, Summary};
use tenantry_core::{PortableRows, Tenant};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedPool, portable::SqlitePortable};

use crate::{
    adopt::{rows, tenant},
    scoped::Deployment,
};

const ACME: i64 = 1;
const GLOBEX: i64 = 2;
/// With a database of its own.
const INITECH: i64 = 3;

/// Tables of all kinds: row ids that are seen and hidden, none, a key that runs backwards, types of all affinities and none,
/// references to each other and to themselves, columns that are computed, names that need quotes; and what a new tenant
/// begins with.
const KINDS: &str = r#"
    CREATE TABLE kinds (
        id INTEGER PRIMARY KEY AUTOINCREMENT, i INTEGER, r REAL, t TEXT, b BLOB, n NUMERIC, anything,
        "The ""length""" INTEGER AS (length(t)) STORED, parent INTEGER REFERENCES kinds (id), favourite REFERENCES keyed (a)
    );
    CREATE TABLE loose (a TEXT UNIQUE, "b c" DEFAULT 'gone');
    CREATE TABLE keyed (a TEXT PRIMARY KEY DESC, kind INTEGER REFERENCES kinds (id)) WITHOUT ROWID;
    CREATE TABLE begun (id INTEGER PRIMARY KEY, word TEXT NOT NULL);
    CREATE VIEW counted AS SELECT count(*) AS n FROM kinds;
    CREATE TRIGGER touched AFTER INSERT ON loose BEGIN UPDATE begun SET word = word || '!'; END;
    INSERT INTO begun VALUES (1, 'first'), (2, 'second');
"#;

const KINDS_TABLES: &[&str] = &[
    "SELECT rowid, * FROM kinds ORDER BY id",
    "SELECT rowid, * FROM loose ORDER BY rowid",
    "SELECT * FROM keyed ORDER BY a",
    "SELECT * FROM begun ORDER BY id",
    "SELECT * FROM counted",
];

/// A value, as an expression of SQL.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("NULL".to_owned()),
        Just("''".to_owned()),
        any::<i64>()
            .prop_map(|integer| format!("({integer})").replace("(-9223372036854775808)", "(-9223372036854775807 - 1)")),
        prop::sample::select(vec!["9007199254740993", "-9007199254740992", "9223372036854775807", "0", "1"])
            .prop_map(str::to_owned),
        any::<f64>().prop_filter("SQLite has no NaN", |real| real.is_finite()).prop_map(|real| format!("({real:e})")),
        prop::sample::select(vec!["9e999", "-9e999", "0.1", "-0.0", "5e-324", "1.0", "1e15", "123456789012345680.0"])
            .prop_map(str::to_owned),
        "[a-zé'\"\\\\\t☕]{0,9}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        Just("'1.50'".to_owned()),
        Just("CAST(x'610062' AS TEXT)".to_owned()),
        Just("CAST(x'ff61' AS TEXT)".to_owned()),
        prop::collection::vec(any::<u8>(), 0..9)
            .prop_map(|bytes| format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())),
    ]
}

/// Statements that fill the tables.
fn statements() -> impl Strategy<Value = Vec<String>> {
    let kinds = prop::collection::vec((prop::collection::vec(value(), 6), any::<bool>()), 0..30);
    let loose = prop::collection::vec((value(), any::<bool>()), 0..12);
    (kinds, loose).prop_map(|(kinds, loose)| {
        let mut all = Vec::new();
        for (values, deleted) in kinds {
            all.push(format!("INSERT INTO kinds (i, r, t, b, n, anything) VALUES ({})", values.join(", ")));
            if deleted {
                all.push("DELETE FROM kinds WHERE id = (SELECT max(id) FROM kinds)".to_owned());
            }
        }
        for (at, (value, deleted)) in loose.into_iter().enumerate() {
            all.push(format!("INSERT INTO loose VALUES ('{at}', {value})"));
            all.push(format!("INSERT INTO keyed VALUES ('{at}', (SELECT max(id) FROM kinds))"));
            if deleted {
                all.push("DELETE FROM loose WHERE rowid = (SELECT min(rowid) FROM loose)".to_owned());
            }
        }
        all.push(
            "UPDATE kinds SET parent = (SELECT max(id) FROM kinds), favourite = (SELECT max(a) FROM keyed)".to_owned(),
        );
        all
    })
}

impl Deployment {
    fn portable(&self) -> SqlitePortable {
        SqlitePortable::new(self.options())
    }

    async fn export(&self, id: i64, file: &Path) -> Result<Summary, ArchiveError> {
        archive::export(&tenant(id), rows_alone(&self.portable()), file, Options::default()).await
    }

    async fn import(&self, id: i64, file: &Path) -> Result<Imported, ArchiveError> {
        self.import_as(&tenant(id), file).await
    }

    async fn import_as(&self, tenant: &Tenant, file: &Path) -> Result<Imported, ArchiveError> {
        let from = std::fs::File::open(file).unwrap();
        archive::import(tenant, rows_alone(&self.portable()), &[], from, Options::default()).await
    }

    async fn execute(&self, id: i64, statements: &[String]) {
        for statement in statements {
            let query = sqlx::query(AssertSqlSafe(statement.as_str())).execute(&self.pool);
            let done = within(self.scope(id), query).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// All that a tenant sees.
    async fn all(&self, id: i64, tables: &[&str]) -> Vec<Vec<Vec<String>>> {
        let mut all = Vec::new();
        for table in tables {
            all.push(within(self.scope(id), rows::<&ScopedPool<Sqlite>>(&self.pool, table)).await);
        }
        all
    }
}

fn rows_alone(rows: &dyn PortableRows) -> Parts<'_> {
    Parts { rows, uploads: None, settings: None }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}
