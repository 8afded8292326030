//! Jobs on Redis: the suite, and what is particular about it.

use std::sync::Arc;

use tenantry_resource::{
    jobs::{Broker, RedisJobs},
    redis::{RedisOptions, RedisServer},
};
use tenantry_test::resources::{
    World, jobs,
    redis::{options, url},
};

use super::killed;

async fn open(url: &str, options: RedisOptions) -> Arc<RedisJobs> {
    Arc::new(RedisJobs::open(RedisServer::new(url, options).unwrap()).await.unwrap())
}

/// On the server for tests, under a prefix that no other test has.
async fn broker() -> Arc<RedisJobs> {
    open(&url().unwrap(), options()).await
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
