//! Places in the text of a statement.

use std::{fmt, ops::Range};

/// A range of bytes in the text of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// From `start` up to, and without, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty span at `at`.
    pub const fn at(at: usize) -> Self {
        Self { start: at, end: at }
    }

    /// From the start of this one to the end of `other`.
    #[must_use]
    pub const fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// Whether `other` lies within this one.
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// As a range, to index text with.
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A line and a column in the text of a statement, both counted from one; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// Where byte `at` of `text` is; the end when the text is shorter.
    pub fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_columns_from_one() {
        let text = "select é,\n  x";
        for (at, expected) in [(0, "1:1"), (7, "1:8"), (9, "1:9"), (11, "2:1"), (13, "2:3"), (99, "2:4")] {
            assert_eq!(Position::of(text, at).to_string(), expected, "{at}");
        }
    }
}
