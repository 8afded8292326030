//! How often which work without a scope was seen, and how much of that is written.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime},
};

use tenantry_core::{Slug, TenantId, Unscoped};

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Work {
    pub(super) why: Unscoped,
    /// The tenant that it is on, or in whose scope it was begun.
    pub(super) tenant: Option<TenantId>,
}

/// How often it was seen since the last entry.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) times: u64,
    pub(super) since: SystemTime,
    /// What the tenant was called then.
    pub(super) slug: Option<Slug>,
    written: Option<Instant>,
}

/// All of that, no more than so much.
#[derive(Debug)]
pub(super) struct Seen {
    works: HashMap<Work, Times>,
    max: usize,
    every: Duration,
    left_out: u64,
}

impl Seen {
    pub(super) fn new(max: usize, every: Duration) -> Self {
        Self { works: HashMap::new(), max, every, left_out: 0 }
    }

    /// Counts it, and says whether it is to be written at once.
    pub(super) fn add(&mut self, work: Work, slug: impl FnOnce() -> Option<Slug>) -> bool {
        if let Some(known) = self.works.get_mut(&work) {
            if known.times == 0 {
                known.since = SystemTime::now();
            }
            known.times = known.times.saturating_add(1);
            return false;
        }
        if self.works.len() >= self.max {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.works.insert(work, Times { times: 1, since: SystemTime::now(), slug: slug(), written: None });
        true
    }

    /// Those that are to be written.
    pub(super) fn pending(&self, which: Which) -> Vec<Work> {
        let due = |times: &Times| which == Which::All || self.left(times).is_zero();
        let pending = self.works.iter().filter(|(_, times)| times.times > 0 && due(times));
        pending.map(|(work, _)| *work).collect()
    }

    /// How often one of them was seen by now.
    pub(super) fn times(&self, work: &Work) -> Option<Times> {
        self.works.get(work).cloned()
    }

    /// It is written that it was so many times.
    pub(super) fn written(&mut self, work: &Work, times: u64) {
        if let Some(known) = self.works.get_mut(work) {
            known.times = known.times.saturating_sub(times);
            known.written = Some(Instant::now());
            // Those that came while it was written.
            known.since = SystemTime::now();
        }
    }

    /// Forgets what was not seen again, and says when there is something to be written.
    pub(super) fn rest(&mut self) -> Duration {
        let works = std::mem::take(&mut self.works);
        self.works = works.into_iter().filter(|(_, times)| times.times > 0 || !self.left(times).is_zero()).collect();
        self.works.values().map(|times| self.left(times)).min().unwrap_or(self.every)
    }

    /// How much was left out since this was asked the last time.
    pub(super) fn left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }

    fn left(&self, times: &Times) -> Duration {
        times.written.map_or(Duration::ZERO, |written| self.every.saturating_sub(written.elapsed()))
    }
}

/// What is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// All of it, since this is the end.
    All,
    /// What was not written for long enough.
    Due,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(tenant: i64) -> Work {
        Work { why: Unscoped::because("a test"), tenant: Some(TenantId::new(tenant)) }
    }

    fn pending(seen: &Seen, which: Which) -> Vec<(Work, u64)> {
        seen.pending(which).into_iter().map(|work| (work, seen.times(&work).unwrap().times)).collect()
    }

    #[test]
    fn a_place_is_written_once_and_then_counted() {
        let mut seen = Seen::new(10, Duration::from_secs(3600));
        let acme = work(1);
        assert!(seen.add(acme, || None));
        for _ in 0..5 {
            assert!(!seen.add(acme, || None));
        }
        assert_eq!(pending(&seen, Which::Due), [(acme, 6)]);
        seen.written(&acme, 6);
        assert!(!seen.add(acme, || None));
        assert_eq!(pending(&seen, Which::Due), [], "an hour has not passed");
        assert!(seen.rest() > Duration::from_secs(3000));
        assert_eq!(pending(&seen, Which::All), [(acme, 1)]);
    }

    #[test]
    fn what_is_not_seen_again_makes_room() {
        let mut seen = Seen::new(1, Duration::from_nanos(1));
        assert!(seen.add(work(1), || None));
        assert!(!seen.add(work(2), || None));
        assert_eq!((seen.left_out(), seen.left_out()), (1, 0));
        seen.written(&work(1), 1);
        std::thread::sleep(Duration::from_millis(1));
        seen.rest();
        assert!(seen.add(work(2), || None));
    }

    #[test]
    fn what_comes_while_an_entry_is_written_is_in_the_next() {
        let mut seen = Seen::new(10, Duration::from_nanos(1));
        let acme = work(1);
        seen.add(acme, || None);
        let times = seen.times(&acme).unwrap();
        seen.add(acme, || None);
        seen.written(&acme, times.times);
        assert_eq!(pending(&seen, Which::All), [(acme, 1)]);
    }
}
