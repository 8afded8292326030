//! The mirror follows the catalog, through whatever happens to the file.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, SqliteConnection};
use tenantry_core::{Catalog, Change, Mirror, Status};
use tenantry_sqlx::{FollowOptions, Follower, OpenOptions, SqliteCatalog, follow};

use crate::{Home, new};

#[tokio::test]
async fn everything_is_there_from_the_start() {
    let home = Home::new();
    let catalog = home.open().await;
    for n in 0..1100 {
        let tenant = catalog.create(new(&format!("tenant-{n}"), &[])).await.unwrap();
        if n % 100 == 0 {
            catalog.remove(tenant.id).await.unwrap();
        }
    }
    let mirror = Arc::new(Mirror::new());
    let catalog = Arc::new(catalog);
    let _follower = follow(Arc::<SqliteCatalog>::clone(&catalog), Arc::clone(&mirror), quick()).await.unwrap();
    assert_eq!((mirror.len(), mirror.version()), (1089, catalog.version().await.unwrap()));
}

#[tokio::test]
async fn a_write_of_this_process_is_seen_without_a_poll() {
    let home = Home::new();
    let catalog = Arc::new(home.open().await);
    let mirror = Arc::new(Mirror::new());
    let never = FollowOptions::default().poll(Duration::from_secs(3600));
    let follower = catalog.follow(Arc::clone(&mirror), never.clone()).await.unwrap();
    catalog.create(new("acme", &[])).await.unwrap();
    until("the write is seen", || has(&mirror, "acme")).await;

    let alone = Arc::new(Mirror::new());
    let poller = follow(Arc::<SqliteCatalog>::clone(&catalog), Arc::clone(&alone), never).await.unwrap();
    catalog.create(new("globex", &[])).await.unwrap();
    assert!(!has(&alone, "globex"));
    assert_eq!(poller.catch_up().await.unwrap(), catalog.version().await.unwrap());
    assert!(has(poller.mirror(), "globex"));
    follower.stop().await;
}

#[tokio::test]
async fn a_write_of_another_process_is_seen() {
    let home = Home::new();
    let (mirror, told, _follower) = followed(&home, FollowOptions::default()).await;
    let other = home.open().await;
    let acme = other.create(new("acme", &["shop"])).await.unwrap();
    until("the tenant is there", || has(&mirror, "shop")).await;
    other.set_status(acme.id, Status::Suspended).await.unwrap();
    until("it is suspended", || mirror.by_id(acme.id).unwrap().status == Status::Suspended).await;
    other.remove(acme.id).await.unwrap();
    until("it is gone", || !has(&mirror, "acme") && !has(&mirror, "shop")).await;
    until("all of it is told", || told.lock().unwrap().len() == 3).await;
    assert!(matches!(told.lock().unwrap()[..], [Change::Upserted(_), Change::Upserted(_), Change::Removed { .. }]));
}

