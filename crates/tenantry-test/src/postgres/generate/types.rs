//! What the values of a column or of an expression are.

/// A type, and what texts are likely to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ty {
    /// Whole numbers.
    Int,
    /// `numeric`.
    Num,
    /// Text.
    Text,
    /// Text that is a whole number; that of others is not.
    Digits,
    /// Text that is JSON; that of others is not.
    Doc,
    /// `bool`.
    Bool,
    /// `timestamptz`.
    Time,
    /// `jsonb`.
    Jsonb,
    /// `int[]`.
    Ints,
    /// `text[]`.
    Texts,
    /// The enumeration `mood`.
    Mood,
}

impl Ty {
    /// Its name for a cast.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Num => "numeric",
            Self::Text | Self::Digits | Self::Doc => "text",
            Self::Bool => "bool",
            Self::Time => "timestamptz",
            Self::Jsonb => "jsonb",
            Self::Ints => "int[]",
            Self::Texts => "text[]",
            Self::Mood => "mood",
        }
    }

    /// Whether a value of another type can stand for one of this type.
    pub(crate) fn takes(self, other: Self) -> bool {
        self == other || self.is_text() && other.is_text()
    }

    /// Whether it is text.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Digits | Self::Doc)
    }
}
