//! Pieces of the application's text, without its comments.

use crate::{Name, Span};

/// A statement and its comments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    pub(crate) text: &'a str,
    pub(crate) comments: &'a [Span],
}

impl Words<'_> {
    /// What stands at `span`.
    pub(crate) fn at(&self, span: Span) -> String {
        let mut words = String::with_capacity(span.end - span.start);
        let mut at = span.start;
        for comment in self.comments.iter().filter(|comment| span.contains(**comment)) {
            words.push_str(&self.text[at..comment.start]);
            words.push(' ');
            at = comment.end;
        }
        words.push_str(&self.text[at..span.end]);
        words
    }

    /// What stands at `span`, if there is one, after a space.
    pub(crate) fn after_space(&self, span: Option<Span>) -> String {
        span.map(|span| format!(" {}", self.at(span))).unwrap_or_default()
    }
}

/// Names in quotes, with commas between them.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n Name>) -> String {
    names.into_iter().map(|name| name.quoted().to_string()).collect::<Vec<_>>().join(", ")
}
