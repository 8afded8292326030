//! The tokens of a statement, with their places.

use sqlite3_parser::{
    dialect::TokenType,
    lexer::{
        Scanner,
        sql::{Error, Tokenizer},
    },
};

use crate::{Code, Name, Position, Refused, Span};

/// A word, sign or literal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenType,
    pub(crate) span: Span,
}

/// All tokens of `text`, white space and comments left out.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Refused> {
    // SQLite takes a NUL for the end of the text.
    if let Some(at) = text.find('\0') {
        return Err(Refused::new(Code::Statement, "a NUL character").at(text, Span::at(at)));
    }
    let mut scanner = Scanner::new(Tokenizer::new());
    // In ordinary statements a token and the space after it take five bytes or more.
    let mut tokens = Vec::with_capacity(text.len() / 5 + 1);
    loop {
        match scanner.scan(text.as_bytes()) {
            Ok((start, Some((_, kind)), end)) => {
                let span = Span::new(start, end);
                // SQLite skips it where a token could begin, and the parser takes it for a letter.
                if text[span.range()].starts_with('\u{feff}') {
                    return Err(Refused::new(Code::Differential, "a byte order mark").at(text, span));
                }
                tokens.push(Token { kind, span });
            }
            Ok((_, None, _)) => return Ok(tokens),
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

/// What the parser says of a text that it cannot read.
pub(crate) fn unreadable(error: &Error) -> Refused {
    let (construct, at) = match error {
        Error::ParserError(error, at) => (error.to_string(), at.as_ref()),
        Error::UnrecognizedToken(at) => ("a character that begins no token".to_owned(), at.as_ref()),
        Error::UnterminatedLiteral(at) => ("a literal without its closing quote".to_owned(), at.as_ref()),
        Error::UnterminatedBracket(at) => ("a name without its closing bracket".to_owned(), at.as_ref()),
        Error::UnterminatedBlockComment(at) => ("a comment without its end".to_owned(), at.as_ref()),
        other => (other.to_string(), None),
    };
    let position = at.map(|at| Position { line: at.line, column: at.column });
    Refused { position, ..Refused::new(Code::Statement, construct) }
}

/// The name that a token in the place of a name means, its quotes removed as SQLite removes them.
pub(crate) fn dequoted(token: &str) -> Name {
    let Some(quote @ ('"' | '\'' | '`' | '[')) = token.chars().next() else { return Name::from(token) };
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if quote == '[' || !inner.contains(quote) {
        return Name::from(inner);
    }
    let doubled: String = [quote, quote].iter().collect();
    Name::new(inner.replace(&doubled, quote.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_places() {
        let text = "select /* c */ \"a\" -- d\n, 'b''c'";
        let texts: Vec<_> = tokens(text).unwrap().iter().map(|token| &text[token.span.range()]).collect();
        assert_eq!(texts, ["select", "\"a\"", ",", "'b''c'"]);
    }

    #[test]
    fn a_nul_is_refused() {
        assert_eq!(tokens("select 1\0; drop table x").unwrap_err().code, Code::Statement);
    }

    #[test]
    fn a_byte_order_mark_is_refused_but_not_in_a_string() {
        assert_eq!(tokens("select 1 from \u{feff}users").unwrap_err().code, Code::Differential);
        assert!(tokens("select '\u{feff}', \"\u{feff}\"").is_ok());
    }

    #[test]
    fn quotes_are_removed() {
        for (token, name) in [
            ("a", "a"),
            ("\"a\"\"b\"", "a\"b"),
            ("[a\"b]", "a\"b"),
            ("`a``b`", "a`b"),
            ("'it''s'", "it's"),
            ("\"\"", ""),
        ] {
            assert_eq!(dequoted(token).as_str(), name, "{token}");
        }
    }
}
