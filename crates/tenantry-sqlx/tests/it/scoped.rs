//! Statements of two tenants on shared tables.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Row, SqlSafeStr, Sqlite,
    migrate::{Migration, MigrationType, Migrator},
};
use tempfile::TempDir;
use tenantry_core::{Admission, Limits, Mirror, Placement, Plan, PlanName, Plans, Scope, Status, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sql::Code;
use tenantry_sqlx::{ScopeError, ScopedPool, SqliteOptions};

pub(crate) struct Deployment {
    pub(crate) folder: TempDir,
    pub(crate) mirror: Arc<Mirror>,
    admission: Arc<Admission>,
    pub(crate) pool: ScopedPool<Sqlite>,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other options.
    pub(crate) fn with(change: impl Fn(&mut SqliteOptions)) -> Self {
        Self::on_plans(Plans::default(), change)
    }

    /// With acme and initech on a plan with these limits.
    pub(crate) fn limited(limits: Limits) -> Self {
        Self::on_plans(Plans::from_iter([Plan::new(PlanName::default(), Limits::NONE), small(limits)]), |_| {})
    }

    fn on_plans(plans: Plans, change: impl Fn(&mut SqliteOptions)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut own = Tenant::new(TenantId::new(3), "initech".parse().unwrap());
        own.placement = Placement::Dedicated;
        let shared = [(1, "acme"), (2, "globex")];
        let tenants = shared.map(|(id, slug)| Tenant::new(TenantId::new(id), slug.parse().unwrap()));
        let tenants = tenants.into_iter().chain([own]).map(|tenant| on_its_plan(tenant, &plans));
        let mirror = Arc::new(Mirror::from_iter(tenants));
        let admission = Arc::new(Admission::new(Arc::clone(&mirror), plans));
        let pool = Self::open_with(&folder, &admission, change);
        Self { folder, mirror, admission, pool }
    }

    fn open(folder: &TempDir, admission: &Arc<Admission>) -> ScopedPool<Sqlite> {
        Self::open_with(folder, admission, |_| {})
    }

    fn open_with(
        folder: &TempDir,
        admission: &Arc<Admission>,
        change: impl Fn(&mut SqliteOptions),
    ) -> ScopedPool<Sqlite> {
        let mut options = SqliteOptions::new(folder.path().join("shared.db"), folder.path().join("own"));
        // Who does not say otherwise is told at once that rows have moved.
        options.move_wait_max = std::time::Duration::ZERO;
        change(&mut options);
        ScopedPool::sqlite(options, Some(Arc::clone(admission)))
    }

    /// Another pool for the same file, as another process has it.
    pub(crate) fn another(&self, change: impl Fn(&mut SqliteOptions)) -> ScopedPool<Sqlite> {
        Self::open_with(&self.folder, &self.admission, change)
    }

    /// Nobody else may read these files.
    #[cfg(unix)]
    pub(crate) fn is_for_its_owner_alone(&self, files: &[&str]) {
        use std::os::unix::fs::PermissionsExt;

        for file in files {
            let mode = self.folder.path().join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    pub(crate) fn scope(&self, id: i64) -> Scope {
        self.admission.admit_id(TenantId::new(id)).unwrap()
    }

    pub(crate) async fn migrate(&self, scripts: &[&str]) -> Result<(), sqlx::migrate::MigrateError> {
        self.pool.migrate(&migrator(scripts)).await
    }
}

/// The plan `small`.
pub(crate) fn small(limits: Limits) -> Plan {
    Plan::new("small".parse().unwrap(), limits)
}

/// All tenants but globex are on the plan `small`, if there is one.
pub(crate) fn on_its_plan(mut tenant: Tenant, plans: &Plans) -> Tenant {
    let small: PlanName = "small".parse().unwrap();
    if tenant.slug.as_str() != "globex" && plans.get(&small).is_some() {
        tenant.plan = small;
    }
    tenant
}

pub(crate) fn migrator(scripts: &[&str]) -> Migrator {
    let migrations = scripts.iter().zip(1..).map(|(script, version)| {
        let script = AssertSqlSafe(*script).into_sql_str();
        Migration::new(version, "test".into(), MigrationType::Simple, script, false)
    });
    Migrator::with_migrations(migrations.collect())
}

pub(crate) const NOTES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE);
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
        title TEXT NOT NULL CHECK (title <> ''),
        touched INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX notes_by_user ON notes (user_id);
    CREATE TABLE tags (name TEXT PRIMARY KEY);
    CREATE VIEW titled AS SELECT notes.id, notes.title, users.email FROM notes LEFT JOIN users ON users.id = notes.user_id;
    CREATE TRIGGER touch AFTER UPDATE OF title ON notes BEGIN
        UPDATE notes SET touched = touched + 1 WHERE id = NEW.id;
    END;
    INSERT INTO tags VALUES ('first'), ('second');
";

#[tokio::test]
async fn tenants_share_tables_and_cannot_tell() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    for id in [1, 2, 3] {
        within(deployment.scope(id), use_notes(&deployment.pool)).await;
    }
}

async fn use_notes(pool: &ScopedPool<Sqlite>) {
    let tags: Vec<String> = sqlx::query_scalar("SELECT name FROM tags ORDER BY rowid").fetch_all(pool).await.unwrap();
    assert_eq!(tags, ["first", "second"]);
    let inserted = sqlx::query("INSERT INTO users (email) VALUES (?), ('B@example.com')")
        .bind("a@example.com")
        .execute(pool)
        .await;
    let inserted = inserted.unwrap();
    assert_eq!((inserted.rows_affected(), inserted.last_insert_rowid()), (2, 2));

    let mut transaction = pool.begin().await.unwrap();
    let note: (i64, Option<i64>, String, i64) =
        sqlx::query_as("INSERT INTO notes (title, user_id) VALUES (?2, ?1) RETURNING *")
            .bind(2)
            .bind("hello")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    assert_eq!(note, (1, Some(2), "hello".to_owned(), 0));
    let mut savepoint = transaction.begin().await.unwrap();
    sqlx::query("DELETE FROM notes").execute(&mut *savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    sqlx::query("UPDATE notes SET title = 'changed' WHERE rowid = 1").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();

    let row =
        sqlx::query("SELECT * FROM titled WHERE id IN (SELECT max(id) FROM notes)").fetch_one(pool).await.unwrap();
    assert_eq!(
        (row.get::<String, _>("title"), row.get::<String, _>("email")),
        ("changed".into(), "B@example.com".into())
    );
    let touched: i64 = sqlx::query_scalar("SELECT touched FROM notes").fetch_one(pool).await.unwrap();
    assert_eq!(touched, 1);

    let twice = sqlx::query("INSERT INTO users (email) VALUES ('A@EXAMPLE.COM')").execute(pool).await.unwrap_err();
    let twice = twice.as_database_error().unwrap();
    assert_eq!((twice.message(), twice.is_unique_violation()), ("UNIQUE constraint failed: users.email", true));

    sqlx::query("DELETE FROM users WHERE id = 2").execute(pool).await.unwrap();
    let orphans: i64 =
        sqlx::query_scalar("SELECT count(*) FROM notes WHERE user_id IS NULL").fetch_one(pool).await.unwrap();
    assert_eq!(orphans, 1, "ON DELETE SET NULL");
    sqlx::query("INSERT INTO notes (title) VALUES ('x')").execute(pool).await.unwrap();
    sqlx::query("DELETE FROM notes WHERE id = 2").execute(pool).await.unwrap();
    let next = sqlx::query("INSERT INTO notes (title) VALUES ('y')").execute(pool).await.unwrap();
    assert_eq!(next.last_insert_rowid(), 3, "AUTOINCREMENT never gives an id twice");

    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(
        tables.starts_with(&["notes".to_owned(), "tags".to_owned(), "users".to_owned()])
            || tables[0] == "_sqlx_migrations",
        "{tables:?}"
    );
    let columns: Vec<(i64, String)> =
        sqlx::query_as("SELECT cid, name FROM pragma_table_info('notes')").fetch_all(pool).await.unwrap();
    assert_eq!(
        columns.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(),
        ["id", "user_id", "title", "touched"]
    );
    let streamed: Vec<_> = sqlx::query("SELECT id FROM notes ORDER BY id").fetch(pool).try_collect().await.unwrap();
    assert_eq!(streamed.len(), 2);
}

#[tokio::test]
async fn without_a_scope_nothing_runs() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    let error = sqlx::query("SELECT * FROM notes").fetch_all(&deployment.pool).await.unwrap_err();
    assert!(matches!(ScopeError::of(&error), Some(ScopeError::NoScope(_))), "{error}");
    assert!(deployment.pool.begin().await.is_err());
}

#[tokio::test]
async fn a_suspended_tenant_gets_no_connection_any_more() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    let scope = deployment.scope(1);
    let mut tenant = scope.tenant().clone();
    tenant.status = Status::Suspended;
    deployment.mirror.apply(tenantry_core::Change::Upserted(tenant));
    let error = within(scope, async { sqlx::query("SELECT 1").execute(&deployment.pool).await.unwrap_err() }).await;
    assert!(matches!(ScopeError::of(&error), Some(ScopeError::NotAdmitted(_))), "{error}");
}

