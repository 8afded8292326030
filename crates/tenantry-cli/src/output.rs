//! The only place that prints: data on stdout, everything else on stderr.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Stderr, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::failure::Failure;

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// For programs.
    Json,
    /// For people.
    Text,
}

impl Output {
    /// Prints the outcome of a command.
    pub(crate) fn print(self, report: &(impl Serialize + Display)) -> Result<(), Failure> {
        let text = match self {
            Self::Json => serde_json::to_string_pretty(report).map_err(io::Error::from)?,
            Self::Text => plain(&report.to_string()),
        };
        match writeln!(io::stdout().lock(), "{}", text.trim_end_matches('\n')) {
            // Whoever read it has read enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Prints one line of JSON, one of many.
    pub(crate) fn line(line: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(line).map_err(io::Error::from)?;
        match writeln!(io::stdout().lock(), "{text}") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says to people what they can do next.
    pub(crate) fn hint(self, hint: &str) {
        if self == Self::Text {
            say(&format!("hint: {hint}\n"));
        }
    }

    /// Asks a person, who answers on the same line.
    pub(crate) fn ask(question: &str) {
        say(question);
    }

    /// Prints why a command failed.
    pub(crate) fn fail(self, failure: &Failure) -> ExitCode {
        let (code, message, hint, exit) = failure.parts();
        match self {
            Self::Json => say(&format!("{}\n", serde_json::to_string(&Failed { error: failure }).unwrap_or_default())),
            Self::Text => {
                say(&format!("error[{code}]: {message}\n"));
                if let Some(hint) = hint {
                    self.hint(hint);
                }
            }
        }
        ExitCode::from(exit)
    }
}

/// Where a line of the log goes: to stderr, in the place of a bar that may stand there and is drawn again below.
pub(crate) fn log() -> Stderr {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // There is nobody left to tell when it is closed.
        stderr.write_all(b"\r\x1b[2K").ok();
    }
    stderr
}

#[derive(Serialize)]
struct Failed<'a> {
    error: &'a Failure,
}

/// Columns under their titles, as wide as they have to be; the last one may be as long as it likes.
pub(crate) fn table<T: AsRef<str>>(titles: impl AsRef<[T]>, rows: &[impl AsRef<[String]>]) -> String {
    let titles = titles.as_ref();
    let width = |(column, title): (usize, &T)| {
        let cells = rows.iter().filter_map(|row| Some(row.as_ref().get(column)?.chars().count()));
        cells.chain([title.as_ref().chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = titles.iter().enumerate().map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    let lines = rows.iter().map(|row| line(&mut row.as_ref().iter().map(String::as_str)));
    [line(&mut titles.iter().map(AsRef::as_ref))].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// Columns under their titles, as wide as they have to be, numbers to the right; on a terminal that is too narrow, the last
/// ones are left out.
pub(crate) fn fitting(titles: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| Some(row.get(column)?.chars().count()));
        cells.chain([titles[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let mut wide = 0;
    let fits = |width: &&usize| {
        wide += *width + GAP.len();
        wide <= columns() + GAP.len()
    };
    let shown = widths.iter().take_while(fits).count().max(2);
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.take(shown).zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        padded.collect::<Vec<_>>().join(GAP)
    };
    let lines = rows.iter().map(|row| line(&mut row.iter().map(String::as_str)));
    [line(&mut titles.iter().copied())].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// How many characters fit on a line: of a terminal; else everything does.
fn columns() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
        && size.ws_col > 0
    {
        return size.ws_col.into();
    }
    usize::MAX - GAP.len()
}

/// A number that is short to read: `950`, `12.3k`, `4.0M`.
pub(crate) fn amount(number: u64) -> String {
    scaled(number, 1000, &["", "k", "M", "G", "T", "P", "E"])
}

/// A number of bytes: `950B`, `12.3KiB`.
pub(crate) fn bytes(number: u64) -> String {
    scaled(number, 1024, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// A time: `0.4s`, `12.0s`, `3.5m`, `4.2h`.
pub(crate) fn time(nanos: u64) -> String {
    let tenths = nanos / 100_000_000;
    let (tenths, unit) = match tenths {
        0..600 => (tenths, "s"),
        600..36_000 => (tenths / 60, "m"),
        _ => (tenths / 3600, "h"),
    };
    format!("{}.{}{unit}", tenths / 10, tenths % 10)
}

fn scaled(number: u64, step: u64, units: &[&str]) -> String {
    let (mut scale, mut units) = (1, units.iter());
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        if number / scale < step {
            break;
        }
        (scale, unit) = (scale * step, larger);
    }
    match scale {
        1 => format!("{number}{unit}"),
        _ => {
            let tenths = u128::from(number) * 10 / u128::from(scale);
            format!("{}.{}{unit}", tenths / 10, tenths % 10)
        }
    }
}

/// Between two columns.
const GAP: &str = "  ";

fn say(text: &str) {
    // There is nobody left to tell when stderr is closed.
    io::stderr().lock().write_all(plain(text).as_bytes()).ok();
}

/// Text without what a terminal obeys: much of what is shown was written by others, tenants' users among them.
fn plain(text: &str) -> String {
    let obeyed = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
    text.replace(obeyed, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let amounts = [0, 999, 1000, 12_345, u64::MAX].map(amount);
        assert_eq!(amounts, ["0", "999", "1.0k", "12.3k", "18.4E"]);
        assert_eq!([1023, 1024, 3 << 29].map(bytes), ["1023B", "1.0KiB", "1.5GiB"]);
        let times = [0, 59_999_999_999, 60_000_000_000, 5_400_000_000_000].map(time);
        assert_eq!(times, ["0.0s", "59.9s", "1.0m", "1.5h"]);
        let rows = [vec!["acme".to_owned(), "5".to_owned()]];
        assert_eq!(fitting(&["TENANT", "REQUESTS"], &rows), "TENANT  REQUESTS\nacme           5");
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(
            plain("a\tb\nc\u{1b}[2J\r\u{7}\u{9b}\u{7f}é"),
            "a\tb\nc\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}\u{fffd}é"
        );
    }

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let rows = [["acme".to_owned(), "x".to_owned()], ["globex".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "REST"], &rows), "NAME    REST\nacme    x\nglobex");
    }
}
