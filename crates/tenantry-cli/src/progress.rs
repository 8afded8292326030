//! How far long work is, for whoever watches a terminal: a bar with the step, the count, the rate and the time that is left.

use std::{
    fmt,
    io::{self, IsTerminal, Read},
    time::Duration,
};

use indicatif::{HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};
use tenantry::{Listener, News};

use crate::output::Output;

/// A bar on stderr; none where nobody watches: for programs, and where stderr is no terminal. It is gone when the work ends.
#[derive(Clone)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(crate) fn new(output: Output) -> Self {
        if output == Output::Json || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let bar = bar.with_style(style(STEP)).with_finish(ProgressFinish::AndClear);
        // So that time goes by while a step has nothing to tell.
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// What the work itself tells.
    pub(crate) fn listener(&self) -> Listener {
        let Self(Some(bar)) = self else { return Listener::default() };
        let bar = bar.clone();
        Listener::new(move |news| match news {
            News::Step { name, number, of } => {
                begin(&bar, if of > 1 { format!("{name} ({number}/{of})") } else { name.to_owned() });
            }
            News::Expected(items) => expect(&bar, items, COUNTED),
            News::Done(items) => {
                count(&bar);
                bar.inc(items);
            }
            _ => {}
        })
    }

    /// Work that has no steps begins.
    pub(crate) fn begin(&self, name: &str) {
        if let Self(Some(bar)) = self {
            begin(bar, name.to_owned());
        }
    }

    /// So many items are done, of this many in all.
    pub(crate) fn at(&self, done: u64, of: u64) {
        let Self(Some(bar)) = self else { return };
        if bar.length() != Some(of) {
            expect(bar, of, COUNTED);
        }
        bar.set_position(done);
    }

    /// So many items are done.
    pub(crate) fn done(&self, items: u64) {
        if let Self(Some(bar)) = self {
            count(bar);
            bar.set_position(items);
        }
    }

    /// Says something more beside the name of the step.
    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if let Self(Some(bar)) = self {
            bar.set_prefix(what());
        }
    }

    /// Counts the bytes that are read of so many. Whoever tells steps meanwhile does not tell items.
    pub(crate) fn reading<R: Read + Send + 'static>(&self, from: R, bytes: Option<u64>) -> Box<dyn Read + Send> {
        match self {
            Self(Some(bar)) => Box::new(Reading { from, bar: bar.clone(), bytes, so_far: 0 }),
            Self(None) => Box::new(from),
        }
    }

    /// The work has ended, and the line is free.
    pub(crate) fn end(&self) {
        if let Self(Some(bar)) = self {
            bar.finish_and_clear();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

struct Reading<R> {
    from: R,
    bar: ProgressBar,
    bytes: Option<u64>,
    so_far: u64,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.so_far += read as u64;
        if let Some(bytes) = self.bytes
            && self.bar.length().is_none()
        {
            expect(&self.bar, bytes, BYTES);
        }
        self.bar.set_position(self.so_far);
        Ok(read)
    }
}

/// The bar is for another step, of which nobody knows yet how much it is.
fn begin(bar: &ProgressBar, name: String) {
    bar.unset_length();
    bar.set_style(style(STEP));
    bar.reset();
    bar.set_prefix("");
    bar.set_message(name);
    bar.tick();
}

/// The first items of a step have come, and nobody has said how many there will be.
fn count(bar: &ProgressBar) {
    if bar.length().is_none() && bar.position() == 0 {
        bar.set_style(style(OPEN));
    }
}

fn expect(bar: &ProgressBar, items: u64, with: &str) {
    bar.set_style(style(with));
    bar.set_length(items);
}

fn style(template: &str) -> ProgressStyle {
    // The templates are below, and a test reads them.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    // Nobody reads what comes after the point.
    let rate = |state: &ProgressState, to: &mut dyn fmt::Write| {
        write!(to, "{}/s", HumanFloatCount(state.per_sec().round())).unwrap_or_default();
    };
    style.with_key("rate", rate).progress_chars("=> ")
}

/// While there is nothing to count.
const STEP: &str = "{spinner} {msg} {elapsed}";

/// While nobody knows how much it is.
const OPEN: &str = "{spinner} {msg} {prefix} {human_pos}, {rate}, {elapsed}";

const COUNTED: &str = "{msg} [{wide_bar}] {human_pos}/{human_len} {prefix} {rate}, {eta} left";

const BYTES: &str = "{msg} [{wide_bar}] {bytes}/{total_bytes} {prefix} {bytes_per_sec}, {eta} left";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_can_be_read() {
        for template in [STEP, OPEN, COUNTED, BYTES] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
