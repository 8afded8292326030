//! Which jobs the workers of this process have, as far as they know.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// For implementations of [`Broker`](super::Broker): which jobs the workers of this process have, as far as they know. Only those have their
/// leases extended.
///
/// The answer to a take may be lost on its way: then the server says that a worker has a job, and the worker does not know. If
/// everything were extended that has the worker's name on it, that job would wait for as long as the worker lives.
#[derive(Debug, Default)]
pub struct Held {
    workers: Mutex<HashMap<String, Jobs>>,
}

/// By id, since when the end of each is to be stored, if it has ended.
type Jobs = HashMap<String, Option<Instant>>;

impl Held {
    /// A worker has got a job.
    pub fn took(&self, worker: &str, id: &str) {
        self.lock().entry(worker.to_owned()).or_default().insert(id.to_owned(), None);
    }

    /// A worker is done with a job, and is about to say so.
    pub fn ends(&self, worker: &str, id: &str) {
        if let Some(ended) = self.lock().get_mut(worker).and_then(|jobs| jobs.get_mut(id)) {
            ended.get_or_insert_with(Instant::now);
        }
    }

    /// The server has been told, or says that the job is not this worker's.
    pub fn ended(&self, worker: &str, id: &str) {
        let mut workers = self.lock();
        if let Some(jobs) = workers.get_mut(worker) {
            jobs.remove(id);
            if jobs.is_empty() {
                workers.remove(worker);
            }
        }
    }

    /// What a worker has. It tries for as long as a lease to tell what became of a job; then the job is given up, and runs again.
    pub fn of(&self, worker: &str, lease: Duration) -> Vec<String> {
        let mut workers = self.lock();
        let Some(jobs) = workers.get_mut(worker) else { return Vec::new() };
        jobs.retain(|_, ended| ended.is_none_or(|ended| ended.elapsed() <= lease));
        jobs.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Jobs>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_held_until_its_end_is_stored_or_given_up() {
        let (held, long) = (Held::default(), Duration::from_secs(3600));
        held.took("w", "a");
        held.took("w", "b");
        assert!(held.of("another", long).is_empty());
        held.ends("w", "a");
        assert_eq!(held.of("w", long).len(), 2, "it is not stored yet");
        held.ended("w", "b");
        assert_eq!(held.of("w", long), ["a"]);
        std::thread::sleep(Duration::from_millis(2));
        assert!(held.of("w", Duration::from_millis(1)).is_empty(), "it is given up");
        assert!(held.of("w", long).is_empty(), "and stays so");
        held.took("w", "c");
        assert_eq!(held.of("w", Duration::ZERO), ["c"], "what runs is held however long it takes");
        held.ended("w", "c");
        assert!(held.lock().is_empty());
    }
}
