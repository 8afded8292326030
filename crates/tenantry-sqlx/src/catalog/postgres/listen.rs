//! What another process's write wakes: PostgreSQL's NOTIFY, from a connection that does nothing but listen.
//!
//! It only makes things faster. Whoever follows asks at every `catalog.poll` as well, so a connection that was cut, or a
//! pooler that has no LISTEN, costs time and no change.

use std::{sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};

use super::place::Place;
use crate::catalog::pulse::Beat;

/// Wakes the followers on every write, whoever made it, for ever.
pub(super) async fn listen(place: Place, beat: Arc<Beat>) {
    // A pool of one, since the other's are for those who ask and go.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(place.timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        // The follower is who tells of an outage. The pool would, too: that it took long, and that what it got back is cut.
        .acquire_slow_threshold(Duration::MAX)
        .after_release(|_, _| Box::pin(async { Ok(false) }))
        .connect_lazy_with(place.options());
    loop {
        let Err(error) = session(&pool, &beat).await;
        // The follower tells of an outage, once.
        tracing::debug!(%place, %error, "no longer told of changes; asking for them goes on");
        tokio::time::sleep(RETRY).await;
    }
}

/// Listens until the connection is cut.
async fn session(pool: &PgPool, beat: &Beat) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    loop {
        // What happened before the LISTEN, while nobody listened, was told to nobody.
        beat.told();
        if listener.try_recv().await?.is_none() {
            return Err(sqlx::Error::WorkerCrashed);
        }
    }
}

/// What a write notifies.
pub(super) const CHANNEL: &str = "tenantry_catalog";

/// How long it waits before it listens again.
const RETRY: Duration = Duration::from_millis(250);
