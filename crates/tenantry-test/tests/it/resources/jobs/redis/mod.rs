//! Jobs on Redis: the suite, and what is particular about it.

mod faults;
mod store;

use std::sync::Arc;

use tenantry_resource::{
    jobs::{Broker, RedisJobs},
    redis::{RedisOptions, RedisServer},
};
use tenantry_test::resources::{
    World, jobs,
    redis::{OwnRedis, options, url},
};

use super::killed;

async fn open(url: &str, options: RedisOptions) -> Arc<RedisJobs> {
    Arc::new(RedisJobs::open(RedisServer::new(url, options).unwrap()).await.unwrap())
}

/// On the server for tests, under a prefix that no other test has.
async fn broker() -> Arc<RedisJobs> {
    open(&url().unwrap(), options()).await
}

/// A server as its administrator sees it.
async fn admin(server: &OwnRedis) -> redis::aio::MultiplexedConnection {
    redis::Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn set(admin: &mut redis::aio::MultiplexedConnection, key: &str, value: &str) {
    let () = redis::cmd("CONFIG").arg("SET").arg(key).arg(value).query_async(admin).await.unwrap();
}

#[tokio::test]
async fn jobs_on_redis() {
    let broker = broker().await;
    jobs::jobs(Arc::<RedisJobs>::clone(&broker)).await;
    jobs::limits(broker).await;
}

#[tokio::test]
async fn two_worlds_on_redis() {
    jobs::two_worlds(&*broker().await, 20).await;
}

#[tokio::test]
async fn a_killed_worker_on_redis_loses_nothing() {
    let prefix = options().prefix.to_string();
    let test = "resources::jobs::redis::a_killed_worker_on_redis_loses_nothing";
    killed::loses_nothing(test, |_: &World| prefix.clone(), under).await;
}

#[tokio::test]
async fn two_processes_on_redis_never_get_the_same_job() {
    let prefix = options().prefix.to_string();
    let test = "resources::jobs::redis::two_processes_on_redis_never_get_the_same_job";
    killed::side_by_side(test, |_: &World| prefix.clone(), under).await;
}

/// Under the prefix that another process has.
async fn under(prefix: String) -> Arc<dyn Broker> {
    let mut options = options();
    options.prefix = prefix.parse().unwrap();
    open(&url().unwrap(), options).await
}
