//! Names, as the database reads them.

use std::borrow::Cow;

use super::{Checked, no};
use crate::{RESERVED_PREFIX, ROW_ID, TENANT};

/// The name without its quotes: `"`, `` ` ``, `'` or brackets.
pub(super) fn unquoted(token: &str) -> Cow<'_, str> {
    let (quote, doubled) = match token.as_bytes().first() {
        Some(b'"') => ("\"", "\"\""),
        Some(b'`') => ("`", "``"),
        Some(b'\'') => ("'", "''"),
        Some(b'[') => ("]", "]]"),
        Some(_) | None => return Cow::Borrowed(token),
    };
    let inner = token.get(1..token.len() - 1).unwrap_or_default();
    if inner.contains(quote) { Cow::Owned(inner.replace(doubled, quote)) } else { Cow::Borrowed(inner) }
}

/// Whether only Tenantry may use the name, quotes already removed.
pub(super) fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

/// Whether the token is an identifier that means this name. A string in the place of a name is none.
pub(super) fn is(token: &str, name: &str) -> bool {
    !token.starts_with('\'') && unquoted(token).eq_ignore_ascii_case(name)
}

/// Whether the token means the tenant column.
pub(super) fn is_tenant(token: &str) -> bool {
    is(token, TENANT)
}

/// Whether the token means what a leaf calls a hidden row id: `_tenant_rowid_<digits>`.
pub(super) fn is_row_id_alias(token: &str) -> bool {
    let name = unquoted(token);
    !token.starts_with('\'')
        && name.get(..ROW_ID.len()).is_some_and(|start| start.eq_ignore_ascii_case(ROW_ID))
        && name
            .get(ROW_ID.len()..)
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// V3: a name that is not reserved.
pub(super) fn plain(token: &str) -> Checked {
    if is_reserved(&unquoted(token)) { no("name: it is reserved") } else { Ok(()) }
}
