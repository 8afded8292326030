//! A server that does not answer is left alone for a while.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Whether a server is away. While it is, one call in `every` finds out whether it is back; all others fail at once, so that
/// nobody waits for a server that nobody expects to answer.
pub(super) struct Away {
    start: Instant,
    every: Duration,
    /// When to ask next, in milliseconds since the start; 0 while the server is there.
    next: AtomicU64,
}

impl Away {
    pub(super) fn new(every: Duration) -> Self {
        Self { start: Instant::now(), every, next: AtomicU64::new(0) }
    }

    /// Whether this call may go to the server.
    pub(super) fn may_ask(&self) -> bool {
        let next = self.next.load(Ordering::Acquire);
        if next == 0 {
            return true;
        }
        let now = self.now();
        now >= next && self.next.compare_exchange(next, self.after(now), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The server answered. Says whether it was away.
    pub(super) fn answered(&self) -> bool {
        // Mostly it was there before, and then nothing is written that other threads read.
        self.next.load(Ordering::Acquire) != 0 && self.next.swap(0, Ordering::AcqRel) != 0
    }

    /// The server did not answer. Says whether that is news.
    pub(super) fn failed(&self) -> bool {
        self.next.swap(self.after(self.now()), Ordering::AcqRel) == 0
    }

    fn after(&self, now: u64) -> u64 {
        now.saturating_add(u64::try_from(self.every.as_millis()).unwrap_or(u64::MAX))
    }

    /// Never 0, which says that the server is there.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_away_is_asked_by_one_at_a_time() {
        let away = Away::new(Duration::from_secs(3600));
        assert!(away.may_ask() && !away.answered());
        assert!(away.failed(), "this is news");
        assert!(!away.failed(), "this is not");
        assert!(!away.may_ask());
        assert!(away.answered(), "it is back");
        assert!(away.may_ask() && !away.answered());

        let away = Away::new(Duration::ZERO);
        away.failed();
        assert!(away.may_ask(), "its time has come");
    }
}
