//! The cache: what takes a while to find out and may be a little old.

use std::time::Duration;

use crate::db::Db;
use crate::models::stats::{self, Stats};

/// What was found out lately, by name.
pub(crate) type Cache = tenantry::cache::Cache;

const STATS: &str = "stats";
const STATS_AGE: Duration = Duration::from_secs(30);

/// The figures, collected at most [`STATS_AGE`] ago.
pub(crate) async fn stats(cache: &Cache, db: &Db) -> anyhow::Result<Stats> {
    cache.get_or_compute(STATS, STATS_AGE, || async { Ok(stats::collect(db).await?) }).await
}

/// Lets the figures be collected anew.
pub(crate) async fn forget_stats(cache: &Cache) {
    cache.delete(STATS).await.unwrap_or_else(|error| tracing::warn!("{error}"));
}
