//! Existing instances become tenants: what they had is what the tenants see, whatever happens on the way.

mod crashes;
mod instances;
mod refusals;
mod schemas;
mod surveys;
mod values;

use std::path::{Path, PathBuf};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection, ValueRef,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use tenantry_core::{Placement, Status, Tenant, TenantId};
use tenantry_sqlx::{
    SqliteOptions,
    adopt::{AdoptError, AdoptOptions, Adoption, adopt},
};

use crate::scoped::Deployment;

const ACME: i64 = 1;
const GLOBEX: i64 = 2;

/// The migrations of the example application.
pub(crate) static NOTES: Migrator = sqlx::migrate!("../../examples/notes/migrations/sqlite");

impl Deployment {
    /// Where its databases are.
    pub(crate) fn options(&self) -> SqliteOptions {
        SqliteOptions::new(self.folder.path().join("shared.db"), self.folder.path().join("own"))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adopts a file, with batches so small that there are many.
    async fn adopt(&self, id: i64, from: &Path) -> Result<Adoption, AdoptError> {
        self.adopt_with(id, from, 2).await
    }

    async fn adopt_with(&self, id: i64, from: &Path, batch_rows: u32) -> Result<Adoption, AdoptError> {
        let mut how = AdoptOptions::default();
        how.batch_rows = batch_rows;
        adopt(&self.options(), &tenant(id), from, how).await
    }
}

/// A tenant that is not served yet.
pub(crate) fn tenant(id: i64) -> Tenant {
    let slug = ["acme", "globex", "initech", "hooli"][usize::try_from(id - 1).unwrap()];
    let mut tenant = Tenant::new(TenantId::new(id), slug.parse().unwrap());
    tenant.status = Status::Provisioning;
    tenant.placement = if id == 3 { Placement::Dedicated } else { Placement::Shared };
    tenant
}

/// The database of an instance, open as the instance has it.
pub(crate) async fn instance(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true).connect().await.unwrap()
}

/// Makes the database of an instance with this script.
pub(crate) async fn instance_of(path: &Path, script: &str) {
    let mut connection = instance(path).await;
    run(&mut connection, script).await;
    connection.close().await.unwrap();
}

async fn run(connection: &mut SqliteConnection, script: &str) {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(connection).await.unwrap();
}

/// A database of the example application that is in use: `name` is in its texts, and rows were deleted.
pub(crate) async fn notes(path: &Path, name: &str) {
    let mut connection = instance(path).await;
    NOTES.run(&mut connection).await.unwrap();
    let script = format!(
        "INSERT INTO users (email, name, password_hash) VALUES ('ada@{name}', 'Ada', 'x'), ('bob@{name}', 'Bob', 'y');
         INSERT INTO notes (user_id, title, body) VALUES (1, '{name} one', ''), (2, '{name} two', 'b'), (1, 'gone', '');
         DELETE FROM notes WHERE id = 3;
         INSERT INTO tags (name) VALUES ('red'), ('{name}');
         INSERT INTO note_tags VALUES (2, 2), (1, 1), (1, 2);
         INSERT INTO comments (note_id, user_id, body) VALUES (1, 2, '{name}!');
         INSERT INTO settings (id, site_title) VALUES (1, '{name}');"
    );
    run(&mut connection, &script).await;
    connection.close().await.unwrap();
}

/// All rows of a statement, with the storage classes of the values.
pub(crate) async fn rows<'c, E>(executor: E, statement: &str) -> Vec<Vec<String>>
where
    E: sqlx::Executor<'c, Database = sqlx::Sqlite>,
{
    let rows: Vec<SqliteRow> = sqlx::query(AssertSqlSafe(statement)).fetch_all(executor).await.unwrap();
    rows.iter().map(|row| (0..row.len()).map(|at| value(row, at)).collect()).collect()
}

fn value(row: &SqliteRow, at: usize) -> String {
    use sqlx::TypeInfo;
    let raw = row.try_get_raw(at).unwrap();
    if raw.is_null() {
        return "NULL".to_owned();
    }
    match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" => format!("integer {}", row.try_get_unchecked::<i64, _>(at).unwrap()),
        "REAL" => format!("real {:016x}", row.try_get_unchecked::<f64, _>(at).unwrap().to_bits()),
        kind => format!("{kind} {:02x?}", row.try_get_unchecked::<Vec<u8>, _>(at).unwrap()),
    }
}

/// The tables of the example application, and a statement that reads everything of each.
pub(crate) const NOTES_TABLES: &[&str] = &[
    "SELECT rowid, * FROM users ORDER BY id",
    "SELECT rowid, * FROM notes ORDER BY id",
    "SELECT rowid, * FROM tags ORDER BY id",
    "SELECT * FROM note_tags ORDER BY note_id, tag_id",
    "SELECT rowid, * FROM comments ORDER BY id",
    "SELECT rowid, * FROM settings ORDER BY id",
    "SELECT * FROM note_overview ORDER BY id",
];

/// The shared database, past the scoping.
pub(crate) async fn raw(deployment: &Deployment) -> SqliteConnection {
    instance(&deployment.file("shared.db")).await
}

/// Everything that the shared database has of a tenant.
pub(crate) async fn of_tenant(deployment: &Deployment, id: i64) -> Vec<Vec<Vec<String>>> {
    let mut raw = raw(deployment).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema s WHERE type = 'table' \
         AND '_tenant' IN (SELECT name FROM pragma_table_info(s.name)) ORDER BY name",
    )
    .fetch_all(&mut raw)
    .await
    .unwrap();
    let mut all = Vec::new();
    for table in tables {
        all.push(rows(&mut raw, &format!("SELECT * FROM \"{table}\" WHERE _tenant = {id}")).await);
    }
    all
}
