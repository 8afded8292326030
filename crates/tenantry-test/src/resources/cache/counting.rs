//! Counters.

use tenantry_resource::{
    cache::{Cache, CacheError},
    spawn, within,
};

use super::{Failed, LONG};
use crate::resources::{Two, two};

/// Counters are exact in all 64 bits, and stay what they are when they would be more.
pub(super) async fn counters(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        for by in [1, -3, 0, (1 << 53) + 1, 1] {
            let before: i64 = cache.get("counter").await?.unwrap_or_default();
            assert_eq!(cache.increment("counter", by, LONG).await?, before + by);
            assert_eq!(cache.get("counter").await?, Some(before + by));
        }
        for (edge, over) in [(i64::MAX, 1), (i64::MIN, -1)] {
            cache.set("edge", &edge, LONG).await?;
            let overflow = cache.increment("edge", over, LONG).await;
            assert!(matches!(overflow, Err(CacheError::Overflow { .. })), "{overflow:?}");
            assert_eq!(cache.get("edge").await?, Some(edge));
            assert_eq!(cache.increment("edge", -over, LONG).await?, edge - over);
        }
        Ok(())
    };
    within(acme, work).await
}

/// What is no number is not counted, and stays what it is.
pub(super) async fn no_numbers(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        for text in ["", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "\"1\"", "null", "9223372036854775808", "٣"] {
            cache.set_bytes("text", text, LONG).await?;
            let no_number = cache.increment("text", 1, LONG).await;
            assert!(matches!(no_number, Err(CacheError::NotANumber { .. })), "{text:?}: {no_number:?}");
            assert_eq!(cache.get_bytes("text").await?.as_deref(), Some(text.as_bytes()));
        }
        Ok(())
    };
    within(acme, work).await
}

/// No increment gets lost in another.
pub(super) async fn at_once(cache: &Cache) -> Result<(), Failed> {
    let Two { acme, .. } = two();
    let work = async {
        let count = |cache: Cache| async move {
            for _ in 0..50 {
                cache.increment("counter", 1, LONG).await?;
            }
            Ok::<_, CacheError>(())
        };
        let tasks = (0..8).map(|_| spawn(count(cache.clone()))).collect::<Result<Vec<_>, _>>()?;
        for task in tasks {
            task.await??;
        }
        assert_eq!(cache.get("counter").await?, Some(400));
        Ok(())
    };
    within(acme, work).await
}
