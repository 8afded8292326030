//! Values that are computed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tenantry_resource::{
    cache::{Cache, CacheError},
    current, spawn, within, within_sync,
};
use tokio::sync::Notify;

use super::{Failed, LONG};
use crate::resources::{Two, two};

/// A computation that says when it has begun, and ends when it is told to.
#[derive(Clone, Default)]
struct Slow {
    count: Arc<AtomicUsize>,
    begun: Arc<Notify>,
    end: Arc<Notify>,
}

impl Slow {
    async fn run<T>(self, value: T) -> Result<T, CacheError> {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        self.end.notified().await;
        Ok(value)
    }
}

/// However many ask, one computes; for each tenant, and for each key.
pub(super) async fn once(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, globex } = two();
    let slow = [Slow::default(), Slow::default(), Slow::default()];
    let asked = [(&acme, "key"), (&acme, "other key"), (&globex, "key")];
    let mut tasks = Vec::new();
    for (which, ((scope, key), slow)) in asked.into_iter().zip(&slow).enumerate() {
        for _ in 0..20 {
            let (cache, slow) = (cache.clone(), slow.clone());
            let asking = async move { cache.get_or_compute(key, LONG, || slow.run(which)).await };
            let task = within(scope.clone(), async { spawn(asking) }).await?;
            tasks.push((which, task));
        }
    }
    for slow in &slow {
        slow.begun.notified().await;
        // Enough for all who would compute, so that the count tells.
        (0..20).for_each(|_| slow.end.notify_one());
    }
    for (which, task) in tasks {
        assert_eq!(task.await??, which);
    }
    let counts = slow.each_ref().map(|slow| slow.count.load(Ordering::SeqCst));
    assert_eq!(counts, [1, 1, 1]);
    Ok(())
}

/// An error is not kept; and after one, a panic, or a computation that is dropped, the next one computes.
pub(super) async fn failing(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        #[derive(Debug)]
        struct Broken;

        impl From<CacheError> for Broken {
            fn from(_: CacheError) -> Self {
                Self
            }
        }

        let broken = cache.get_or_compute("key", LONG, || async { Err::<u8, _>(Broken) }).await;
        assert!(broken.is_err());
        assert_eq!(cache.get_bytes("key").await?, None);

        for end in ["a panic", "an abort"] {
            let (slow, waiting) = (Slow::default(), Slow::default());
            let (first, cache_of_first) = (slow.clone(), cache.clone());
            let first = spawn(async move {
                let compute = || async {
                    let value = first.run(1).await?;
                    assert!(value > 1, "this is the panic");
                    Ok::<_, CacheError>(value)
                };
                cache_of_first.get_or_compute("key", LONG, compute).await
            })?;
            slow.begun.notified().await;
            let (second, cache_of_second) = (waiting.clone(), cache.clone());
            let second = spawn(async move { cache_of_second.get_or_compute("key", LONG, || second.run(2)).await })?;
            match end {
                "a panic" => slow.end.notify_one(),
                _ => first.abort(),
            }
            assert!(first.await.is_err(), "{end}");
            waiting.begun.notified().await;
            waiting.end.notify_one();
            assert_eq!(second.await??, 2, "after {end}");
            assert_eq!(cache.get("key").await?, Some(2));
            cache.delete("key").await?;
        }
        Ok(())
    };
    within(acme, work).await
}

/// What was computed from before a clear is not seen after it.
pub(super) async fn cleared(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        let (before, after) = (Slow::default(), Slow::default());
        let (first, cache_of_first) = (before.clone(), cache.clone());
        let first =
            spawn(async move { cache_of_first.get_or_compute("key", LONG, || first.run("old".to_owned())).await })?;
        before.begun.notified().await;
        cache.clear().await?;

        // Who comes now does not wait for what began before.
        let (second, cache_of_second) = (after.clone(), cache.clone());
        let second =
            spawn(async move { cache_of_second.get_or_compute("key", LONG, || second.run("new".to_owned())).await })?;
        after.begun.notified().await;
        before.end.notify_one();
        assert_eq!(first.await??, "old", "its own caller gets it");
        assert_eq!(cache.get::<String>("key").await?, None, "nobody else");
        after.end.notify_one();
        assert_eq!(second.await??, "new");
        assert_eq!(cache.get::<String>("key").await?.as_deref(), Some("new"));
        Ok(())
    };
    within(acme, work).await
}

/// What was computed from before a value was deleted or written does not take its place.
pub(super) async fn overtaken(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        for (by, left) in [("delete", None), ("set", Some(2)), ("increment", Some(3))] {
            cache.delete("key").await?;
            let slow = Slow::default();
            let (computing, cache_of_task) = (slow.clone(), cache.clone());
            let task = spawn(async move { cache_of_task.get_or_compute("key", LONG, || computing.run(1)).await })?;
            slow.begun.notified().await;
            match by {
                "delete" => cache.delete("key").await?,
                "set" => cache.set("key", &2, LONG).await?,
                _ => drop(cache.increment("key", 3, LONG).await?),
            }
            slow.end.notify_one();
            assert_eq!(task.await??, 1, "its own caller gets it");
            assert_eq!(cache.get("key").await?, left, "overtaken by a {by}");
        }
        Ok(())
    };
    within(acme, work).await
}

/// It computes in the scope of the call, whichever is current when it is waited for.
pub(super) async fn scoped(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, globex } = two();
    let compute = || async {
        let slug = current().map(|scope| scope.slug().to_string());
        slug.map_err(CacheError::from)
    };
    let called = within_sync(acme, || cache.get_or_compute("key", LONG, compute));
    assert_eq!(within(globex, called).await?, "acme");
    Ok(())
}
