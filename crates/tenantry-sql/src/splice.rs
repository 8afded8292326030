//! Edits of a text, and the text with its edits applied.

use crate::Span;

/// What takes the place of a span. An empty span is a place to insert at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) span: Span,
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// A part of the original, with the edits in it.
    Source(Span),
}

/// The edits of one statement. They nest or lie apart.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<Edit>);

impl Edits {
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(Span::at(at), text);
    }

    pub(crate) fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.0.push(Edit { span, pieces: vec![Piece::Text(text.into())] });
    }

    pub(crate) fn rearrange(&mut self, span: Span, pieces: Vec<Piece>) {
        self.0.push(Edit { span, pieces });
    }

    /// Puts `before` and `after` around a span.
    pub(crate) fn wrap(&mut self, span: Span, before: impl Into<String>, after: impl Into<String>) {
        self.insert(span.start, before);
        self.insert(span.end, after);
    }

    /// Whether anything within `span` changes.
    pub(crate) fn touch(&self, span: Span) -> bool {
        self.0.iter().any(|edit| span.contains(edit.span))
    }

    /// The whole of `text` with the edits applied.
    ///
    /// Of edits at one place, what is inserted comes first, in the order in which it was given.
    pub(crate) fn apply(self, text: &str) -> String {
        self.apply_within(text, Span::new(0, text.len()))
    }

    /// A part of `text` with the edits within it applied.
    pub(crate) fn apply_within(mut self, text: &str, part: Span) -> String {
        self.0.sort_by_key(|edit| (edit.span.start, edit.span.start != edit.span.end, usize::MAX - edit.span.end));
        let mut spliced = String::with_capacity((part.end - part.start) * 2);
        Splicer { text, edits: &self.0, done: vec![false; self.0.len()] }.render(part, 0, &mut spliced);
        spliced
    }
}

struct Splicer<'a> {
    text: &'a str,
    edits: &'a [Edit],
    /// Which edits are applied; each is applied once, also one at the seam of two pieces.
    done: Vec<bool>,
}

impl Splicer<'_> {
    /// Renders a part of the text with the edits in it, those before `first` left out.
    fn render(&mut self, part: Span, first: usize, spliced: &mut String) {
        let mut at = part.start;
        for (index, edit) in self.edits.iter().enumerate().skip(first) {
            if edit.span.start > part.end {
                break;
            }
            // What lies in an edit that is already applied has a place in one of its pieces, or none.
            if self.done[index] || !part.contains(edit.span) || edit.span.start < at {
                continue;
            }
            self.done[index] = true;
            spliced.push_str(&self.text[at..edit.span.start]);
            for piece in &edit.pieces {
                match piece {
                    Piece::Text(new) => spliced.push_str(new),
                    Piece::Source(span) => self.render(*span, index + 1, spliced),
                }
            }
            at = edit.span.end;
        }
        spliced.push_str(&self.text[at..part.end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_nest_and_keep_their_order() {
        let text = "a RIGHT b ON c";
        let mut edits = Edits::default();
        edits.replace(Span::new(0, 1), "(A)");
        edits.insert(1, "!");
        edits.insert(1, "?");
        edits.replace(Span::new(8, 9), "(B)");
        let source = |start, end| Piece::Source(Span::new(start, end));
        edits.rearrange(
            Span::new(0, 14),
            vec![
                source(8, 9),
                Piece::Text(" LEFT ".to_owned()),
                source(0, 1),
                Piece::Text(" ".to_owned()),
                source(10, 14),
            ],
        );
        edits.insert(0, "SELECT ");
        edits.insert(14, ";");
        assert_eq!(edits.apply(text), "SELECT (B) LEFT (A)!? ON c;");
    }
}
