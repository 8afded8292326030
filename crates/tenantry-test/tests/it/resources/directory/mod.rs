//! Directories: local users in memory, in SQLite and in PostgreSQL, and on a server that speaks LDAP.

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

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::{Connection, PgConnection};
    use tenantry_resource::directory::{Added, LocalUser};
    use tenantry_sqlx::users::PgUsers;
    use tenantry_test::server::TestDatabase;

    use super::*;

    async fn store(database: &TestDatabase) -> Arc<PgUsers> {
        Arc::new(PgUsers::open(database.url().parse().unwrap(), Duration::from_secs(10)).await.unwrap())
    }

    #[tokio::test]
    async fn local_users_in_postgres_outlive_the_process() {
        let (world, database) = (World::new().await, TestDatabase::new().await.unwrap());
        let first = store(&database).await;
        runs_on(&world, Arc::<PgUsers>::clone(&first)).await;
        first.close().await;
        let second = store(&database).await;
        let again = local(Arc::<PgUsers>::clone(&second));
        directory(&world, &Application::new(&world, again, 1).directory).await;
        second.close().await;
    }

    #[tokio::test]
    async fn two_worlds_in_postgres() {
        let (world, database) = (World::new().await, TestDatabase::new().await.unwrap());
        let store = store(&database).await;
        two_worlds(&world, Arc::<PgUsers>::clone(&store), 10).await;
        store.close().await;
    }

    /// On as many connections as there are.
    #[tokio::test]
    async fn those_who_are_added_at_once_are_no_more_than_there_may_be() {
        let (world, database) = (World::new().await, TestDatabase::new().await.unwrap());
        let (store, tenant) = (store(&database).await, world.scope("acme").id());
        let mut adding = tokio::task::JoinSet::new();
        for number in 0..12 {
            let store = Arc::clone(&store);
            let user = LocalUser {
                name: format!("user{number}"),
                display_name: String::new(),
                mail: None,
                roles: Vec::new(),
                password_hash: String::new(),
            };
            adding.spawn(async move { store.add(tenant, &user, 3).await.unwrap() });
        }
        let added = adding.join_all().await.into_iter().filter(|added| *added == Added::Added).count();
        assert_eq!((added, store.list(tenant, None, 100).await.unwrap().len()), (3, 3));
        store.close().await;
    }

    /// Whoever is there first makes the tables, and nobody stumbles over that.
    #[tokio::test]
    async fn several_processes_may_come_first() {
        let database = TestDatabase::new().await.unwrap();
        let opened = futures_util::future::join_all((0..4).map(|_| store(&database))).await;
        for store in opened {
            store.close().await;
        }
    }

    #[tokio::test]
    async fn tables_of_a_later_version_are_left_alone() {
        let database = TestDatabase::new().await.unwrap();
        store(&database).await.close().await;
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        sqlx::query("UPDATE tenantry_users.layout SET version = 2").execute(&mut connection).await.unwrap();
        let opened = PgUsers::open(database.url().parse().unwrap(), Duration::from_secs(10)).await;
        let why = std::error::Error::source(&opened.unwrap_err()).unwrap().to_string();
        assert!(why.contains("another version"), "{why}");
    }
}