#[tokio::test]
async fn a_lease_is_not_for_another_tenant() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    let mut of_acme = within(deployment.scope(1), async { deployment.pool.acquire().await.unwrap() }).await;
    let used = within(deployment.scope(2), async { sqlx::query("SELECT 1").execute(&mut of_acme).await }).await;
    assert!(matches!(ScopeError::of(&used.unwrap_err()), Some(ScopeError::OtherScope { .. })));
    // The lease is the proof where no scope is current.
    assert!(sqlx::query("SELECT 1 FROM notes").execute(&mut of_acme).await.is_ok());
}

#[tokio::test]
async fn a_stream_keeps_the_scope_of_the_call_that_made_it() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    for (id, email) in [(1, "one@example.com"), (2, "two@example.com")] {
        let insert = sqlx::query("INSERT INTO users (email) VALUES (?)").bind(email).execute(&deployment.pool);
        within(deployment.scope(id), insert).await.unwrap();
    }
    let (pool, text) = (&deployment.pool, "SELECT email FROM users");
    let stream = within(deployment.scope(1), async { sqlx::query_scalar::<_, String>(text).fetch(pool) }).await;
    let read = within(deployment.scope(2), stream.try_collect::<Vec<_>>()).await.unwrap();
    assert_eq!(read, ["one@example.com"]);
    // Without any scope it goes on as well.
    let stream = within(deployment.scope(2), async { sqlx::query_scalar::<_, String>(text).fetch(pool) }).await;
    assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap(), ["two@example.com"]);
}

