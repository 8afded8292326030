//! The tokens while they are consumed.

use sqlite3_parser::{ast, dialect::TokenType as T};

use crate::{
    Code, Ident, Limits, Refused, Span,
    sqlite::tokens::{Token, dequoted},
};

/// Walks through the tokens of one statement.
#[derive(Debug)]
pub(crate) struct Cursor<'s> {
    pub(super) text: &'s str,
    tokens: Vec<Token>,
    at: usize,
    limits: &'s Limits,
    depth: usize,
    /// The parameters that have been consumed.
    pub(super) parameters: Vec<Span>,
}

impl<'s> Cursor<'s> {
    pub(crate) const fn new(text: &'s str, tokens: Vec<Token>, limits: &'s Limits) -> Self {
        Self { text, tokens, at: 0, limits, depth: 0, parameters: Vec::new() }
    }

    /// Walks one level deeper, if that is not too deep.
    pub(crate) fn deeper<R>(&mut self, walk: impl FnOnce(&mut Self) -> Result<R, Refused>) -> Result<R, Refused> {
        self.limits.check_depth(self.depth + 1, self.text, Span::at(self.start()))?;
        self.depth += 1;
        let walked = walk(self);
        self.depth -= 1;
        walked
    }

    /// The kind of the next token.
    pub(crate) fn peek(&self) -> Option<T> {
        self.peek_after(0)
    }

    /// The kind of the token after the next `count` ones.
    pub(crate) fn peek_after(&self, count: usize) -> Option<T> {
        self.tokens.get(self.at + count).map(|token| token.kind)
    }

    /// The text of the next token, or nothing at the end.
    pub(crate) fn peek_text(&self) -> &'s str {
        self.tokens.get(self.at).map_or("", |token| &self.text[token.span.range()])
    }

    /// Where the next token begins, or the text ends.
    pub(crate) fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |token| token.span.start)
    }

    /// Where the last consumed token ended.
    pub(crate) fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    /// From `start` to the end of the last consumed token.
    pub(crate) fn since(&self, start: usize) -> Span {
        Span::new(start, self.end())
    }

    /// Consumes a token of this kind.
    pub(crate) fn expect(&mut self, kind: T) -> Result<Span, Refused> {
        self.accept(kind).ok_or_else(|| self.misaligned())
    }

    /// Consumes tokens of these kinds.
    pub(crate) fn expect_all(&mut self, kinds: &[T]) -> Result<(), Refused> {
        kinds.iter().try_for_each(|kind| self.expect(*kind).map(drop))
    }

    /// Consumes the next token if it is of this kind.
    pub(crate) fn accept(&mut self, kind: T) -> Option<Span> {
        let token = self.tokens.get(self.at).filter(|token| token.kind == kind)?;
        self.at += 1;
        Some(token.span)
    }

    /// Consumes a token that the tree has as `raw`, whatever its kind.
    pub(crate) fn expect_text(&mut self, raw: &str) -> Result<Span, Refused> {
        match self.tokens.get(self.at) {
            Some(token) if &self.text[token.span.range()] == raw => {
                self.at += 1;
                Ok(token.span)
            }
            _ => Err(self.misaligned()),
        }
    }

    /// Consumes a name.
    pub(crate) fn name(&mut self, name: &ast::Name<'_>) -> Result<Ident, Refused> {
        self.ident(name.0)
    }

    /// Consumes a name that the tree has as `raw`.
    pub(crate) fn ident(&mut self, raw: &str) -> Result<Ident, Refused> {
        let span = self.expect_text(raw)?;
        let name = dequoted(raw);
        if name.is_reserved() {
            return Err(self.refuse(Code::Reserved, format!("name {}", name.quoted()), span));
        }
        Ok(Ident { name, span })
    }

    /// Consumes the names of a list, with the commas between them.
    pub(crate) fn names<'a, 'b: 'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a ast::Name<'b>>,
    ) -> Result<Vec<Ident>, Refused> {
        self.list(names, |cursor, name| cursor.name(name))
    }

    /// Consumes the elements of a list, with the commas between them.
    pub(crate) fn list<E, R>(
        &mut self,
        elements: impl IntoIterator<Item = E>,
        mut consume: impl FnMut(&mut Self, E) -> Result<R, Refused>,
    ) -> Result<Vec<R>, Refused> {
        let mut consumed = Vec::new();
        for element in elements {
            if !consumed.is_empty() {
                self.expect(T::TK_COMMA)?;
            }
            consumed.push(consume(self, element)?);
        }
        Ok(consumed)
    }

    /// Where there is more than white space between tokens.
    pub(super) fn comments(&self) -> Vec<Span> {
        let starts = self.tokens.iter().map(|token| token.span.start).chain([self.text.len()]);
        let ends = [0].into_iter().chain(self.tokens.iter().map(|token| token.span.end));
        let gaps = ends.zip(starts).map(|(end, start)| Span::new(end, start));
        gaps.filter(|gap| !self.text[gap.range()].trim_ascii().is_empty()).collect()
    }

    /// Nothing may be left but semicolons.
    pub(crate) fn finish(&mut self) -> Result<(), Refused> {
        while self.accept(T::TK_SEMI).is_some() {}
        if self.at == self.tokens.len() { Ok(()) } else { Err(self.misaligned()) }
    }

    /// Refuses what stands at `span`.
    pub(crate) fn refuse(
        &self,
        code: Code,
        construct: impl Into<std::borrow::Cow<'static, str>>,
        span: Span,
    ) -> Refused {
        Refused::new(code, construct).at(self.text, span)
    }

    /// The tree and the tokens do not agree.
    pub(crate) fn misaligned(&self) -> Refused {
        let span = Span::at(self.start());
        self.refuse(Code::Statement, format!("the text near {:?}", self.peek_text()), span)
    }
}
