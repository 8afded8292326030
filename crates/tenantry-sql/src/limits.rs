//! How much of a statement is read before it is refused.

use crate::{Code, Refused, Span};

/// Bounds on a statement. Each refusal names the knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest statement, in bytes; 1,000,000 by default, as SQLite itself.
    pub statement_bytes_max: usize,
    /// How deep parentheses and other constructs may nest; 100 by default.
    pub nesting_max: usize,
    /// How deep views may be built on views; 16 by default.
    pub view_depth_max: usize,
    /// How many bytes of plans are kept, counted by their texts; 16 MiB by default.
    pub plan_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { statement_bytes_max: 1_000_000, nesting_max: 100, view_depth_max: 16, plan_bytes_max: 16 << 20 }
    }
}

impl Limits {
    pub(crate) fn check_len(&self, text: &str) -> Result<(), Refused> {
        if text.len() <= self.statement_bytes_max {
            return Ok(());
        }
        let max = self.statement_bytes_max;
        let hint = format!("make it shorter, or raise statement_bytes_max ({max})");
        Err(Refused::new(Code::Statement, format!("a statement of {} bytes", text.len())).hint(hint))
    }

    /// Refuses a place that is `depth` levels deep, if that is too deep.
    pub(crate) fn check_depth(&self, depth: usize, text: &str, span: Span) -> Result<(), Refused> {
        if depth <= self.nesting_max {
            return Ok(());
        }
        let hint = format!("make it flatter, or raise nesting_max ({})", self.nesting_max);
        Err(Refused::new(Code::Statement, "an expression that nests too deep").hint(hint).at(text, span))
    }
}
