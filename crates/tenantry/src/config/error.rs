//! Why a configuration cannot be used.

use std::{fmt, io, path::PathBuf};

use thiserror::Error;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Keys that do not go together, or values that cannot be.
    #[error("{place} has {}", Problems(problems))]
    Invalid {
        /// Which configuration.
        place: String,
        /// Each problem, with the key first.
        problems: Vec<String>,
    },
    /// A text that is no TOML, a key that is not known, or a value of the wrong kind.
    #[error("{place}, line {line}{at}: {reason}")]
    Syntax {
        /// Which configuration.
        place: String,
        /// The line, from 1.
        line: usize,
        /// The key or the table, after a comma; empty where there is none.
        at: String,
        /// What is wrong there.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ConfigError {
    /// The parser's error without the line itself, which may hold what nobody should see.
    pub(super) fn syntax(place: String, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        let at = at(text, before).unwrap_or_default();
        let reason = error.message().trim_end().replace('\n', "; ");
        Self::Syntax { place, line: before.matches('\n').count() + 1, at, reason }
    }
}

/// The key whose value comes next, or else the table.
fn at(text: &str, before: &str) -> Option<String> {
    let table = |line: &str| Some(line.trim().strip_prefix('[')?.trim_start_matches('[').split(']').next()?.to_owned());
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    if let Some(this) = text.get(line_start..)?.lines().next().and_then(table) {
        return Some(format!(", [{this}]"));
    }
    let table = before.get(..line_start)?.lines().rev().find_map(table);
    match (table, before.get(line_start..)?.split_once('=')) {
        (Some(table), Some((key, _))) => Some(format!(", {table}.{}", key.trim())),
        (Some(table), None) => Some(format!(", [{table}]")),
        (None, Some((key, _))) => Some(format!(", {}", key.trim())),
        (None, None) => None,
    }
}

struct Problems<'a>(&'a [String]);

impl fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [one] => write!(f, "a problem: {one}"),
            many => {
                write!(f, "{} problems:", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}
