//! Archives: what they are, and those that somebody has changed, damaged or made up.

mod files;
mod hostile;
mod verbs;
mod whole;

use std::{
    io::{Read, Write},
    path::PathBuf,
    sync::Arc,
};

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tenantry_control::archive::{self, ArchiveError, Imported, Options, Parts, Summary};
use tenantry_core::{Admission, Mirror, Plans, Status, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedPool, SqliteOptions, portable::SqlitePortable};

/// A deployment on SQLite whose acme has some rows.
struct World {
    folder: TempDir,
    admission: Arc<Admission>,
    options: SqliteOptions,
}

const ACME: i64 = 1;
const GLOBEX: i64 = 2;

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own"));
        let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, parent INTEGER REFERENCES notes (id)); \
                      CREATE TABLE tags (name TEXT PRIMARY KEY) WITHOUT ROWID";
        let script = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(schema));
        let migration =
            sqlx::migrate::Migration::new(1, "notes".into(), sqlx::migrate::MigrationType::Simple, script, false);
        let migrator = sqlx::migrate::Migrator::with_migrations(vec![migration]);
        let tenants = [(ACME, "acme"), (GLOBEX, "globex"), (7, "others")];
        let tenants = tenants.map(|(id, slug)| Tenant::new(TenantId::new(id), slug.parse().unwrap()));
        let admission = Arc::new(Admission::new(Arc::new(tenants.into_iter().collect::<Mirror>()), Plans::default()));
        let pool = ScopedPool::sqlite(options.clone(), Some(Arc::clone(&admission)));
        pool.migrate(&migrator).await.unwrap();
        for (id, rows) in [
            (ACME, "INSERT INTO notes (title, parent) VALUES ('one', 1), ('two', 1); INSERT INTO tags VALUES ('red')"),
            (7, "INSERT INTO notes (title) VALUES ('others')"),
        ] {
            for statement in rows.split("; ") {
                let query = sqlx::query(AssertSqlSafe(statement)).execute(&pool);
                within(admission.admit_id(TenantId::new(id)).unwrap(), query).await.unwrap();
            }
        }
        Self { folder, admission, options }
    }

    async fn raw(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(&self.options.shared).connect().await.unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn rows(&self) -> SqlitePortable {
        SqlitePortable::new(self.options.clone())
    }

    /// The archive of acme.
    async fn archive(&self) -> Vec<u8> {
        let rows = self.rows();
        archive::export_to(&tenant(ACME), parts(&rows), Vec::new(), Options::default()).await.unwrap().0
    }

    async fn import(&self, archive: Vec<u8>) -> Result<Imported, ArchiveError> {
        let rows = self.rows();
        archive::import(&tenant(GLOBEX), parts(&rows), &[], std::io::Cursor::new(archive), Options::default()).await
    }

    /// All rows of the shared tables, and who is said to have some.
    async fn all(&self) -> Vec<String> {
        let mut raw = self.raw().await;
        let text = "SELECT 'note ' || _tenant || quote(id) || quote(title) || quote(parent) FROM notes \
                    UNION ALL SELECT 'tag ' || _tenant || quote(name) FROM tags \
                    UNION ALL SELECT 'tenant ' || id FROM _tenantry_tenants \
                    UNION ALL SELECT 'sequence ' || _tenant || ' ' || seq FROM _tenantry_sequence ORDER BY 1";
        sqlx::query_scalar(text).fetch_all(&mut raw).await.unwrap()
    }

    /// The same of all but globex, who may have rows that are nobody's until they are complete.
    async fn others(&self) -> Vec<String> {
        let all = self.all().await;
        all.into_iter().filter(|row| !row.starts_with("note 2") && !row.starts_with("tag 2")).collect()
    }
}

fn parts(rows: &SqlitePortable) -> Parts<'_> {
    Parts { rows, uploads: None, settings: None }
}

fn tenant(id: i64) -> Tenant {
    let mut tenant = Tenant::new(TenantId::new(id), if id == ACME { "acme" } else { "globex" }.parse().unwrap());
    tenant.status = Status::Provisioning;
    tenant
}

/// What an error says, with all that is behind it.
fn said(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

type Members = Vec<(String, Vec<u8>)>;

/// The members of an archive, read as its documentation says that any tool can.
fn members(archive: &[u8]) -> Members {
    let mut tar = tar::Archive::new(zstd::Decoder::new(archive).unwrap());
    let members = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content)
    });
    members.collect()
}

/// An archive with these members, with checks, a manifest and a seal that fit: what somebody makes who means ill.
fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut checks = String::new();
    let mut rows: std::collections::BTreeMap<usize, usize> = Default::default();
    let own = members.iter().filter(|(name, _)| !name.starts_with("checks/") && name != "manifest.json");
    let own: Vec<_> = own.cloned().collect();
    for (name, content) in &own {
        checks += &format!(r#"{{"member":{name:?},"bytes":{},"sha256":"{}"}}"#, content.len(), sha256(content));
        checks.push('\n');
        if let Some(table) =
            name.strip_prefix("rows/").and_then(|rest| rest.get(..4)).and_then(|table| table.parse().ok())
        {
            *rows.entry(table).or_default() += content.iter().filter(|byte| **byte == b'\n').count();
        }
    }
    let header: serde_json::Value = serde_json::from_slice(&own[0].1).unwrap_or_default();
    let tables = header["tables"].as_array().cloned().unwrap_or_default();
    let tables = tables
        .iter()
        .enumerate()
        .map(|(at, table)| format!(r#"{{"table":{},"rows":{}}}"#, table["name"], rows.get(&at).copied().unwrap_or(0)));
    let manifest = format!(
        r#"{{"checks":[{{"member":"checks/000000.jsonl","bytes":{},"sha256":"{}"}}],"tables":[{}],"uploads":0,"upload_bytes":0}}"#,
        checks.len(),
        sha256(checks.as_bytes()),
        tables.collect::<Vec<_>>().join(",")
    );
    let all = [
        own,
        vec![
            ("checks/000000.jsonl".to_owned(), checks.into_bytes()),
            ("manifest.json".to_owned(), manifest.into_bytes()),
        ],
    ];
    sealed(&tar_of(&all.concat(), |_| {}))
}

fn tar_of(members: &[(String, Vec<u8>)], change: impl Fn(&mut tar::Header)) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_entry_type(tar::EntryType::Regular);
        change(&mut header);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn sealed(tar: &[u8]) -> Vec<u8> {
    let mut archive = zstd::encode_all(tar, 1).unwrap();
    let hash = Sha256::digest(&archive);
    archive.write_all(b"\x5e\x2a\x4d\x18\x28\0\0\0tenantry").unwrap();
    archive.write_all(&hash).unwrap();
    archive
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
