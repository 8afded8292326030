//! How far long work is, for whoever wants to know.

use std::{fmt, sync::Arc};

/// Who is told how far long work is. Nobody unless somebody is named, and then nothing is counted for it either.
///
/// What is told comes from wherever the work is done, once for many items, and nobody waits for who listens: it has to be
/// quick.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Told>>);

type Told = dyn Fn(News<'_>) + Send + Sync;

/// What a listener is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News<'a> {
    /// A step begins, the `number`th of `of`. What was said of another one is over.
    Step {
        /// What it is called.
        name: &'a str,
        /// Which one it is, from 1 on.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// The step has to do with about so many items.
    Expected(u64),
    /// So many more of them are done. It may be more in the end, and some may be done again.
    Done(u64),
}

impl Listener {
    /// This one.
    pub fn new(told: impl Fn(News<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    /// Whether anybody listens.
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Tells it, if it is there.
    pub fn tell(&self, news: News<'_>) {
        if let Some(told) = &self.0 {
            told(news);
        }
    }

    /// So many more items are done.
    pub fn done(&self, items: u64) {
        self.tell(News::Done(items));
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("is_there", &self.is_there()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn whoever_listens_is_told_and_nobody_else() {
        Listener::default().done(1);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        let listener = Listener::new(move |news| hears.lock().unwrap().push(format!("{news:?}")));
        listener.tell(News::Expected(7));
        listener.clone().done(3);
        assert_eq!(*heard.lock().unwrap(), ["Expected(7)", "Done(3)"]);
    }
}
