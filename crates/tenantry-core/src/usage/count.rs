//! What is counted.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::Amounts;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Count {
    /// Bytes of requests' bodies.
    BytesReceived,
    /// Bytes of answers' bodies.
    BytesSent,
    /// Bytes of uploads that were stored.
    BytesUploaded,
    /// Nanoseconds in which the application worked on requests, without those in which it waited: about the time of a
    /// processor, what databases do for it left out.
    HandlingNanos,
    /// Jobs that are done.
    JobsDone,
    /// Attempts of jobs that failed.
    JobsFailed,
    /// Jobs that were queued.
    JobsQueued,
    /// Requests and statements that were refused.
    Refusals,
    /// Nanoseconds that requests took, from their heads to the ends of their answers.
    RequestNanos,
    /// Requests that were let in.
    Requests,
    /// Rows that statements have inserted, changed and deleted.
    RowsChanged,
    /// Rows that statements have given.
    RowsRead,
    /// Nanoseconds that statements took, the way of their rows to the application included.
    StatementNanos,
    /// Statements for the database.
    Statements,
}

impl Count {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::BytesReceived,
        Self::BytesSent,
        Self::BytesUploaded,
        Self::HandlingNanos,
        Self::JobsDone,
        Self::JobsFailed,
        Self::JobsQueued,
        Self::Refusals,
        Self::RequestNanos,
        Self::Requests,
        Self::RowsChanged,
        Self::RowsRead,
        Self::StatementNanos,
        Self::Statements,
    ];

    /// What it is called where it is stored, and by the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BytesReceived => "bytes_received",
            Self::BytesSent => "bytes_sent",
            Self::BytesUploaded => "bytes_uploaded",
            Self::HandlingNanos => "handling_nanos",
            Self::JobsDone => "jobs_done",
            Self::JobsFailed => "jobs_failed",
            Self::JobsQueued => "jobs_queued",
            Self::Refusals => "refusals",
            Self::RequestNanos => "request_nanos",
            Self::Requests => "requests",
            Self::RowsChanged => "rows_changed",
            Self::RowsRead => "rows_read",
            Self::StatementNanos => "statement_nanos",
            Self::Statements => "statements",
        }
    }
}

/// What a tenant has used since the process began. Counting is cheap, and never waits.
#[derive(Debug, Default)]
pub struct Usage {
    counts: [AtomicU64; Count::ALL.len()],
    /// How much of that was taken.
    taken: [AtomicU64; Count::ALL.len()],
    latencies: [AtomicU64; Usage::LATENCY_BOUNDS.len() + 1],
}

impl Usage {
    /// The upper bounds by which [`Usage::took`] sorts: those that Prometheus' libraries have by default.
    pub const LATENCY_BOUNDS: [Duration; 11] = [
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_millis(1000),
        Duration::from_millis(2500),
        Duration::from_millis(5000),
        Duration::from_millis(10_000),
    ];

    /// Counts so much more.
    pub fn add(&self, what: Count, more: u64) {
        self.counts[what as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// Counts that something took so long.
    pub fn add_time(&self, what: Count, time: Duration) {
        self.add(what, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How much was counted.
    pub fn get(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }

    /// Counts a request that took so long, from its head to the end of its answer.
    pub fn took(&self, latency: Duration) {
        self.add(Count::Requests, 1);
        self.add_time(Count::RequestNanos, latency);
        let bucket = Self::LATENCY_BOUNDS.partition_point(|bound| *bound < latency);
        self.latencies[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests took at most as long as each of [`Usage::LATENCY_BOUNDS`] and longer than the one before; last, how
    /// many took longer than all.
    pub fn latencies(&self) -> [u64; Self::LATENCY_BOUNDS.len() + 1] {
        std::array::from_fn(|bucket| self.latencies[bucket].load(Ordering::Relaxed))
    }

    /// How long all requests together took.
    pub fn latency(&self) -> Duration {
        Duration::from_nanos(self.get(Count::RequestNanos))
    }

    /// What was counted since it was taken last. For one that takes: two at once may both get the same.
    pub fn take(&self) -> Amounts {
        let mut more = Amounts::default();
        for what in Count::ALL {
            let (now, taken) = (self.get(what), &self.taken[what as usize]);
            more.set(what, now.saturating_sub(taken.swap(now, Ordering::Relaxed)));
        }
        more
    }

    /// Whether everything was taken.
    pub(super) fn is_taken(&self) -> bool {
        Count::ALL.iter().all(|what| self.get(*what) == self.taken[*what as usize].load(Ordering::Relaxed))
    }

    /// Counts what another one has counted.
    pub(super) fn add_all(&self, other: &Self) {
        for what in Count::ALL {
            self.add(what, other.get(what));
        }
        for (bucket, more) in self.latencies.iter().zip(other.latencies()) {
            bucket.fetch_add(more, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_has_a_place_and_a_name_of_its_own() {
        assert!(Count::ALL.iter().enumerate().all(|(place, count)| *count as usize == place));
        assert_eq!(Count::ALL.map(Count::as_str).into_iter().collect::<HashSet<_>>().len(), Count::ALL.len());
    }

    #[test]
    fn what_is_taken_is_not_taken_again() {
        let usage = Usage::default();
        usage.add(Count::Statements, 3);
        assert_eq!(usage.take().get(Count::Statements), 3);
        assert!(usage.is_taken() && usage.take().is_nothing());
        usage.add(Count::Statements, 1);
        assert!(!usage.is_taken());
        assert_eq!((usage.take().get(Count::Statements), usage.get(Count::Statements)), (1, 4));
    }

    #[test]
    fn latencies_are_sorted_by_their_bounds() {
        let usage = Usage::default();
        for millis in [0, 5, 6, 10_000, 10_001] {
            usage.took(Duration::from_millis(millis));
        }
        assert_eq!(usage.latencies(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((usage.get(Count::Requests), usage.latency()), (5, Duration::from_millis(20_012)));
    }
}
