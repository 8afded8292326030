//! Jobs in SQLite, in PostgreSQL, and on Redis.

mod killed;
#[cfg(feature = "redis")]
mod redis;

use std::{sync::Arc, time::Duration};

use tenantry_resource::jobs::Broker;
use tenantry_sqlx::jobs::SqliteJobs;
use tenantry_test::resources::{World, jobs};

async fn sqlite(folder: &std::path::Path) -> Arc<SqliteJobs> {
    Arc::new(SqliteJobs::open(folder.join("jobs.db"), Duration::from_secs(5)).await.unwrap())
}

#[tokio::test]
async fn jobs_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path()).await;
    jobs::jobs(Arc::<SqliteJobs>::clone(&broker)).await;
    jobs::limits(broker).await;
}

#[tokio::test]
async fn two_worlds_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    jobs::two_worlds(&*sqlite(folder.path()).await, 60).await;
}

#[tokio::test]
async fn a_killed_worker_on_sqlite_loses_nothing() {
    killed::loses_nothing("resources::jobs::a_killed_worker_on_sqlite_loses_nothing", file, in_file).await;
}

#[tokio::test]
async fn two_processes_on_sqlite_never_get_the_same_job() {
    killed::side_by_side("resources::jobs::two_processes_on_sqlite_never_get_the_same_job", file, in_file).await;
}

fn file(world: &World) -> String {
    world.folder().join("jobs.db").display().to_string()
}

async fn in_file(path: String) -> Arc<dyn Broker> {
    Arc::new(SqliteJobs::open(path, Duration::from_secs(5)).await.unwrap())
}

#[cfg(feature = "postgres")]
mod postgres {
    use tenantry_sqlx::jobs::PgJobs;
    use tenantry_test::server::TestDatabase;

    use super::*;

    async fn broker(database: &TestDatabase) -> Arc<PgJobs> {
        Arc::new(PgJobs::open(database.url().parse().unwrap(), Duration::from_secs(10)).await.unwrap())
    }

    #[tokio::test]
    async fn jobs_in_postgres() {
        let database = TestDatabase::new().await.unwrap();
        let broker = broker(&database).await;
        jobs::jobs(Arc::<PgJobs>::clone(&broker)).await;
        jobs::limits(Arc::<PgJobs>::clone(&broker)).await;
        broker.close().await;
    }

    #[tokio::test]
    async fn a_killed_worker_on_postgres_loses_nothing() {
        let database = TestDatabase::new().await.unwrap();
        let place = |_: &World| database.url().to_owned();
        let open = async |place: String| {
            Arc::new(PgJobs::open(place.parse().unwrap(), Duration::from_secs(10)).await.unwrap()) as Arc<dyn Broker>
        };
        killed::loses_nothing("resources::jobs::postgres::a_killed_worker_on_postgres_loses_nothing", place, open)
            .await;
    }

    #[tokio::test]
    async fn two_worlds_in_postgres() {
        let database = TestDatabase::new().await.unwrap();
        let broker = broker(&database).await;
        jobs::two_worlds(&*broker, 20).await;
        broker.close().await;
    }
}
