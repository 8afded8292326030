//! From SQLite's tree to the intermediate representation.
//!
//! The tree of the parser carries no places, so it is walked side by side with the tokens. The walk consumes every token
//! exactly once, and each must be the one that the grammar puts there for the node at hand: a keyword by its kind, a name
//! by its text. A walk that reaches the end is a derivation of just this text, so the places are those of the nodes.
//! Where the two disagree, the statement is refused.

mod clause;
mod column;
mod cursor;
mod define;
mod expr;
mod from;
mod query;
mod statement;

use bumpalo::Bump;
use sqlite3_parser::{FallibleIterator as _, ast::Cmd, dialect::TokenType as T, lexer::sql::Parser};

pub(crate) use self::cursor::Cursor;
use super::{
    ddl::definition::Definition,
    tokens::{Token, tokens, unreadable},
};
use crate::{Code, Limits, Refused, Span, ir};

/// Parses exactly one statement.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<ir::Statement, Refused> {
    walked(text, limits, |mut cursor, command| cursor.command(command))
}

/// Parses exactly one statement of a migration.
pub(crate) fn parse_definition(text: &str, limits: &Limits) -> Result<Definition, Refused> {
    walked(text, limits, |mut cursor, command| cursor.definition(command))
}

fn walked<R>(
    text: &str,
    limits: &Limits,
    walk: impl FnOnce(Cursor<'_>, &Cmd<'_>) -> Result<R, Refused>,
) -> Result<R, Refused> {
    let walked = limits.check_len(text).and_then(|()| {
        let tokens = tokens(text)?;
        check_nesting(text, &tokens, limits)?;
        let bump = Bump::with_capacity(ARENA_BYTES);
        with_tree(&bump, text, |command| walk(Cursor::new(text, tokens, limits), command))
    });
    // What is refused as a whole is refused where it begins.
    walked.map_err(|refused| match refused.position {
        Some(_) => refused,
        None => refused.at(text, Span::at(text.len() - text.trim_start().len())),
    })
}

/// What the tree of an ordinary statement takes.
const ARENA_BYTES: usize = 16 * 1024;

/// Looks at parentheses before the parser does: its tree is taken down with a call for each level.
fn check_nesting(text: &str, tokens: &[Token], limits: &Limits) -> Result<(), Refused> {
    let mut depth = 0_usize;
    tokens.iter().try_for_each(|token| {
        match token.kind {
            T::TK_LP => depth += 1,
            T::TK_RP => depth = depth.saturating_sub(1),
            _ => {}
        }
        limits.check_depth(depth, text, token.span)
    })
}

/// Calls `walk` with the tree of the one statement in `text`.
pub(crate) fn with_tree<'b, R>(
    bump: &'b Bump,
    text: &'b str,
    walk: impl FnOnce(&Cmd<'b>) -> Result<R, Refused>,
) -> Result<R, Refused> {
    let mut parser = Parser::new(bump, text.as_bytes());
    let Some(command) = parser.next().map_err(|error| unreadable(&error))? else {
        return Err(Refused::new(Code::Statement, "an empty statement"));
    };
    match parser.next() {
        Ok(None) => walk(&command),
        _ => Err(Refused::new(Code::Statement, "more than one statement")),
    }
}
