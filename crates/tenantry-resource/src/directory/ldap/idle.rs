//! Connections between two conversations.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::connection::Connection;

/// Connections that nobody uses; each is closed when it was unused for too long.
#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// The one that was used last is at the end.
    connections: Vec<(Instant, Connection)>,
    /// Whether the task that closes them runs.
    swept: bool,
}

impl Idle {
    /// The connection that was used last.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut waiting = self.lock();
        loop {
            let (_, mut connection) = waiting.connections.pop()?;
            if !connection.is_closed() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next conversation.
    #[expect(clippy::disallowed_methods, reason = "the connections of one tenant, which are closed without a scope")]
    pub(super) fn put(self: &Arc<Self>, connection: Connection, idle: Duration) {
        let mut waiting = self.lock();
        waiting.connections.push((Instant::now(), connection));
        if !waiting.swept {
            waiting.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self), idle));
        }
    }

    /// Closes them all: they are as dead as one of them was.
    pub(super) fn clear(&self) {
        let dead = std::mem::take(&mut self.lock().connections);
        drop(dead);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs while there are any; and not when they are gone with their server.
async fn sweep(idle: Weak<Idle>, unused: Duration) {
    loop {
        tokio::time::sleep(unused.max(Duration::from_millis(10))).await;
        let Some(idle) = idle.upgrade() else { return };
        let mut waiting = idle.lock();
        waiting.connections.retain(|(since, _)| since.elapsed() < unused);
        if waiting.connections.is_empty() {
            waiting.swept = false;
            return;
        }
    }
}
