//! A server that is stopped, hangs, is replaced, or has no room.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use redis::AsyncCommands;
use tenantry_core::{Code, Refusal};
use tenantry_resource::{
    cache::{Cache, CacheError, CacheLimits},
    redis::{RedisServer, ScopedRedis},
    spawn, within,
};
use tenantry_test::resources::{
    Two,
    redis::{OwnRedis, options},
    two,
};

const MINUTE: Duration = Duration::from_secs(60);

fn cache(server: &OwnRedis, response_timeout: Duration) -> (Cache, ScopedRedis) {
    let mut options = options();
    options.response_timeout = response_timeout;
    let server = RedisServer::new(server.url(), options).unwrap();
    (Cache::on_redis(CacheLimits::default(), server.clone()), ScopedRedis::new(server))
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, CacheError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("tenant acme") && text.contains("cache.url"), "{text}");
    let refusal = Refusal::from(error);
    assert_eq!((refusal.code(), refusal.status().as_u16()), (Code::CacheUnavailable, 503));
    assert_eq!(refusal.public(), "the service is not available right now.");
}

/// Asks until the server is back. It comes back by itself, or the test never ends.
async fn back(cache: &Cache) {
    while cache.get_bytes("anything").await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_server_that_was_stopped_is_an_error_and_recovers_by_itself() {
    let server = OwnRedis::start().unwrap();
    let (cache, mut raw) = cache(&server, Duration::from_secs(30));
    let Two { acme, globex } = two();
    within(acme.clone(), cache.set("key", "ours", MINUTE)).await.unwrap();
    within(globex.clone(), cache.set("key", "theirs", MINUTE)).await.unwrap();
    server.stop().unwrap();

    let away = async {
        unavailable(cache.get::<String>("key").await);
        unavailable(cache.set("key", "ours", MINUTE).await);
        unavailable(cache.delete("key").await);
        unavailable(cache.increment("key", 1, MINUTE).await);
        unavailable(cache.clear().await);
        assert!(raw.get::<_, Option<String>>("key").await.unwrap_err().is_io_error());
        // The application goes on without a cache: each time it computes.
        let count = AtomicU32::new(0);
        for _ in 0..3 {
            let compute = || async { Ok::<_, CacheError>(count.fetch_add(1, Ordering::SeqCst)) };
            cache.get_or_compute("key", MINUTE, compute).await.unwrap();
        }
        assert_eq!(count.load(Ordering::SeqCst), 3);
    };
    within(acme.clone(), away).await;

    server.start_again().unwrap();
    within(acme.clone(), back(&cache)).await;
    for (scope, value) in [(&acme, "ours"), (&globex, "theirs")] {
        let work = async {
            assert_eq!(cache.get::<String>("key").await.unwrap(), None, "it was in memory");
            cache.set("key", value, MINUTE).await.unwrap();
            assert_eq!(cache.get::<String>("key").await.unwrap().as_deref(), Some(value));
        };
        within(scope.clone(), work).await;
    }
}

#[tokio::test]
async fn one_computes_for_all_who_wait_while_the_server_is_away() {
    let server = OwnRedis::start().unwrap();
    let (cache, _) = cache(&server, Duration::from_secs(30));
    server.stop().unwrap();
    let Two { acme, .. } = two();
    let work = async {
        unavailable(cache.get_bytes("key").await);
        let (begun, end) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
        let count = AtomicU32::new(0);
        let ask = || {
            cache.get_or_compute("key", MINUTE, || async {
                begun.notify_one();
                end.notified().await;
                Ok::<_, CacheError>(count.fetch_add(1, Ordering::SeqCst))
            })
        };
        let ended = async {
            begun.notified().await;
            tokio::task::yield_now().await;
            (0..3).for_each(|_| end.notify_one());
            // Whoever came too late to wait computes; each needs to be told that he may end.
            loop {
                end.notify_one();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let (one, two, three) = tokio::select! {
            answers = async { tokio::join!(ask(), ask(), ask()) } => answers,
            () = ended => unreachable!(),
        };
        assert_eq!([one.unwrap(), two.unwrap(), three.unwrap()], [0, 0, 0]);
    };
    within(acme, work).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_an_error_and_its_late_answers_are_nobodys() {
    let server = OwnRedis::start().unwrap();
    let (cache, raw) = cache(&server, Duration::from_millis(200));
    let Two { acme, globex } = two();
    for scope in [&acme, &globex] {
        let work = async {
            back(&cache).await;
            for number in 0..20 {
                let key = number.to_string();
                cache.set(&key, &format!("{}'s {key}", scope.slug()), MINUTE).await.unwrap();
            }
        };
        within(scope.clone(), work).await;
    }
    server.hold().unwrap();
    let away = async {
        // All are sent at once, and their answers come when nobody waits for them any more.
        let asked = (0..20).map(|number| {
            let (cache, mut raw) = (cache.clone(), raw.clone());
            spawn(async move {
                unavailable(cache.get::<String>(&number.to_string()).await);
                raw.get::<_, Option<String>>("key").await.unwrap_err();
            })
            .unwrap()
        });
        for asked in asked.collect::<Vec<_>>() {
            asked.await.unwrap();
        }
        let computed = cache.get_or_compute("0", MINUTE, || async { Ok::<_, CacheError>("computed".to_owned()) });
        assert_eq!(computed.await.unwrap(), "computed");
    };
    within(acme.clone(), away).await;
    server.release().unwrap();
    for scope in [&globex, &acme] {
        let work = async {
            back(&cache).await;
            for number in 0..20 {
                let key = number.to_string();
                // A busy machine may take longer than the time-out; it must not answer with anything else.
                let answer = loop {
                    match cache.get::<String>(&key).await {
                        Ok(answer) => break answer,
                        Err(_) => back(&cache).await,
                    }
                };
                assert_eq!(answer, Some(format!("{}'s {key}", scope.slug())));
            }
        };
        within(scope.clone(), work).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_from_the_start_is_an_error() {
    let server = OwnRedis::start().unwrap();
    let mut options = options();
    options.connect_timeout = Duration::from_millis(200);
    let cache = Cache::on_redis(CacheLimits::default(), RedisServer::new(server.url(), options).unwrap());
    let Two { acme, .. } = two();
    server.hold().unwrap();
    within(acme.clone(), async { unavailable(cache.get_bytes("key").await) }).await;
    server.release().unwrap();
    within(acme, back(&cache)).await;
}

#[tokio::test]
async fn a_server_without_room_is_an_error_and_loses_nothing() {
    let server = OwnRedis::start().unwrap();
    let (cache, _) = cache(&server, Duration::from_secs(30));
    let Two { acme, .. } = two();
    let client = redis::Client::open(server.url()).unwrap();
    let mut admin = client.get_multiplexed_async_connection().await.unwrap();
    let work = async {
        cache.set("counter", &41, MINUTE).await.unwrap();
        let _: () = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("1").query_async(&mut admin).await.unwrap();
        unavailable(cache.set("key", "value", MINUTE).await);
        unavailable(cache.increment("counter", 1, MINUTE).await);
        let computed = cache.get_or_compute("key", MINUTE, || async { Ok::<_, CacheError>(1) }).await;
        assert_eq!(computed.unwrap(), 1, "the application goes on");
        assert_eq!(cache.get::<i64>("counter").await.unwrap(), Some(41));
        let _: () = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("0").query_async(&mut admin).await.unwrap();
        assert_eq!(cache.increment("counter", 1, MINUTE).await.unwrap(), 42);
        let _: () = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("1").query_async(&mut admin).await.unwrap();
        cache.clear().await.unwrap();
        let _: () = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("0").query_async(&mut admin).await.unwrap();
        assert_eq!(cache.get::<i64>("counter").await.unwrap(), None, "a clear needs no room");
        cache.set("counter", &42, MINUTE).await.unwrap();
        // Scripts are gone after this, and loaded again.
        let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut admin).await.unwrap();
        assert_eq!(cache.increment("counter", 1, MINUTE).await.unwrap(), 43);
    };
    within(acme, work).await;
}

#[cfg(feature = "redis-tls")]
#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_an_error() {
    let server = OwnRedis::start().unwrap();
    let url = server.url().replacen("redis:", "rediss:", 1);
    let mut options = options();
    // It waits for the rest of what it takes for a command.
    options.connect_timeout = Duration::from_millis(500);
    let cache = Cache::on_redis(CacheLimits::default(), RedisServer::new(&url, options).unwrap());
    let Two { acme, .. } = two();
    within(acme, async { unavailable(cache.get_bytes("key").await) }).await;
}
