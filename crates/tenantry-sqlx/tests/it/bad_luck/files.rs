//! Files that are none of ours, and disks that are full.

use tenantry_resource::within;

use super::{ACME, GLOBEX, insert, is_clean, migrations::MORE, narrow, narrow_deployment, raw, titles};
use crate::scoped::{Deployment, NOTES, migrator};

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let deployment = Deployment::with(narrow);
    let file = deployment.folder.path().join("shared.db");
    let text = "this is a letter to somebody, and no database at all. ".repeat(100);
    std::fs::write(&file, &text).unwrap();
    let error = deployment.migrate(&[NOTES]).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    let error = within(deployment.scope(ACME), insert(&deployment.pool, "x")).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    // Once it is out of the way, the same pool works.
    std::fs::remove_file(&file).unwrap();
    deployment.migrate(&[NOTES]).await.unwrap();
    is_clean(&deployment, ACME, &mut 1).await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_their_owner_can_read_the_files() {
    let deployment = narrow_deployment().await;
    within(deployment.scope(3), insert(&deployment.pool, "x")).await.unwrap();
    deployment.is_for_its_owner_alone(&["shared.db", "shared.db-wal", "own/3.db", "own/3.db-wal"]);
}

/// SQLite would make it, and by the umask.
#[tokio::test]
async fn a_file_that_was_removed_is_not_made_again_by_another_connection() {
    let deployment = Deployment::new();
    deployment.migrate(&[NOTES]).await.unwrap();
    let [shared, own] = ["shared.db", "own/3.db"].map(|file| deployment.folder.path().join(file));
    for (tenant, file) in [(ACME, shared), (3, own)] {
        within(deployment.scope(tenant), insert(&deployment.pool, "x")).await.unwrap();
        std::fs::remove_file(&file).unwrap();
        // Until one is needed that was not open before.
        let mut busy = Vec::new();
        let error = loop {
            match within(deployment.scope(tenant), deployment.pool.begin()).await {
                Ok(transaction) => busy.push(transaction),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("unable to open database file"), "{error}");
        assert!(!file.exists(), "{} is there again", file.display());
    }
}

#[tokio::test]
async fn a_database_of_a_later_version_is_left_alone() {
    let deployment = narrow_deployment().await;
    let mut raw = raw(&deployment).await;
    sqlx::raw_sql("UPDATE _tenantry_meta SET layout = 2").execute(&mut raw).await.unwrap();
    let later = deployment.another(narrow);
    let error = within(deployment.scope(ACME), insert(&later, "x")).await.unwrap_err();
    assert!(error.to_string().contains("layout 2"), "{error}");
    let error = later.migrate(&migrator(&[NOTES, MORE])).await.unwrap_err();
    assert!(error.to_string().contains("layout 2"), "{error}");
}

/// A disk of two megabytes, gone at the end of the test. Only root may mount one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn new(at: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted =
            std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(&at).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let filled = std::fs::write(self.0.join("filler"), vec![b'x'; 4 << 20]);
        assert!(filled.is_err(), "the disk is small");
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let home = tempfile::TempDir::new().unwrap();
    let Some(disk) = SmallDisk::new(home.path().join("disk")) else {
        println!("not root: no small disk");
        return;
    };
    let deployment = Deployment::with(|options| {
        narrow(options);
        options.shared = disk.0.join("shared.db");
    });
    deployment.migrate(&[NOTES]).await.unwrap();
    let add = async |tenant: i64, title: &str| within(deployment.scope(tenant), insert(&deployment.pool, title)).await;
    assert_eq!(add(GLOBEX, "kept").await.unwrap(), 1);
    disk.fill();
    within(deployment.scope(GLOBEX), async {
        let pool = &deployment.pool;
        let big = "INSERT INTO notes (title) VALUES (hex(zeroblob(300000)))";
        let error = sqlx::query(big).execute(pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("13"), "{error}");
        // Within a transaction, which SQLite may have undone by itself.
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query("INSERT INTO notes (title) VALUES ('lost')").execute(&mut *transaction).await.ok();
        // What fits into memory fails no earlier than it has to be written.
        sqlx::query(big).execute(&mut *transaction).await.ok();
        assert!(transaction.commit().await.is_err());
        let titles: Vec<String> = sqlx::query_scalar("SELECT title FROM notes").fetch_all(pool).await.unwrap();
        assert_eq!(titles, ["kept"]);
    })
    .await;
    // A new tenant, and a migration.
    add(ACME, "no room").await.unwrap_err();
    let big = "CREATE TABLE big (b); INSERT INTO big VALUES (zeroblob(300000))";
    let error = deployment.migrate(&[NOTES, big]).await.unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    disk.empty();
    assert_eq!(add(GLOBEX, "again").await.unwrap(), 2);
    assert_eq!(add(ACME, "first").await.unwrap(), 1);
    within(deployment.scope(ACME), async {
        let mut transaction = deployment.pool.begin().await.unwrap();
        sqlx::query("INSERT INTO notes (title) VALUES ('second')").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    })
    .await;
    assert_eq!(titles(&deployment, GLOBEX).await, ["kept", "again"]);
    assert_eq!(titles(&deployment, ACME).await, ["first", "second"]);
    deployment.migrate(&[NOTES, "CREATE TABLE small (id)"]).await.unwrap();
}
