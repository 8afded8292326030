//! What a store tells its followers, so that they need not wait for the next poll.

use tokio::sync::watch;

/// The state of a store as far as followers have to know. Any change of it wakes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pulse {
    /// How many times the store was replaced by another one, whose versions mean something else.
    pub(super) replaced: u64,
    /// How many writes were told of: those of this process, and those that the store itself tells of.
    pub(super) told: u64,
}

/// The store's end.
#[derive(Debug, Default)]
pub(super) struct Beat(watch::Sender<Pulse>);

impl Beat {
    /// A follower's end.
    pub(super) fn listen(&self) -> watch::Receiver<Pulse> {
        self.0.subscribe()
    }

    /// Tells of a write.
    pub(super) fn told(&self) {
        self.0.send_modify(|pulse| pulse.told += 1);
    }

    /// Tells that the store is now another one.
    pub(super) fn replaced(&self) {
        self.0.send_modify(|pulse| pulse.replaced += 1);
    }
}
