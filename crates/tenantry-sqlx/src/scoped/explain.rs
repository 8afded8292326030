//! How the database would run a statement.

/// What is asked about a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Explain {
    /// Which tables are read, and by which keys.
    Plan,
    /// Every step, in the database's own terms.
    Program,
}