#[tokio::test]
async fn what_is_refused_says_so_to_the_application() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    within(deployment.scope(1), async {
        let pool = &deployment.pool;
        for (text, code) in [
            ("SELECT _tenant FROM notes", Code::Reserved),
            ("SELECT * FROM nowhere", Code::Relation),
            ("PRAGMA writable_schema = ON", Code::Setting),
            ("SELECT ?", Code::Statement),
            ("SELECT 1; SELECT 2", Code::Statement),
            ("BEGIN", Code::Unknown),
        ] {
            let error = sqlx::query(text).execute(pool).await.unwrap_err();
            assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(code), "{text}: {error}");
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some(code.as_str()));
        }
        let error = sqlx::raw_sql("DELETE FROM notes; DROP TABLE notes").execute(pool).await.unwrap_err();
        assert!(ScopeError::of(&error).is_some(), "{error}");
    })
    .await;
}

#[tokio::test]
async fn migrations_reach_every_tenant_and_those_to_come() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    within(deployment.scope(1), async {
        sqlx::query("INSERT INTO tags VALUES ('mine')").execute(&deployment.pool).await.unwrap();
    })
    .await;
    let rebuild = "
        CREATE TABLE tags_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, length INTEGER NOT NULL);
        INSERT INTO tags_new (name, length) SELECT name, length(name) FROM tags ORDER BY rowid;
        DROP TABLE tags;
        ALTER TABLE tags_new RENAME TO tags;
        UPDATE tags SET name = upper(name) WHERE name LIKE 's%';
        INSERT INTO tags (name, length) VALUES ('third', 5);
    ";
    // As another process would.
    let other = Deployment::open(&deployment.folder, &deployment.admission);
    other.migrate(&migrator(&[NOTES, rebuild])).await.unwrap();
    for (id, expected) in [(1, "1 first,2 SECOND,3 mine,4 third"), (2, "1 first,2 SECOND,3 third")] {
        within(deployment.scope(id), async {
            let text = "SELECT group_concat(id || ' ' || name, ',') FROM (SELECT * FROM tags ORDER BY id)";
            let mut tags: Result<String, _> = sqlx::query_scalar(text).fetch_one(&deployment.pool).await;
            // This pool is told of the new schema within a moment.
            for _ in 0..50 {
                if tags.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    tags = sqlx::query_scalar(text).fetch_one(&deployment.pool).await;
                }
            }
            assert_eq!(tags.unwrap(), expected);
        })
        .await;
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    for broken in [
        "CREATE TABLE more (id INTEGER PRIMARY KEY); INSERT INTO users (id, email) VALUES (1, 'a'), (1, 'b')",
        "ALTER TABLE notes ADD COLUMN more; CREATE VIRTUAL TABLE search USING fts5(title)",
        "CREATE TABLE more (id); SELECT load_extension('x')",
        "UPDATE users SET email = hex(randomblob(8))",
    ] {
        assert!(deployment.migrate(&[NOTES, broken]).await.is_err(), "{broken}");
        within(deployment.scope(1), async {
            let error = sqlx::query("SELECT * FROM more").fetch_all(&deployment.pool).await.unwrap_err();
            assert_eq!(ScopeError::of(&error).and_then(ScopeError::code), Some(Code::Relation), "{error}");
            let columns: i64 = sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('notes')")
                .fetch_one(&deployment.pool)
                .await
                .unwrap();
            assert_eq!(columns, 4);
        })
        .await;
    }
    deployment
        .migrate(&[NOTES, "ALTER TABLE notes ADD COLUMN more REFERENCES users (id) ON DELETE CASCADE"])
        .await
        .unwrap();
}

/// Handlers are moved between threads, and so are the futures they wait for.
#[tokio::test]
async fn what_is_waited_for_may_move_between_threads() {
    const fn moves<F: Future + Send>(future: F) -> F {
        future
    }
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    within(deployment.scope(1), async {
        let pool = &deployment.pool;
        moves(sqlx::query("SELECT 1").fetch_all(pool)).await.unwrap();
        let mut connection = moves(pool.acquire()).await.unwrap();
        moves(sqlx::query("SELECT 1").fetch_all(&mut connection)).await.unwrap();
        let transaction = moves(connection.begin()).await.unwrap();
        moves(transaction.rollback()).await.unwrap();
        let transaction = moves(pool.begin_with("BEGIN IMMEDIATE")).await.unwrap();
        moves(transaction.commit()).await.unwrap();
        moves(pool.begin()).await.unwrap();
    })
    .await;
}
