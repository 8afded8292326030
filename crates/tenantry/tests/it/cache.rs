//! The cache of a deployment, as its configuration says.

use std::{path::Path, time::Duration};

use tenantry::{Status, Tenancy, cache::CacheError, config::Config, within};

use crate::setup::{register, scope};

const MINUTE: Duration = Duration::from_secs(60);

async fn open(folder: &Path, text: &str) -> Tenancy {
    let tenancy = Tenancy::with(Config::parse(text, folder).unwrap()).await.unwrap();
    register(&tenancy, &["acme", "globex"]).await;
    tenancy
}

#[tokio::test]
async fn a_deleted_tenants_cache_goes_and_a_suspended_ones_stays() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = open(folder.path(), "").await;
    let (cache, catalog) = (tenancy.cache(), tenancy.catalog());
    let (acme, globex) = (scope(&tenancy, "acme"), scope(&tenancy, "globex"));
    for scope in [&acme, &globex] {
        within(scope.clone(), cache.set("key", scope.slug().as_str(), MINUTE)).await.unwrap();
    }
    for (scope, status) in [(&acme, Status::Deleting), (&globex, Status::Suspended)] {
        catalog.set_status(scope.id(), status).await.unwrap();
    }
    tenancy.refresh().await.unwrap();
    assert_eq!(within(acme, cache.get::<String>("key")).await.unwrap(), None);
    assert_eq!(within(globex, cache.get::<String>("key")).await.unwrap().as_deref(), Some("globex"));
}

#[tokio::test]
async fn limits_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[cache]\nkey_bytes_max = 3\nvalue_bytes_max = 4\nttl_max = \"1m\"\n[plans.default]\ncache_bytes_max = \"1KiB\"";
    let tenancy = open(folder.path(), text).await;
    let cache = tenancy.cache();
    let work = async {
        cache.set_bytes("abc", "1234", MINUTE).await.unwrap();
        let key = cache.set_bytes("abcd", "1", MINUTE).await;
        assert!(matches!(key, Err(CacheError::KeyTooLong { bytes: 4, max: 3, .. })), "{key:?}");
        let value = cache.set_bytes("abc", "12345", MINUTE).await;
        assert!(matches!(value, Err(CacheError::ValueTooLarge { bytes: 5, max: 4, .. })), "{value:?}");
        let ttl = cache.set_bytes("abc", "1", MINUTE + Duration::from_millis(1)).await;
        assert!(matches!(ttl, Err(CacheError::Ttl { max: MINUTE, .. })), "{ttl:?}");
        // An entry takes some two hundred bytes beside what is in it.
        for key in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
            cache.set_bytes(key, "1234", MINUTE).await.unwrap();
        }
        assert_eq!(cache.get_bytes("abc").await.unwrap(), None, "it made room");
        assert_eq!(cache.get_bytes("j").await.unwrap().as_deref(), Some(&b"1234"[..]));
    };
    within(scope(&tenancy, "acme"), work).await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str, problem: &str| {
        let error = Config::parse(text, folder.path()).unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains("hush"), "{error}");
    };
    refused("cache.url = \"redis://ann:hush@ho st/0\"", "url is not like redis://user:password@host:6379/0");
    refused("cache.url = \"memcached://ann:hush@host\"", "url is neither memory: nor like redis://");
    refused("cache.url = \"memory:hush\"", "url is neither memory: nor like redis://");
    refused("cache.prefix = \"{a}\"", "cache.prefix: it has 1 to 63 letters");
    refused("cache.prefix = \"\"", "cache.prefix: it has 1 to 63 letters");
    refused("cache.value_bytes_max = \"1GiB\"", "cache.value_bytes_max: it has to be below 512MiB");
    refused("cache.retry_after = \"0s\"", "cache.retry_after: it has to be longer than nothing");
    if cfg!(not(feature = "redis")) {
        refused(
            "cache.url = \"redis://ann:hush@host/0\"",
            "cache.url: this build cannot go there; build with the feature redis",
        );
    }
    if cfg!(not(feature = "redis-tls")) {
        refused("cache.url = \"rediss://ann:hush@host/0\"", "build with the feature redis-tls");
    }
}

#[cfg(feature = "redis")]
mod on_redis {
    use redis::AsyncCommands;
    use tenantry::spawn;

    use super::*;

    /// A configuration with the server for tests, and a prefix of its own.
    fn text(folder: &Path) -> String {
        let url = std::env::var("TENANTRY_TEST_REDIS").expect("scripts/redis with cargo nextest run …");
        let prefix: String =
            folder.to_str().unwrap().chars().filter(|c| c.is_ascii_alphanumeric()).rev().take(20).collect();
        format!(
            "[cache]\nurl = \"{url}\"\nprefix = \"{prefix}\"\nresponse_timeout = \"30s\"\nconnect_timeout = \"30s\""
        )
    }

    #[tokio::test]
    async fn two_processes_share_it_and_two_tenants_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let text = text(folder.path());
        let one = open(folder.path(), &text).await;
        let other = Tenancy::with(Config::parse(&text, folder.path()).unwrap()).await.unwrap();
        let (acme, globex) = (scope(&one, "acme"), scope(&other, "globex"));
        within(acme.clone(), one.cache().set("key", "ours", MINUTE)).await.unwrap();
        assert_eq!(within(globex.clone(), other.cache().get::<String>("key")).await.unwrap(), None);
        let seen = within(acme.clone(), other.cache().get::<String>("key")).await.unwrap();
        assert_eq!(seen.as_deref(), Some("ours"));
        within(acme.clone(), other.cache().clear()).await.unwrap();
        assert_eq!(within(acme.clone(), one.cache().get::<String>("key")).await.unwrap(), None);

        let mut redis = one.redis().unwrap();
        let work = async {
            let () = redis.set("key", "raw").await.unwrap();
            let mut redis = redis.clone();
            let kept = spawn(async move { redis.get::<_, String>("key").await }).unwrap();
            assert_eq!(kept.await.unwrap().unwrap(), "raw");
        };
        within(acme, work).await;
        let mut theirs = other.redis().unwrap();
        assert_eq!(within(globex, theirs.get::<_, Option<String>>("key")).await.unwrap(), None);
        assert!(theirs.get::<_, Option<String>>("key").await.unwrap_err().to_string().contains("no tenant scope"));
    }

    #[tokio::test]
    async fn what_is_shown_of_it_has_no_password_and_memory_is_no_server() {
        let folder = tempfile::tempdir().unwrap();
        let text = "cache.url = \"redis://ann:hush@host/0?protocol=nonsense\"";
        let config = Config::parse(text, folder.path()).unwrap();
        assert!(!format!("{config:?}").contains("hush") && config.to_toml().contains("redis://ann@host/0"));
        let error = Tenancy::with(config).await.unwrap_err().to_string();
        assert!(error.contains("cache.url: redis://ann@host/0 has a part") && !error.contains("hush"), "{error}");
        let error = open(folder.path(), "").await.redis().unwrap_err().to_string();
        assert!(error.contains("cache.url: it names no Redis server"), "{error}");
    }
}