#[tokio::test]
async fn without_a_catalog_nothing_starts() {
    let home = Home::new();
    let catalog = Arc::new(home.open().await);
    fs::remove_file(home.path()).unwrap();
    let mirror = Arc::new(Mirror::new());
    let error = follow(catalog, mirror, quick()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the catalog {} is not available", home.path().display()));
}

#[tokio::test]
async fn while_the_file_is_away_tenants_stay_and_one_line_tells() {
    let log = Log::default();
    let _guard = log.install();
    let home = Home::new();
    let (mirror, _, follower) = followed(&home, quick()).await;
    home.open().await.create(new("acme", &[])).await.unwrap();
    until("the tenant is there", || has(&mirror, "acme")).await;
    let away = home.folder().join("away.db");
    fs::rename(home.path(), &away).unwrap();
    until("the outage is told", || log.count("tenants are served as they were last seen") == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(log.count("tenants are served as they were last seen"), 1, "once per outage");
    assert!(has(&mirror, "acme"));
    assert!(follower.catch_up().await.is_err());
    assert!(!home.path().exists(), "nobody makes an empty one");
    fs::rename(&away, home.path()).unwrap();
    until("the recovery is told", || log.count("the catalog can be read again") == 1).await;
    home.open().await.create(new("globex", &[])).await.unwrap();
    until("changes are seen again", || has(&mirror, "globex")).await;
    assert_eq!(log.count("tenants are served"), 1);
}

#[tokio::test]
async fn a_restored_backup_takes_over() {
    let home = Home::new();
    let catalog = Arc::new(home.open().await);
    let mirror = Arc::new(Mirror::new());
    let _follower = catalog.follow(Arc::clone(&mirror), quick()).await.unwrap();
    catalog.create(new("acme", &[])).await.unwrap();
    let backup = backup(&home).await;
    let globex = catalog.create(new("globex", &[])).await.unwrap();
    until("the later tenant is there", || has(&mirror, "globex")).await;
    fs::rename(&backup, home.path()).unwrap();
    until("the later tenant is gone", || !has(&mirror, "globex")).await;
    assert!(has(&mirror, "acme"));
    assert_eq!(catalog.by_id(globex.id).await.unwrap(), None);
    catalog.create(new("initech", &[])).await.unwrap();
    until("writes go to the restored file", || has(&mirror, "initech")).await;
    let slugs: Vec<_> = home.open().await.page(None, 10).await.unwrap().into_iter().map(|t| t.slug).collect();
    assert_eq!(slugs.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["acme", "initech"]);
}

#[tokio::test]
async fn another_catalog_takes_over_though_its_version_is_later() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let other = elsewhere.open().await;
    for n in 0..10 {
        other.create(new(&format!("tenant-{n}"), &[])).await.unwrap();
    }
    other.close().await;
    let catalog = Arc::new(home.open().await);
    catalog.create(new("acme", &[])).await.unwrap();
    let mirror = Arc::new(Mirror::new());
    let told = Told::default();
    let follower = catalog.follow(Arc::clone(&mirror), told.listen(quick())).await.unwrap();
    fs::copy(elsewhere.path(), home.folder().join("copy")).unwrap();
    fs::rename(home.folder().join("copy"), home.path()).unwrap();
    follower.catch_up().await.unwrap();
    assert_eq!((mirror.len(), has(&mirror, "acme"), has(&mirror, "tenant-0")), (10, false, true));
    let told = told.lock().unwrap();
    let acme = told.iter().filter(|change| matches!(change, Change::Removed { .. })).count();
    assert_eq!((acme, told.len()), (1, 11), "acme is told to be gone, though another tenant has its id");
}

#[tokio::test]
async fn a_file_that_is_no_catalog_changes_nothing() {
    let home = Home::new();
    let (mirror, _, follower) = followed(&home, quick()).await;
    home.open().await.create(new("acme", &[])).await.unwrap();
    until("the tenant is there", || has(&mirror, "acme")).await;
    let kept = home.folder().join("kept");
    fs::rename(home.path(), &kept).unwrap();
    for wrong in ["", "no database at all"] {
        let file = home.folder().join("wrong");
        fs::write(&file, wrong).unwrap();
        fs::rename(&file, home.path()).unwrap();
        assert!(follower.catch_up().await.is_err(), "{wrong:?}");
        assert!(has(&mirror, "acme"));
        assert_eq!(fs::read(home.path()).unwrap(), wrong.as_bytes(), "and is not written to");
    }
    fs::rename(kept, home.path()).unwrap();
    follower.catch_up().await.unwrap();
    assert!(has(&mirror, "acme"), "it is the file that it was");
}

#[tokio::test]
async fn while_the_file_is_locked_tenants_stay() {
    let home = Home::new();
    let mirror = Arc::new(Mirror::new());
    let options = OpenOptions::create_if_missing().busy_timeout(Duration::from_millis(50));
    let catalog = Arc::new(SqliteCatalog::open(home.path(), options).await.unwrap());
    let follower = catalog.follow(Arc::clone(&mirror), quick()).await.unwrap();
    let acme = catalog.create(new("acme", &[])).await.unwrap();
    until("the tenant is there", || has(&mirror, "acme")).await;
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", home.path().display())).await.unwrap();
    other.execute("BEGIN EXCLUSIVE; UPDATE catalog SET version = version + 1").await.unwrap();
    assert!(follower.catch_up().await.is_err());
    assert!(has(&mirror, "acme"));
    other.execute("UPDATE tenants SET status = 'suspended', revision = (SELECT version FROM catalog)").await.unwrap();
    other.execute("COMMIT").await.unwrap();
    until("the change is seen", || mirror.by_id(acme.id).unwrap().status == Status::Suspended).await;
}

#[tokio::test]
async fn a_callback_that_panics_does_not_stop_the_mirror() {
    let home = Home::new();
    let catalog = Arc::new(home.open().await);
    let mirror = Arc::new(Mirror::new());
    let panics = quick().on_change(|change| panic!("as a test, at {:?}", change.id()));
    let _follower = catalog.follow(Arc::clone(&mirror), panics).await.unwrap();
    for slug in ["acme", "globex"] {
        catalog.create(new(slug, &[])).await.unwrap();
        until("the change is seen", || has(&mirror, slug)).await;
    }
}

#[tokio::test]
async fn a_follower_that_is_dropped_no_longer_follows() {
    let home = Home::new();
    let (mirror, _, follower) = followed(&home, quick()).await;
    drop(follower);
    home.open().await.create(new("acme", &[])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!has(&mirror, "acme"));
}

#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Change>>>);

impl Told {
    pub(crate) fn listen(&self, options: FollowOptions) -> FollowOptions {
        let told = Arc::clone(&self.0);
        options.on_change(move |change| told.lock().unwrap().push(change.clone()))
    }

    pub(crate) fn lock(&self) -> std::sync::LockResult<std::sync::MutexGuard<'_, Vec<Change>>> {
        self.0.lock()
    }
}

/// What was logged in this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn install(&self) -> impl Drop {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || log.clone()).finish();
        tracing_subscriber::util::SubscriberInitExt::set_default(subscriber)
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn lines_with(&self, levels: [&str; 2]) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        text.lines().filter(|line| levels.iter().any(|level| line.contains(level))).map(str::to_owned).collect()
    }

    pub(crate) fn count(&self, text: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(text).count()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn followed(home: &Home, options: FollowOptions) -> (Arc<Mirror>, Told, Follower) {
    let (mirror, told) = (Arc::new(Mirror::new()), Told::default());
    let catalog = Arc::new(home.open().await);
    let follower = catalog.follow(Arc::clone(&mirror), told.listen(options)).await.unwrap();
    (mirror, told, follower)
}

pub(crate) fn quick() -> FollowOptions {
    FollowOptions::default().poll(Duration::from_millis(10))
}

pub(crate) fn has(mirror: &Mirror, slug: &str) -> bool {
    mirror.by_slug(&slug.parse().unwrap()).is_some()
}

/// A whole copy.
async fn backup(home: &Home) -> std::path::PathBuf {
    let backup = home.folder().join("backup.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", home.path().display())).await.unwrap();
    let query = sqlx::query("VACUUM INTO ?1").bind(as_text(&backup));
    query.execute(&mut connection).await.unwrap();
    backup
}

fn as_text(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) async fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
