//! Directories: local users in memory and in SQLite, and on a server that speaks LDAP.

#![cfg_attr(feature = "ldap", expect(clippy::expect_used, clippy::panic, reason = "this is how a test fails"))]

#[cfg(feature = "ldap")]
mod faults;
#[cfg(feature = "ldap")]
mod ldap;
#[cfg(feature = "ldap")]
mod slapd;

use std::{path::Path, sync::Arc, time::Duration};

use tenantry_resource::directory::{MemoryUsers, UserStore};
use tenantry_sqlx::users::SqliteUsers;
use tenantry_test::resources::{
    World,
    directory::{Application, directory, fill, local, two_worlds},
};

async fn sqlite(folder: &Path) -> Arc<SqliteUsers> {
    Arc::new(SqliteUsers::open(folder.join("users.db"), Duration::from_secs(5)).await.unwrap())
}

async fn runs_on(world: &World, store: Arc<dyn UserStore>) {
    let local = local(store);
    fill(world, &local).await;
    directory(world, &Application::new(world, local, 1).directory).await;
}

#[tokio::test]
async fn local_users_in_memory() {
    runs_on(&World::new().await, Arc::new(MemoryUsers::new())).await;
}

#[tokio::test]
async fn local_users_in_sqlite_outlive_the_process() {
    let world = World::new().await;
    let store = sqlite(world.folder()).await;
    runs_on(&world, Arc::<SqliteUsers>::clone(&store)).await;
    store.close().await;
    let again = local(sqlite(world.folder()).await);
    directory(&world, &Application::new(&world, again, 1).directory).await;
}

#[tokio::test]
async fn two_worlds_in_memory() {
    two_worlds(&World::new().await, Arc::new(MemoryUsers::new()), 60).await;
}

#[tokio::test]
async fn two_worlds_in_sqlite() {
    let world = World::new().await;
    two_worlds(&world, sqlite(world.folder()).await, 20).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_and_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::new().await;
    sqlite(world.folder()).await;
    let mode = std::fs::metadata(world.folder().join("users.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_of_something_else_is_left_alone() {
    let world = World::new().await;
    // The catalog's.
    let refused = SqliteUsers::open(world.folder().join("tenantry.db"), Duration::from_secs(5)).await.unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("something else"), "{why}");
}
