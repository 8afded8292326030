//! A worker, and what it has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A worker of a queue, as the broker knows it. Clones are the same.
///
/// Only what is held has its lease extended. The answer to a take may be lost on its way: then the broker says that a worker has a
/// job, and the worker does not know. If everything were extended that has the worker's name on it, that job would wait for as
/// long as the worker lives.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) name: Arc<str>,
    held: Arc<Mutex<Vec<Arc<str>>>>,
}

/// A job that a worker has, for as long as this lives.
pub(super) struct Hold {
    worker: Worker,
    pub(super) id: Arc<str>,
}

impl Worker {
    pub(super) fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), held: Arc::default() }
    }

    /// Holds a job that was taken.
    pub(super) fn hold(&self, id: &str) -> Hold {
        let id: Arc<str> = id.into();
        self.lock().push(Arc::clone(&id));
        Hold { worker: self.clone(), id }
    }

    /// The ids of what it has.
    pub(super) fn held(&self) -> Vec<String> {
        self.lock().iter().map(|id| id.to_string()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<str>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// The worker's name.
    pub(super) fn worker(&self) -> &str {
        &self.worker.name
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.worker.lock();
        // A worker may have a job twice, when its lease has ended meanwhile.
        if let Some(at) = held.iter().position(|id| *id == self.id) {
            held.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_held_until_it_is_let_go() {
        let worker = Worker::new("w");
        let [first, other, again] = ["a", "b", "a"].map(|id| worker.hold(id));
        assert_eq!(worker.clone().held(), ["a", "b", "a"]);
        assert!(Worker::new("w").held().is_empty(), "another one's");
        drop(other);
        drop(first);
        assert_eq!(worker.held(), ["a"], "it is held once more");
        drop(again);
        assert!(worker.held().is_empty());
    }
}
