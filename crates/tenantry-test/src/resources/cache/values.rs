//! What goes in comes out, as long as it may.

use std::time::Duration;

use tenantry_core::{Code, Refusal};
use tenantry_resource::{
    cache::{Cache, CacheError},
    within,
};

use super::{Failed, LONG};
use crate::resources::{Two, two};

/// Values of all kinds; one that is not of the type that is asked for is an error, and is computed anew.
pub(super) async fn types(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        let value = (1, "text".to_owned(), vec![Some(0.5), None]);
        cache.set("typed", &value, LONG).await?;
        assert_eq!(cache.get("typed").await?, Some(value));

        let bytes: Vec<u8> = (0..=255).collect();
        cache.set_bytes("bytes", bytes.clone(), LONG).await?;
        assert_eq!(cache.get_bytes("bytes").await?.as_deref(), Some(&*bytes));
        cache.set_bytes("bytes", "", LONG).await?;
        assert_eq!(cache.get_bytes("bytes").await?.as_deref(), Some(&b""[..]), "empty is not absent");

        let other = cache.get::<u32>("typed").await;
        assert!(matches!(other, Err(CacheError::Unreadable { .. })), "{other:?}");
        let computed = cache.get_or_compute("typed", LONG, || async { Ok::<u32, CacheError>(7) }).await?;
        assert_eq!((computed, cache.get::<u32>("typed").await?), (7, Some(7)));
        Ok(())
    };
    within(acme, work).await
}

/// A value is gone after its time, and a newer one has a time of its own.
pub(super) async fn expiring(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        let short = Duration::from_millis(20);
        cache.set("short", &1, short).await?;
        cache.set("long", &1, LONG).await?;
        cache.set("longer", &1, short).await?;
        cache.set("longer", &2, LONG).await?;
        cache.increment("counter", 1, short).await?;
        cache.increment("counter", 1, LONG).await?;
        while cache.get::<i32>("short").await?.is_some() || cache.get::<i32>("counter").await?.is_some() {
            tokio::time::sleep(short).await;
        }
        assert_eq!((cache.get("long").await?, cache.get("longer").await?), (Some(1), Some(2)));
        assert_eq!(cache.increment("counter", 1, LONG).await?, 1, "it begins anew");
        cache.set("no time", &1, Duration::from_nanos(1)).await?;
        Ok(())
    };
    within(acme, work).await
}

/// What is too long is refused, with the knob in the message and nothing of the operator's in what a client sees.
pub(super) async fn limits(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let (key_max, value_max, ttl_max) = (1024, 1 << 20, Duration::from_secs(30 * 24 * 60 * 60));
    let refused = |result: Result<(), CacheError>, knob: &str| {
        let Err(error) = result else { return assert_eq!(knob, "nothing is refused") };
        let text = error.to_string();
        assert!(text.contains("tenant acme") && text.contains(knob), "{text}");
        let refusal = Refusal::from(error);
        assert_eq!((refusal.code(), refusal.public().contains("cache")), (Code::CacheRefused, false));
    };
    let work = async {
        let (fits, too_long) = ("k".repeat(key_max), "ä".repeat(key_max / 2 + 1));
        cache.set_bytes(&fits, vec![0; value_max], ttl_max).await?;
        assert_eq!(cache.get_bytes(&fits).await?.map(|value| value.len()), Some(value_max));

        for (key, knob) in [(&*too_long, "cache.key_bytes_max"), ("", "empty")] {
            refused(cache.get::<u8>(key).await.map(drop), knob);
            refused(cache.set(key, &1, LONG).await, knob);
            refused(cache.delete(key).await, knob);
            refused(cache.increment(key, 1, LONG).await.map(drop), knob);
            refused(cache.get_or_compute(key, LONG, || async { Ok(1) }).await.map(drop), knob);
        }
        refused(cache.set_bytes("key", vec![0; value_max + 1], LONG).await, "cache.value_bytes_max");
        for ttl in [Duration::ZERO, ttl_max + Duration::from_nanos(1), Duration::MAX] {
            refused(cache.set("key", &1, ttl).await, "cache.ttl_max");
            refused(cache.increment("key", 1, ttl).await.map(drop), "cache.ttl_max");
            refused(cache.get_or_compute("key", ttl, || async { Ok(1) }).await.map(drop), "cache.ttl_max");
        }
        assert_eq!(cache.get_bytes("key").await?, None);
        let large = || async { Ok::<_, CacheError>("x".repeat(value_max)) };
        assert_eq!(cache.get_or_compute("key", LONG, large).await?.len(), value_max, "computed all the same");
        assert_eq!(cache.get_bytes("key").await?, None, "and not kept");
        Ok(())
    };
    within(acme, work).await
}

/// After a clear, and after this process has given up what it keeps for the tenant, the cache works as before.
pub(super) async fn again(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, globex } = two();
    within(globex.clone(), cache.set("key", "theirs", LONG)).await?;
    let tenant = acme.id();
    let work = async {
        for round in 0..5 {
            cache.clear().await?;
            assert_eq!(cache.get::<i32>("key").await?, None, "round {round}");
            cache.set("key", &round, LONG).await?;
            assert_eq!(cache.get("key").await?, Some(round));
            assert_eq!(cache.increment("counter", 1, LONG).await?, 1, "round {round}");
            cache.evict(tenant);
            cache.set("key", &round, LONG).await?;
            assert_eq!(cache.get("key").await?, Some(round));
        }
        Ok::<_, Failed>(())
    };
    within(acme, work).await?;
    let theirs = within(globex, cache.get::<String>("key")).await?;
    assert_eq!(theirs.as_deref(), Some("theirs"));
    Ok(())
}
