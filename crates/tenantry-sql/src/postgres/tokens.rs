//! The tokens of a statement with their places, and what can be refused by looking at them.
//!
//! What is looked at here is looked at before the parser runs: it must not be given a tree that is too deep for it.

use pg_query::protobuf::Token as Kind;

use crate::{Code, Limits, Refused, Span};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// The tokens of one statement.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    pub(crate) comments: Vec<Span>,
}

impl Tokens {
    /// Which token begins at the place that a node of the tree has.
    pub(crate) fn at(&self, location: i32) -> Option<usize> {
        let start = usize::try_from(location).ok()?;
        self.list.binary_search_by_key(&start, |token| token.span.start).ok()
    }

    /// What follows the token at `from` up to a token of these kinds, or up to the parenthesis that closes what it stands
    /// in, or to the end. A word after `AS` or a dot is a name.
    pub(crate) fn up_to(&self, from: usize, kinds: &[Kind]) -> usize {
        let mut depth = 0_usize;
        for at in from..self.list.len() {
            let before = |back: usize| at.checked_sub(back).and_then(|before| self.kind(before));
            let kind = self.kind(at).unwrap_or(Kind::Nul);
            let is_name = matches!(before(1), Some(Kind::As | Kind::Ascii46));
            // IS DISTINCT FROM, which is no clause.
            let compares = kind == Kind::From
                && before(1) == Some(Kind::Distinct)
                && matches!(before(2), Some(Kind::Is | Kind::Not));
            match kind {
                Kind::Ascii40 | Kind::Ascii91 => depth += 1,
                Kind::Ascii41 | Kind::Ascii93 if depth == 0 => return at,
                Kind::Ascii41 | Kind::Ascii93 => depth -= 1,
                Kind::Ascii59 => return at,
                _ if depth == 0 && !is_name && !compares && kinds.contains(&kind) => return at,
                _ => {}
            }
        }
        self.list.len()
    }

    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        self.list.get(index).map(|token| token.kind)
    }
}

/// Scans a statement, and refuses what must not be parsed.
pub(crate) fn tokens(text: &str, limits: &Limits) -> Result<Tokens, Refused> {
    limits.check_len(text)?;
    if let Some(at) = text.find('\0') {
        return Err(Refused::new(Code::Statement, "a NUL character").at(text, Span::at(at)));
    }
    // `scan_tokens` would be faster, and is unsound for a text without tokens (pg_query 18.1).
    let scanned = pg_query::scan(text).map_err(|error| unreadable(&error))?.tokens;
    let mut tokens = Tokens { list: Vec::with_capacity(scanned.len()), comments: Vec::new() };
    for token in scanned {
        let (Ok(start), Ok(end), Ok(kind)) =
            (usize::try_from(token.start), usize::try_from(token.end), Kind::try_from(token.token))
        else {
            return Err(Refused::new(Code::Statement, "a token that is not known"));
        };
        let span = Span::new(start, end);
        if text.get(span.range()).is_none() {
            return Err(Refused::new(Code::Statement, "a token that is not within the text"));
        }
        match kind {
            Kind::SqlComment | Kind::CComment => tokens.comments.push(span),
            _ => tokens.list.push(Token { kind, span }),
        }
    }
    check_literals(text, &tokens)?;
    check_single(text, &tokens)?;
    check_depth(text, &tokens, limits)?;
    Ok(tokens)
}

/// What the scanner or the parser says of a text that it cannot read.
pub(crate) fn unreadable(error: &pg_query::Error) -> Refused {
    let construct = match error {
        pg_query::Error::Parse(message) | pg_query::Error::Scan(message) => message.clone(),
        pg_query::Error::Decode(_) => "a statement that nests too deep".to_owned(),
        _ => "a statement that cannot be read".to_owned(),
    };
    Refused::new(Code::Statement, construct)
}

