//! The cache: what takes a while to find out and may be a little old.

use std::time::Duration;

use anyhow::anyhow;

use crate::db::Db;
use crate::models::stats::{self, Stats};

/// What was found out lately, by name.
pub(crate) type Cache = moka::future::Cache<&'static str, Stats>;

const STATS: &str = "stats";
const STATS_AGE: Duration = Duration::from_secs(30);

/// Makes a cache with nothing in it.
pub(crate) fn new() -> Cache {
    Cache::builder().time_to_live(STATS_AGE).build()
}

/// The figures, collected at most [`STATS_AGE`] ago.
pub(crate) async fn stats(cache: &Cache, db: &Db) -> anyhow::Result<Stats> {
    let stats = cache.try_get_with(STATS, stats::collect(db)).await;
    stats.map_err(|error| anyhow!("cannot collect the figures: {error}"))
}

/// Lets the figures be collected anew.
pub(crate) async fn forget_stats(cache: &Cache) {
    cache.invalidate(STATS).await;
}
