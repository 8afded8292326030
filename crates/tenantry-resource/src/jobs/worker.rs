//! A worker, and what it has.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::broker::Held;

/// A worker of a queue. Clones are the same.
///
/// The broker knows it by the names of its attempts, each of which is new: a word about one of them that is late, since its answer
/// was lost, ends no other.
///
/// Only what is held has its lease extended. The answer to a take may be lost on its way: then the broker says that somebody has a
/// job, and nobody knows. If everything were extended that the worker has taken, that job would wait for as long as the worker lives.
#[derive(Clone)]
pub(super) struct Worker {
    name: Arc<str>,
    takes: Arc<AtomicU64>,
    held: Arc<Mutex<Vec<Arc<Held>>>>,
}

/// A job that a worker has, for as long as this lives.
pub(super) struct Hold {
    worker: Worker,
    held: Arc<Held>,
}

impl Worker {
    /// A worker whose name no other has.
    pub(super) fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), takes: Arc::default(), held: Arc::default() }
    }

    /// The name of its next attempt.
    pub(super) fn next_take(&self) -> String {
        format!("{}-{}", self.name, self.takes.fetch_add(1, Ordering::Relaxed))
    }

    /// Holds a job that was taken.
    pub(super) fn hold(&self, held: Held) -> Hold {
        let held = Arc::new(held);
        self.lock().push(Arc::clone(&held));
        Hold { worker: self.clone(), held }
    }

    /// What it has.
    pub(super) fn held(&self) -> Vec<Held> {
        self.lock().iter().map(|held| Held::clone(held)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// The name of the job.
    pub(super) fn id(&self) -> &str {
        &self.held.id
    }

    /// The name of the attempt.
    pub(super) fn by(&self) -> &str {
        &self.held.by
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.worker.lock();
        // A worker may have a job twice, when its lease has ended meanwhile.
        if let Some(at) = held.iter().position(|held| Arc::ptr_eq(held, &self.held)) {
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
        let hold = |id: &str| worker.hold(Held { id: id.to_owned(), by: worker.next_take() });
        let held = |id: &str, by: &str| Held { id: id.to_owned(), by: by.to_owned() };
        let [first, other, again] = ["a", "b", "a"].map(hold);
        assert_eq!(worker.clone().held(), [held("a", "w-0"), held("b", "w-1"), held("a", "w-2")]);
        assert!(Worker::new("w").held().is_empty(), "another one's");
        drop(other);
        drop(first);
        assert_eq!(worker.held(), [held("a", "w-2")], "it is held once more");
        drop(again);
        assert!(worker.held().is_empty());
    }

    #[test]
    fn clones_take_by_names_of_their_own() {
        let worker = Worker::new("w");
        assert_eq!([worker.next_take(), worker.clone().next_take(), worker.next_take()], ["w-0", "w-1", "w-2"]);
    }
}
