//! Tenants and keys are apart.

use std::{pin::pin, time::Duration};

use tenantry_resource::{
    cache::{Cache, CacheError},
    spawn, spawn_blocking, within, within_sync,
};
use tokio::runtime::Handle;

use super::{Failed, HOSTILE_KEYS, LONG};
use crate::resources::{Two, two};

/// Whatever one tenant does under a key, the other's value is what it was.
pub(super) async fn tenants(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, globex } = two();
    for key in HOSTILE_KEYS {
        within(globex.clone(), cache.set(key, "theirs", LONG)).await?;
        let work = async {
            assert_eq!(cache.get::<String>(key).await?, None, "{key:?} is globex's");
            cache.set(key, &1, LONG).await?;
            assert_eq!(cache.increment(key, 1, LONG).await?, 2);
            cache.delete(key).await?;
            let computed = cache.get_or_compute(key, LONG, || async { Ok::<_, CacheError>(3) }).await?;
            assert_eq!(computed, 3, "{key:?}");
            cache.clear().await
        };
        within(acme.clone(), work).await?;
        let theirs = within(globex.clone(), cache.get::<String>(key)).await?;
        assert_eq!(theirs.as_deref(), Some("theirs"), "{key:?}");
    }
    Ok(())
}

/// No key is another one.
pub(super) async fn keys(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        for key in HOSTILE_KEYS {
            assert_eq!(cache.get::<String>(key).await?, None, "{key:?}");
            cache.set(key, key, LONG).await?;
        }
        for key in HOSTILE_KEYS {
            assert_eq!(cache.get::<String>(key).await?.as_deref(), Some(*key));
        }
        Ok(())
    };
    within(acme, work).await
}

/// Without a scope, nothing is answered and nothing done.
pub(super) async fn no_scope(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    within(acme.clone(), cache.set("key", "ours", LONG)).await?;

    let none = |result: Result<(), CacheError>| assert!(matches!(result, Err(CacheError::NoScope(_))), "{result:?}");
    none(cache.get::<String>("key").await.map(drop));
    none(cache.get_bytes("key").await.map(drop));
    none(cache.set("key", "theirs", LONG).await);
    none(cache.set_bytes("key", "theirs", LONG).await);
    none(cache.delete("key").await);
    none(cache.increment("key", 1, LONG).await.map(drop));
    none(cache.clear().await);
    let mut computed = false;
    let compute = || {
        computed = true;
        async { Ok(String::new()) }
    };
    none(cache.get_or_compute("key", LONG, compute).await.map(drop));
    assert!(!computed, "it computes for nobody");

    let ours = within(acme, cache.get::<String>("key")).await?;
    assert_eq!(ours.as_deref(), Some("ours"));
    Ok(())
}

/// The tenant stays with its work in other tasks and threads, and is not guessed.
#[expect(clippy::disallowed_methods, reason = "a task without a scope is what is tested")]
pub(super) async fn tasks(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, globex } = two();
    within(globex.clone(), cache.set("key", "theirs", LONG)).await?;
    let work = async {
        cache.set("key", "ours", LONG).await?;
        let (kept, lost) = (cache.clone(), cache.clone());
        let kept = spawn(async move { kept.get::<String>("key").await })?.await?;
        assert_eq!(kept?.as_deref(), Some("ours"));
        let lost = tokio::spawn(async move { lost.get::<String>("key").await }).await?;
        assert!(matches!(lost, Err(CacheError::NoScope(_))), "{lost:?}");

        let (runtime, blocking) = (Handle::current(), cache.clone());
        let call = move || runtime.block_on(blocking.get::<String>("key"));
        assert_eq!(spawn_blocking(call)?.await??.as_deref(), Some("ours"));
        Ok::<_, Failed>(())
    };
    within(acme.clone(), work).await?;

    // The scope is that of the call, whoever waits for the answer.
    let called = within_sync(acme, || cache.get::<String>("key"));
    let mut called = pin!(within(globex, called));
    let answer = tokio::time::timeout(Duration::from_secs(60), &mut called).await?;
    assert_eq!(answer?.as_deref(), Some("ours"));
    Ok(())
}
