//! The tokens of the text: what the parser would not tell, and what the walk must account for.

use sqlite3_parser::{
    dialect::TokenType,
    lexer::{Scanner, sql::Tokenizer},
};

use super::{TenantTerm, names, no, walk::MAX_DEPTH};
use crate::Refused;

/// The longest statement that SQLite takes in its default configuration.
const MAX_LENGTH: usize = 1_000_000;

/// How often the things occur that make a statement dangerous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// `SELECT` and `VALUES`.
    pub(super) selects: usize,
    /// The tenant's parameter.
    pub(super) tenants: usize,
    /// Reserved identifiers.
    pub(super) reserved: usize,
}

/// Counts, and refuses what SQLite may read differently than the parser.
pub(super) fn census(text: &str, tenant: TenantTerm) -> Result<Census, Refused> {
    if text.len() > MAX_LENGTH {
        return no("text: too long");
    }
    if text.contains('\0') {
        return no("text: NUL, where SQLite stops to read");
    }
    let mut scanner = Scanner::new(Tokenizer::new());
    let mut census = Census::default();
    let mut depth = 0_usize;
    loop {
        let Ok((start, token, end)) = scanner.scan(text.as_bytes()) else { return no("text: a token is malformed") };
        let Some((_, kind)) = token else { return Ok(census) };
        let token = text.get(start..end).unwrap_or_default();
        match kind {
            TokenType::TK_SELECT | TokenType::TK_VALUES => census.selects += 1,
            TokenType::TK_VARIABLE => match (number(token), tenant) {
                (Some(number), TenantTerm::Parameter(tenant)) => census.tenants += usize::from(number == tenant),
                (Some(_), TenantTerm::New | TenantTerm::Old) => return no("trigger: a parameter within"),
                (None, _) => return no("parameter: it has no number of its own"),
            },
            // SQLite skips a byte order mark where a token could begin; the parser takes it for a letter.
            TokenType::TK_ID if token.starts_with('\u{feff}') => return no("text: a byte order mark"),
            TokenType::TK_ID => census.reserved += usize::from(names::is_reserved(&names::unquoted(token))),
            // Trees are dropped as deep as they are nested.
            TokenType::TK_LP if depth == MAX_DEPTH => return no("text: nested too deeply"),
            TokenType::TK_LP => depth += 1,
            TokenType::TK_RP => depth = depth.saturating_sub(1),
            // This walk only counts; what any other token may do is for the tree to say.
            _ => {}
        }
    }
}

/// The number of `?N`. SQLite numbers `?` and names by what comes before them, so that they could be the tenant's.
fn number(token: &str) -> Option<u32> {
    let digits = token.strip_prefix('?')?;
    if digits.starts_with('0') { None } else { digits.parse().ok() }
}
