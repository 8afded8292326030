//! A year in a company's life, with the example application under it: a trial becomes a customer, who moves, is migrated, leaves,
//! and is forgotten. Another tenant is there all the time, and notices nothing.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use notes_suite::people;
use tempfile::TempDir;
use tenantry::{
    Amount, AuditFilter, CatalogStore, Link, NewTenant, OpenOptions, Placement, Slug, Status,
    config::Config,
    control::{
        Changed, Control, Deleted, Erasing, Former, Migrated, Rollout, VerbError,
        archive::{Options, ReadLimits, inspect},
    },
};

use crate::{
    deployment::{Deployment, config, raw},
    setup::register,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_on_sqlite() {
    let migrations = migrations("sqlite");
    let deployment = Deployment::start_shared_with(|config| impatient(config, migrations.path())).await;
    Year::new(deployment, migrations).await.passes().await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_on_postgresql() {
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

    let mut database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    // For the database of its own.
    let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
    admin.execute(AssertSqlSafe(grants)).await.unwrap();
    let migrations = migrations("postgres");
    let change = |config: &mut Config| impatient(config, migrations.path());
    let deployment =
        Deployment::start_on_postgres_behind(&role.url, database.url(), change, async |_, front| front).await;
    Year::new(deployment, migrations).await.passes().await;
}

/// Nobody else's requests have to be waited for.
fn impatient(config: &mut Config, migrations: &Path) {
    config.lifecycle.settle = Duration::from_millis(1500);
    config.database.migrations = Some(migrations.into());
}

/// The application's migrations, in a folder to which later ones come.
fn migrations(database: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/notes/migrations").join(database);
    for file in fs::read_dir(migrations).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

struct Year {
    deployment: Deployment,
    control: Control,
    globex: String,
    migrations: TempDir,
}

impl Year {
    /// A template with a note, and globex with one of its own.
    async fn new(deployment: Deployment, migrations: TempDir) -> Self {
        register(&deployment.tenancy, &["template"]).await;
        let control = deployment.tenancy.control().await.unwrap();
        let mut year = Self { deployment, control, globex: String::new(), migrations };
        for (name, title) in [("template", "Welcome"), ("globex", "Of globex alone")] {
            let mut browser = people::admin(&year.deployment.by_path(name)).await.unwrap();
            browser.click("New note").await.unwrap();
            browser.submit("#note", &[("title", title), ("body", "")]).await.unwrap();
        }
        year.globex = year.seen("globex").await;
        year
    }

    async fn passes(mut self) {
        let initech = slug("initech-2");
        // January: they try it.
        let mut new = NewTenant::new(initech.clone());
        new.expires_at = Some(SystemTime::now() + Duration::from_secs(14 * 24 * 3600));
        let made = self.control.create_from(&slug("template"), new).await.unwrap();
        let id = made.tenant.unwrap().id;
        self.write("Of January").await;

        // February: they stay. Plan and end change, what they have does not.
        let Changed { tenant, .. } = self.control.promote(&initech, &"default".parse().unwrap()).await.unwrap();
        assert_eq!((tenant.id, tenant.expires_at), (id, None));

        // March: they are called something else, and old links still work.
        self.control.rename(&initech, &slug("initrode"), Former::Kept).await.unwrap();
        self.deployment.tenancy.refresh().await.unwrap();
        self.has(&["Welcome", "Of January"]).await;

        // April: a database of their own, while they write; and the next year they come back.
        self.moves(Placement::Dedicated, "Of April").await;
        self.has(&["Welcome", "Of January", "Of April"]).await;
        self.migrates().await;
        self.has(&["Welcome", "Of January", "Of April"]).await;
        self.moves(Placement::Shared, "Of May").await;
        self.has(&["Welcome", "Of January", "Of April", "Of May"]).await;

        // June: what they have, in a file.
        let file = self.deployment.folder.join("initrode.tnt");
        let exported = self.control.export(&slug("initrode"), &file, Options::default()).await.unwrap();
        let looked_at = inspect(fs::File::open(&file).unwrap(), &ReadLimits::default()).unwrap();
        assert_eq!(looked_at, exported);

        // August: they do not pay, and then they do.
        self.control.suspend(&slug("initrode")).await.unwrap();
        self.answers("initrode", "403").await;
        self.control.resume(&slug("initrode"), Deleted::NotYet).await.unwrap();
        self.has(&["Welcome", "Of January", "Of April", "Of May"]).await;

        // October: they leave. Nothing is gone before the time that they were promised.
        self.control.delete(&slug("initrode"), Duration::from_secs(3600)).await.unwrap();
        self.answers("initrode", "410").await;
        let error = self.control.erase(&slug("initrode"), Erasing::WhenDue).await.unwrap_err();
        assert!(matches!(error, VerbError::EraseLater { .. }), "{error:?}");
        let erased = self.control.erase(&slug("initrode"), Erasing::Now).await.unwrap();
        assert_eq!(erased.tenant, None);
        assert!(erased.operation.progress.amounts["rows"].items > 4, "{:?}", erased.operation.progress);
        self.answers("initrode", "404").await;
        self.answers("initech-2", "404").await;

        // December: they come back, with the file.
        let from = fs::File::open(&file).unwrap();
        let back = NewTenant::new(slug("initrode"));
        let (imported, _) = self.control.import(back, from, Options::default()).await.unwrap();
        assert_ne!(imported.tenant.unwrap().id, id, "and are somebody new");
        self.deployment.tenancy.refresh().await.unwrap();
        self.has(&["Welcome", "Of January", "Of April", "Of May"]).await;
        self.write("Of December").await;
        self.has(&["Of May", "Of December"]).await;

        assert_eq!(self.seen("globex").await, self.globex, "nobody else was touched");
        self.all_is_written_down().await;
    }

    /// Somebody writes all the time while the rows move, and again afterwards.
    async fn moves(&self, to: Placement, title: &str) {
        let name = slug("initrode");
        let write = async {
            // A transaction that the fence has come into is refused, and begun again by whoever began it.
            while self.try_to_write(title).await.is_err() {}
        };
        let (moved, ()) = tokio::join!(self.control.move_to(&name, to.clone()), write);
        let moved = moved.unwrap();
        assert_eq!(moved.tenant.unwrap().placement, to);
        assert!(moved.operation.progress.amounts["rows"] != Amount::default());
        self.deployment.tenancy.refresh().await.unwrap();
    }

    /// A later version of the application is on its way, and its migrations come first, while the former one serves.
    async fn migrates(&mut self) {
        let later = "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0";
        fs::write(self.migrations.path().join("20250501000000_pinned.sql"), later).unwrap();
        self.control = self.deployment.tenancy.control().await.unwrap();
        let rollout = Rollout::default();
        let needed = self.control.pending_migrations(&rollout).await.unwrap();
        assert_eq!(needed.shared.iter().map(ToString::to_string).collect::<Vec<_>>(), ["20250501000000 (pinned)"]);
        let report = self.control.migrate(&rollout, |_| {}).await.unwrap();
        assert_eq!((report.shared, &report.paused), (1, &None));
        let own = report.tenants.iter().find(|(tenant, _)| *tenant == slug("initrode"));
        assert!(matches!(own, Some((_, Migrated::Done { migrations: 1, .. }))), "{report:?}");
        let again = self.control.migrate(&rollout, |_| {}).await.unwrap();
        assert!(again.tenants.contains(&(slug("initrode"), Migrated::UpToDate)), "{again:?}");
    }

    async fn write(&self, title: &str) {
        self.try_to_write(title).await.unwrap();
    }

    /// Writes a note as the administrator of the tenant, by its former or its present name.
    async fn try_to_write(&self, title: &str) -> anyhow::Result<()> {
        self.deployment.tenancy.refresh().await?;
        let name = if self.is_there("initech-2").await { "initech-2" } else { "initrode" };
        let mut browser = people::admin(&self.deployment.by_path(name)).await?;
        browser.click("New note").await?;
        let page = browser.submit("#note", &[("title", title), ("body", "")]).await?;
        // Refused is not written.
        anyhow::ensure!(page.status().is_success(), "{}", page.status());
        Ok(())
    }

    async fn is_there(&self, name: &str) -> bool {
        self.deployment.tenancy.catalog().by_slug(&slug(name)).await.unwrap().is_some()
    }

    /// The notes of initrode are these, among others.
    async fn has(&self, titles: &[&str]) {
        self.deployment.tenancy.refresh().await.unwrap();
        let page = self.seen("initrode").await;
        for title in titles {
            assert!(page.contains(title), "{title}: {page}");
        }
        assert!(!page.contains("Of globex alone"), "{page}");
    }

    /// The list of notes that the administrator sees.
    async fn seen(&self, name: &str) -> String {
        let mut browser = people::admin(&self.deployment.by_path(name)).await.unwrap();
        let page = browser.open().await.unwrap();
        // Times are told relatively to now, and each session has a token of its own.
        let lasts = |line: &&str| !line.contains("<time") && !line.contains("csrf_token");
        page.source().lines().filter(lasts).collect::<Vec<_>>().join("\n")
    }

    async fn answers(&self, name: &str, status: &str) {
        self.deployment.tenancy.refresh().await.unwrap();
        let request = format!("GET /t/{name}/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(&raw(self.deployment.address, &request).await[9..12], status);
    }

    /// The log has an entry for everything, and nobody has changed one.
    async fn all_is_written_down(&self) {
        let config = &config(&self.deployment.folder).catalog;
        let catalog = CatalogStore::open(config, OpenOptions::must_exist()).await.unwrap();
        let entries = catalog.audit().entries(0, AuditFilter::All, 1000).await.unwrap();
        let (mut number, mut link) = (0, Link::START);
        for entry in &entries {
            entry.follows(number, &link).unwrap();
            (number, link) = (entry.number, entry.link);
        }
        let statuses =
            |status: Status| entries.iter().filter(|entry| entry.deed.detail.contains(status.as_str())).count();
        assert!(statuses(Status::Suspended) > 0 && statuses(Status::Deleting) > 0);
        for verb in ["exported", "migrated", "migrate done"] {
            assert!(entries.iter().any(|entry| entry.deed.verb == verb), "{verb}");
        }
    }
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}