/// With `standard_conforming_strings = off` a backslash would keep the quote after it from ending the literal.
fn check_literals(text: &str, tokens: &Tokens) -> Result<(), Refused> {
    for token in &tokens.list {
        let written = &text[token.span.range()];
        let plain = !written.starts_with(['e', 'E', '$']);
        match token.kind {
            Kind::Sconst | Kind::Usconst | Kind::Bconst | Kind::Xconst if plain && written.contains("\\'") => {
                let refused = Refused::new(Code::Differential, "a backslash before a quote").at(text, token.span);
                return Err(refused.hint("write E'…' with the backslash doubled, or bind the value"));
            }
            Kind::Uescape => {
                return Err(Refused::new(Code::Differential, "UESCAPE").at(text, token.span));
            }
            _ => {}
        }
    }
    Ok(())
}

/// One statement, of a kind that there are rules for.
fn check_single(text: &str, tokens: &Tokens) -> Result<(), Refused> {
    let Some(first) = tokens.list.iter().find(|token| token.kind != Kind::Ascii40) else {
        return Err(Refused::new(Code::Statement, "an empty statement"));
    };
    let semicolon = tokens.list.iter().position(|token| token.kind == Kind::Ascii59);
    if let Some(after) = semicolon.and_then(|at| tokens.list.get(at + 1)) {
        return Err(Refused::new(Code::Statement, "more than one statement").at(text, after.span));
    }
    let word = text[first.span.range()].to_ascii_lowercase();
    let code = match word.as_str() {
        "select" | "values" | "table" | "with" | "insert" | "update" | "delete" => return Ok(()),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => return Ok(()),
        "merge" | "truncate" | "set" | "reset" | "show" => return Ok(()),
        "prepare" | "execute" | "deallocate" => Code::Unknown,
        "copy" | "declare" | "fetch" | "move" | "close" => Code::UnscopedPath,
        "discard" | "load" => Code::Setting,
        "lock" | "listen" | "notify" | "unlisten" => Code::Lock,
        "create" | "alter" | "drop" | "comment" | "grant" | "revoke" | "do" | "call" | "reindex" | "cluster"
        | "refresh" | "import" | "security" | "reassign" => Code::Ddl,
        "explain" | "analyze" | "vacuum" | "checkpoint" => Code::Explain,
        _ => Code::Statement,
    };
    let refused = Refused::new(code, word.to_ascii_uppercase()).at(text, first.span);
    Err(match word.as_str() {
        "prepare" | "execute" | "deallocate" => refused.hint("let the driver prepare statements, which is scoped"),
        // It takes no parameters, which is where the tenant stands.
        "copy" => refused.hint("use SELECT or INSERT of many rows"),
        "declare" | "fetch" | "move" | "close" => refused.hint("let the driver fetch the rows of a SELECT one by one"),
        _ => refused,
    })
}

/// How many operators and other words may follow one another without a comma, a parenthesis, `AND` or `OR`; each may be
/// a level of the tree.
const CHAIN_MAX: usize = 200;

/// Bounds the depth of the tree by what can be seen without it.
fn check_depth(text: &str, tokens: &Tokens, limits: &Limits) -> Result<(), Refused> {
    let mut chains = vec![0_usize];
    let mut joined = 0_usize;
    for token in &tokens.list {
        match token.kind {
            Kind::Ascii40 | Kind::Ascii91 | Kind::Case => chains.push(0),
            Kind::Ascii41 | Kind::Ascii93 | Kind::EndP if chains.len() > 1 => {
                chains.pop();
            }
            Kind::Ascii44 | Kind::And | Kind::Or | Kind::When | Kind::Else => {
                chains.last_mut().into_iter().for_each(|chain| *chain = 0)
            }
            Kind::Ident | Kind::Iconst | Kind::Fconst | Kind::Sconst | Kind::Param | Kind::Ascii46 => {}
            Kind::Join | Kind::Union | Kind::Intersect | Kind::Except => {
                joined += 1;
                chains.last_mut().into_iter().for_each(|chain| *chain = 0);
            }
            _ => chains.last_mut().into_iter().for_each(|chain| *chain += 1),
        }
        limits.check_depth(chains.len(), text, token.span)?;
        if joined.max(chains.last().copied().unwrap_or(0)) > CHAIN_MAX {
            let refused = Refused::new(Code::Statement, "an expression that nests too deep").at(text, token.span);
            return Err(refused.hint("make it flatter, or use parentheses"));
        }
    }
    Ok(())
}
