//! The public name of a tenant: parsed once, valid ever after.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use thiserror::Error;

/// The public name of a tenant, fit for a host label, a path segment and a file name.
///
/// 1 to 63 characters of `a`–`z`, `0`–`9` and inner hyphens (the letter-digit-hyphen rule of RFC 1123 §2.1, lower case
/// only). Words that a deployment needs for itself are refused, and so are names that IDNA reserves (a hyphen in the
/// third and fourth place, RFC 5891 §4.2.3.1), which a browser may show as something else.
///
/// Cloning is cheap: the text is shared.
///
/// ```
/// use tenantry_core::Slug;
///
/// let acme: Slug = "acme".parse()?;
/// assert_eq!(acme.as_str(), "acme");
/// assert!("Acme".parse::<Slug>().is_err(), "upper case");
/// assert!("www".parse::<Slug>().is_err(), "reserved");
/// # Ok::<(), tenantry_core::SlugError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(Arc<str>);

impl Slug {
    /// The longest slug: the longest host label (RFC 1035 §2.3.4).
    pub const LEN_MAX: usize = 63;

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        match text.len() {
            0 => return Err(SlugError::Empty),
            1..=Self::LEN_MAX => {}
            len => return Err(SlugError::TooLong { len }),
        }
        if let Some(found) = text.chars().find(|&c| !is_slug_char(c)) {
            return Err(SlugError::Character { found });
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(SlugError::OuterHyphen);
        }
        if text.get(2..4) == Some("--") || RESERVED.binary_search(&text).is_ok() {
            return Err(SlugError::Reserved);
        }
        Ok(Self(text.into()))
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slug({self})")
    }
}

/// Why a text is no slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SlugError {
    /// A character outside `a`–`z`, `0`–`9` and the hyphen.
    #[error("a tenant's name is made of a-z, 0-9 and inner hyphens, and {found:?} is none of them")]
    Character {
        /// The first such character.
        found: char,
    },
    /// No characters at all.
    #[error("a tenant's name has at least one character")]
    Empty,
    /// A hyphen at the start or at the end.
    #[error("a tenant's name starts and ends with a letter or a digit")]
    OuterHyphen,
    /// A word that a deployment needs for itself, or a form that IDNA reserves.
    #[error("this name is reserved; choose another")]
    Reserved,
    /// More than [`Slug::LEN_MAX`] characters.
    #[error("a tenant's name has at most {max} characters, and this one has {len}", max = Slug::LEN_MAX)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

fn is_slug_char(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '-')
}

/// Names that a host or a path of the deployment itself is likely to bear, so that no tenant can pose as it.
const RESERVED: &[&str] = &[
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "console",
    "default",
    "dev",
    "docs",
    "ftp",
    "health",
    "healthz",
    "help",
    "imap",
    "internal",
    "localhost",
    "login",
    "logout",
    "mail",
    "metrics",
    "mx",
    "ns",
    "ns1",
    "ns2",
    "oauth",
    "pop",
    "postmaster",
    "public",
    "root",
    "smtp",
    "sso",
    "static",
    "status",
    "support",
    "system",
    "t",
    "tenant",
    "tenantry",
    "tenants",
    "test",
    "try",
    "webmail",
    "well-known",
    "wpad",
    "www",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, SlugError> {
        text.parse::<Slug>().map(|slug| slug.to_string())
    }

    #[test]
    fn accepts_host_labels() {
        for text in ["a", "7", "acme", "acme-2", "a--", "a-b-c", &"x".repeat(63)] {
            let expected = if text == "a--" { Err(SlugError::OuterHyphen) } else { Ok(text.to_owned()) };
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_with_the_reason() {
        assert_eq!(parse(""), Err(SlugError::Empty));
        assert_eq!(parse(&"x".repeat(64)), Err(SlugError::TooLong { len: 64 }));
        assert_eq!(parse("Acme"), Err(SlugError::Character { found: 'A' }));
        assert_eq!(parse("a.b"), Err(SlugError::Character { found: '.' }));
        assert_eq!(parse("a%62"), Err(SlugError::Character { found: '%' }));
        assert_eq!(parse("аcme"), Err(SlugError::Character { found: 'а' }), "a Cyrillic a");
        assert_eq!(parse("-a"), Err(SlugError::OuterHyphen));
        assert_eq!(parse("a-"), Err(SlugError::OuterHyphen));
        assert_eq!(parse("xn--80ak6aa92e"), Err(SlugError::Reserved));
        assert_eq!(parse("www"), Err(SlugError::Reserved));
    }

    #[test]
    fn every_reserved_word_would_otherwise_be_a_slug() {
        for word in RESERVED {
            assert!(word.chars().all(is_slug_char) && !word.starts_with('-') && !word.ends_with('-'), "{word}");
        }
        assert!(RESERVED.is_sorted(), "the list is searched by halves");
    }
}
