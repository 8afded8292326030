//! The key with the generation of a tenant's cache.

use std::time::Duration;

use redis::AsyncCommands;
use tenantry_resource::{
    cache::{Cache, CacheError, CacheLimits},
    redis::{RedisOptions, RedisServer},
    within,
};
use tenantry_test::resources::{Two, redis::options, redis::url, two};

const MINUTE: Duration = Duration::from_secs(60);

/// A cache, and the server as its administrator sees it.
async fn cache() -> (Cache, RedisOptions, redis::aio::MultiplexedConnection) {
    let (url, options) = (url().unwrap(), options());
    let cache = Cache::on_redis(CacheLimits::default(), RedisServer::new(&url, options.clone()).unwrap());
    let client = redis::Client::open(url).unwrap();
    (cache, options, client.get_multiplexed_async_connection().await.unwrap())
}

fn key(options: &RedisOptions, tenant: i64, rest: &str) -> String {
    format!("{{{}:{tenant}}}:{rest}", options.prefix)
}

#[tokio::test]
async fn all_keys_of_a_tenant_are_in_one_slot_and_all_expire() {
    let (cache, options, mut server) = cache().await;
    let Two { acme, globex } = two();
    for scope in [&acme, &globex] {
        let work = async {
            for key in ["}a{b}", "a", "{"] {
                cache.set(key, &1, MINUTE).await.unwrap();
            }
            cache.increment("counter", 1, MINUTE).await.unwrap();
            cache.increment("counter", 1, MINUTE).await.unwrap();
            cache.get_or_compute("computed", MINUTE, || async { Ok::<_, CacheError>(1) }).await.unwrap();
        };
        within(scope.clone(), work).await;
    }
    let keys: Vec<Vec<u8>> = server.keys(format!("{{{}:*", options.prefix)).await.unwrap();
    assert_eq!(keys.len(), 12, "five values and a generation for each");
    let tagged = |tenant| format!("{{{}:{tenant}}}:", options.prefix).into_bytes();
    for key in keys {
        // What is between the first braces decides on the slot.
        assert!(key.starts_with(&tagged(1)) || key.starts_with(&tagged(11)));
        let left: i64 = server.pttl(&key).await.unwrap();
        assert!(left > 0, "{} stays for ever", String::from_utf8_lossy(&key));
    }
}

#[tokio::test]
async fn an_evicted_generation_does_not_bring_old_values_back() {
    let (cache, options, mut server) = cache().await;
    let Two { acme, .. } = two();
    let generation = key(&options, 1, "g");
    let work = async {
        cache.set("key", "first", MINUTE).await.unwrap();
        cache.clear().await.unwrap();
        cache.set("other", "second", MINUTE).await.unwrap();
        let _: () = server.del(&generation).await.unwrap();
        for key in ["key", "other"] {
            assert_eq!(cache.get::<String>(key).await.unwrap(), None, "nobody knows of which generation it is");
        }
        cache.set("third", "third", MINUTE).await.unwrap();
        for key in ["key", "other"] {
            assert_eq!(cache.get::<String>(key).await.unwrap(), None);
            assert_eq!(cache.increment(key, 1, MINUTE).await.unwrap(), 1);
        }
        assert_eq!(cache.get::<String>("third").await.unwrap().as_deref(), Some("third"));

        // The same while something is computed: neither a generation that is gone nor a new one is its own.
        for clear in [false, true] {
            let compute = || async {
                let mut server = server.clone();
                let _: () = server.del(&generation).await.unwrap();
                if clear {
                    cache.clear().await?;
                    let _: () = server.del(&generation).await.unwrap();
                }
                Ok::<_, CacheError>("old".to_owned())
            };
            assert_eq!(cache.get_or_compute("computed", MINUTE, compute).await.unwrap(), "old");
            assert_eq!(cache.get::<String>("computed").await.unwrap(), None);
            cache.set("another", &1, MINUTE).await.unwrap();
            assert_eq!(cache.get::<String>("computed").await.unwrap(), None);
        }
    };
    within(acme, work).await;
}

#[tokio::test]
async fn a_generation_lives_as_long_as_what_was_written_in_it() {
    let (_, options, mut server) = cache().await;
    let Two { acme, .. } = two();
    let mut limits = CacheLimits::default();
    limits.ttl_max = MINUTE;
    let cache = Cache::on_redis(limits, RedisServer::new(&url().unwrap(), options.clone()).unwrap());
    let generation = key(&options, 1, "g");
    let work = async {
        cache.clear().await.unwrap();
        let computed = || async { Ok::<_, CacheError>(1) };
        for by in ["set", "increment", "get_or_compute"] {
            let _: () = server.pexpire(&generation, 5000).await.unwrap();
            match by {
                "set" => cache.set(by, &1, MINUTE).await.unwrap(),
                "increment" => drop(cache.increment(by, 1, MINUTE).await.unwrap()),
                _ => drop(cache.get_or_compute(by, MINUTE, computed).await.unwrap()),
            }
            let left: i64 = server.pttl(&generation).await.unwrap();
            assert!(left > 5000, "after {by} it lives for {left} ms more");
        }
    };
    within(acme, work).await;
}

#[tokio::test]
async fn the_keys_of_two_processes_with_prefixes_of_their_own_do_not_meet() {
    let ((one, ..), (other, ..)) = (cache().await, cache().await);
    let Two { acme, .. } = two();
    let work = async {
        one.set("key", "one's", MINUTE).await.unwrap();
        assert_eq!(other.get::<String>("key").await.unwrap(), None);
        other.clear().await.unwrap();
        assert_eq!(one.get::<String>("key").await.unwrap().as_deref(), Some("one's"));
    };
    within(acme, work).await;
}

#[tokio::test]
async fn what_is_written_after_another_process_has_cleared_is_seen() {
    let (url, options) = (url().unwrap(), options());
    let [one, other] = [(); 2]
        .map(|()| RedisServer::new(&url, options.clone()).unwrap())
        .map(|s| Cache::on_redis(CacheLimits::default(), s));
    let Two { acme, .. } = two();
    let work = async {
        for round in 0..3 {
            one.set("key", &round, MINUTE).await.unwrap();
            other.clear().await.unwrap();
            assert_eq!(one.get::<i32>("key").await.unwrap(), None);
            // This process knew the generation that is over, and that the server has none now.
            one.set("key", &round, MINUTE).await.unwrap();
            assert_eq!(other.get::<i32>("key").await.unwrap(), Some(round));
            other.clear().await.unwrap();
            other.set("other", &round, MINUTE).await.unwrap();
            // Now the server has another one.
            one.set("key", &round, MINUTE).await.unwrap();
            for process in [&one, &other] {
                assert_eq!(process.get::<i32>("key").await.unwrap(), Some(round));
                assert_eq!(process.get::<i32>("other").await.unwrap(), Some(round));
            }
        }
    };
    within(acme, work).await;
}
