//! The only place that prints: data on stdout, everything else on stderr.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
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
            Self::Text => report.to_string(),
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

    /// Says to people who watch how far it is, on one line.
    pub(crate) fn progress(self, line: &str) {
        if self == Self::Text && io::stderr().is_terminal() {
            // To the start of the line, and what was there is gone.
            say(&format!("\r\x1b[K{line}"));
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

#[derive(Serialize)]
struct Failed<'a> {
    error: &'a Failure,
}

/// Columns under their titles, as wide as they have to be; the last one may be as long as it likes.
pub(crate) fn table<const N: usize>(titles: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([titles[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let lines = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    [line(titles)].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn say(text: &str) {
    // There is nobody left to tell when stderr is closed.
    io::stderr().lock().write_all(text.as_bytes()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let rows = [["acme".to_owned(), "x".to_owned()], ["globex".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "REST"], &rows), "NAME    REST\nacme    x\nglobex");
    }
}
