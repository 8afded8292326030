//! Jobs on Redis: the suite, and what is particular about it.

mod faults;
mod shared;
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
    let options = options();
    let place = |_: &World| options.prefix.to_string();
    let open = async |prefix: String| {
        let mut options = options.clone();
        options.prefix = prefix.parse().unwrap();
        open(&url().unwrap(), options).await as Arc<dyn Broker>
    };
    killed::loses_nothing("resources::jobs::redis::a_killed_worker_on_redis_loses_nothing", place, open).await;
}
