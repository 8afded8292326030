//! The rows of tenants, counted, erased and copied beside those of others.

mod copying;
mod erasing;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};
use tenantry_core::{Amount, Change, Listener, News, Placement, Plane, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sqlx::{ScopedPool, SqliteOptions, SqliteRows};

use crate::{
    adopt::{instance, rows},
    scoped::Deployment,
};

pub(crate) const ACME: i64 = 1;
pub(crate) const GLOBEX: i64 = 2;
pub(crate) const INITECH: i64 = 3;
pub(crate) const HOOLI: i64 = 4;
pub(crate) const UMBRELLA: i64 = 5;

/// Row ids that columns show and that none shows, counted ones and none; rows that refuse to be deleted before others; and
/// triggers that would write.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE countries (code TEXT PRIMARY KEY);
    CREATE TABLE users (
        id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, boss INTEGER REFERENCES users (id) ON DELETE RESTRICT,
        country TEXT REFERENCES countries (code)
    );
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER REFERENCES users (id) ON DELETE RESTRICT, title TEXT NOT NULL,
        hits REAL, size INTEGER GENERATED ALWAYS AS (length(title)) STORED
    );
    CREATE TABLE links (a INTEGER, b INTEGER, PRIMARY KEY (b, a DESC)) WITHOUT ROWID;
    CREATE TABLE words (word BLOB);
    CREATE TABLE log (what TEXT);
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, money INTEGER NOT NULL);
    CREATE TRIGGER came AFTER INSERT ON notes BEGIN INSERT INTO log VALUES ('came ' || NEW.id); END;
    CREATE TRIGGER went AFTER DELETE ON notes BEGIN INSERT INTO log VALUES ('went ' || OLD.id); END;
    INSERT INTO words VALUES ('first');
    INSERT INTO accounts VALUES (1, 100), (2, 100);
";

/// What all tenants read.
const COUNTRIES: &str = "INSERT INTO countries VALUES ('at'), ('ch')";

/// Everything of a tenant.
const TABLES: &[&str] = &[
    "SELECT * FROM users ORDER BY id",
    "SELECT * FROM notes ORDER BY id",
    "SELECT * FROM links ORDER BY a, b",
    "SELECT rowid, * FROM words ORDER BY rowid",
    "SELECT rowid, * FROM log ORDER BY rowid",
    "SELECT * FROM accounts ORDER BY id",
];

/// Five tenants: two on shared tables, two with a database of their own, and one on shared tables that looks on.
pub(crate) struct Home {
    pub(crate) deployment: Deployment,
    pub(crate) rows: SqliteRows,
    /// How many rows a listener was told of.
    told: Arc<AtomicU64>,
}

/// Counts what is done.
pub(crate) fn counting(told: &Arc<AtomicU64>) -> Listener {
    let told = Arc::clone(told);
    Listener::new(move |news| {
        if let News::Done(items) = news {
            told.fetch_add(items, Ordering::Relaxed);
        }
    })
}

impl Home {
    async fn new() -> Self {
        let deployment = Deployment::with(|options| options.global = vec!["countries".into()]);
        for id in [HOOLI, UMBRELLA] {
            deployment.mirror.apply(Change::Upserted(tenant(id)));
        }
        deployment.migrate(&[SCHEMA]).await.unwrap();
        let mut shared = instance(&deployment.folder.path().join("shared.db")).await;
        sqlx::raw_sql(COUNTRIES).execute(&mut shared).await.unwrap();
        let mut options =
            SqliteOptions::new(deployment.folder.path().join("shared.db"), deployment.folder.path().join("own"));
        options.global = vec!["countries".into()];
        let told = Arc::new(AtomicU64::new(0));
        let rows = SqliteRows::new(options).with_listener(counting(&told));
        Self { deployment, rows, told }
    }

    /// With rows of these tenants, which have the same ids.
    pub(crate) async fn used(tenants: &[i64]) -> Self {
        let home = Self::new().await;
        for id in tenants {
            home.fill(*id).await;
        }
        home
    }

    pub(crate) fn pool(&self) -> &ScopedPool<Sqlite> {
        &self.deployment.pool
    }

    async fn fill(&self, id: i64) {
        let Tenant { slug: name, placement, .. } = tenant(id);
        if placement == Placement::Dedicated {
            self.execute(id, COUNTRIES).await;
        }
        for text in [
            format!("INSERT INTO users VALUES (2, 'b@{name}', NULL, 'at'), (1, 'a@{name}', 2, 'ch')"),
            format!(
                "INSERT INTO notes (user_id, title, hits) VALUES (1, '{name}', 0.1), (2, 'x', '{id}'), (2, 'gone', NULL)"
            ),
            "DELETE FROM notes WHERE id = 3".to_owned(),
            format!("INSERT INTO links VALUES (1, {id}), (2, 1), (-1, 1)"),
            format!("INSERT INTO words VALUES (x'00{id:02}'), (NULL), ('{name}')"),
            "DELETE FROM words WHERE rowid = 2".to_owned(),
        ] {
            self.execute(id, &text).await;
        }
    }

    pub(crate) async fn execute(&self, id: i64, text: &str) {
        let run = sqlx::query(AssertSqlSafe(text)).execute(self.pool());
        within(self.deployment.scope(id), run).await.unwrap();
    }

    /// What a tenant sees.
    pub(crate) async fn seen(&self, id: i64) -> Vec<Vec<Vec<String>>> {
        self.seen_by(self.pool(), id).await
    }

    async fn seen_by(&self, pool: &ScopedPool<Sqlite>, id: i64) -> Vec<Vec<Vec<String>>> {
        within(self.deployment.scope(id), async {
            let mut all = Vec::new();
            for table in TABLES {
                all.push(rows(pool, table).await);
            }
            all
        })
        .await
    }

    /// All rows of all others, as they are in the files.
    pub(crate) async fn others(&self, id: i64) -> Vec<Vec<Vec<String>>> {
        let mut all = Vec::new();
        let mut shared = instance(&self.deployment.folder.path().join("shared.db")).await;
        for table in tables(&mut shared).await {
            let columns = rows(&mut shared, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
            let has = |name: &str| columns.iter().any(|column| column[0] == text(name));
            let of_others = match () {
                () if has("_tenant") => format!("_tenant <> {id}"),
                () if table == "_tenantry_tenants" => format!("id <> {id}"),
                () => "true".to_owned(),
            };
            all.push(rows(&mut shared, &format!("SELECT * FROM \"{table}\" WHERE {of_others}")).await);
        }
        for own in [INITECH, HOOLI].into_iter().filter(|own| *own != id) {
            let file = self.deployment.folder.path().join(format!("own/{own}.db"));
            if file.exists() {
                let mut own = instance(&file).await;
                for table in tables(&mut own).await {
                    all.push(rows(&mut own, &format!("SELECT * FROM \"{table}\"")).await);
                }
            }
        }
        all
    }

    async fn count(&self, id: i64) -> u64 {
        self.rows.count(&tenant(id)).await.unwrap().items
    }

    async fn copy(&self, from: i64, to: i64) -> Amount {
        self.rows.copy(&tenant(from), &tenant(to)).await.unwrap()
    }

    /// The id of the next note.
    pub(crate) async fn next(&self, id: i64) -> i64 {
        let insert = sqlx::query_scalar("INSERT INTO notes (user_id, title) VALUES (1, 'next') RETURNING id");
        within(self.deployment.scope(id), insert.fetch_one(self.pool())).await.unwrap()
    }
}

pub(crate) fn tenant(id: i64) -> Tenant {
    let slug = ["acme", "globex", "initech", "hooli", "umbrella"][usize::try_from(id - 1).unwrap()];
    let mut tenant = Tenant::new(TenantId::new(id), slug.parse().unwrap());
    tenant.placement = if [INITECH, HOOLI].contains(&id) { Placement::Dedicated } else { Placement::Shared };
    tenant
}

async fn tables(connection: &mut SqliteConnection) -> Vec<String> {
    let text = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_stat1' ORDER BY name";
    sqlx::query_scalar(text).fetch_all(connection).await.unwrap()
}

/// How `rows` shows a text.
fn text(text: &str) -> String {
    format!("TEXT {:02x?}", text.as_bytes())
}
