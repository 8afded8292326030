//! A text as a browser reads it, and where each byte of it was written.

use std::{borrow::Cow, ops::Range};

/// A text in which some bytes may be written differently than they are read: as a character reference of HTML.
#[derive(Debug)]
pub(super) struct Text<'a> {
    written: &'a [u8],
    read: Cow<'a, [u8]>,
    /// Where each byte that is read is written; nothing when both are the same.
    starts: Option<Vec<usize>>,
}

impl<'a> Text<'a> {
    /// A header's value, which is read as it is written.
    pub(super) const fn plain(written: &'a [u8]) -> Self {
        Self { written, read: Cow::Borrowed(written), starts: None }
    }

    /// An attribute's value, in which `&#47;` is read as a slash.
    pub(super) fn attribute(written: &'a [u8]) -> Self {
        if !written.contains(&b'&') {
            return Self::plain(written);
        }
        let (mut read, mut starts) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(rest) = written.get(at..).filter(|rest| !rest.is_empty()) {
            let (character, len) = match rest {
                [b'&', ..] => character_reference(rest),
                _ => (Character::Byte(rest[0]), 1),
            };
            match character {
                Character::Byte(byte) => read.push(byte),
                Character::Other(other) => read.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            starts.resize(read.len(), at);
            at += len;
        }
        Self { written, read: Cow::Owned(read), starts: Some(starts) }
    }

    pub(super) fn read(&self) -> &[u8] {
        &self.read
    }

    /// Where this part of what is read was written.
    pub(super) fn written(&self, read: Range<usize>) -> &'a [u8] {
        &self.written[self.start(read.start)..self.start(read.end)]
    }

    pub(super) fn read_len(&self) -> usize {
        self.read.len()
    }

    fn start(&self, read_at: usize) -> usize {
        match &self.starts {
            None => read_at,
            Some(starts) => starts.get(read_at).copied().unwrap_or(self.written.len()),
        }
    }
}

/// What an attribute's value is to whoever reads the page.
pub(crate) fn read_attribute(written: &str) -> String {
    String::from_utf8_lossy(Text::attribute(written.as_bytes()).read()).into_owned()
}

#[derive(Clone, Copy)]
enum Character {
    Byte(u8),
    Other(char),
}

/// The character at the start of `text`, which starts with `&`, and its length as written.
///
/// Follows the HTML standard §13.2.5.72 as far as ASCII goes: whatever else a name stands for is neither a slash nor
/// anything else that decides where a link goes, so it may be read as its letters.
fn character_reference(text: &[u8]) -> (Character, usize) {
    let found = match text {
        [b'&', b'#', b'x' | b'X', digits @ ..] => number(digits, 16).map(|(found, len)| (found, len + 3)),
        [b'&', b'#', digits @ ..] => number(digits, 10).map(|(found, len)| (found, len + 2)),
        _ => named(text),
    };
    let (character, len) = found.unwrap_or((Character::Byte(b'&'), 1));
    // The semicolon may be missing after numbers, and after names as old as HTML 2.
    if len > 1 && text.get(len) == Some(&b';') { (character, len + 1) } else { (character, len) }
}

fn number(digits: &[u8], radix: u32) -> Option<(Character, usize)> {
    let values = digits.iter().map_while(|byte| char::from(*byte).to_digit(radix));
    let (code, len) =
        values.fold((0_u32, 0), |(code, len), value| (code.saturating_mul(radix).saturating_add(value), len + 1));
    let character = match (u8::try_from(code), char::from_u32(code)) {
        (Ok(byte @ 1..=0x7f), _) => Character::Byte(byte),
        (_, Some(other)) if code != 0 => Character::Other(other),
        _ => Character::Other(char::REPLACEMENT_CHARACTER),
    };
    (len > 0).then_some((character, len))
}

fn named(text: &[u8]) -> Option<(Character, usize)> {
    let is_end = |len: usize, old: bool| match text.get(len) {
        Some(b';') => true,
        // In an attribute, an old name without a semicolon counts unless it goes on.
        Some(byte) => old && !byte.is_ascii_alphanumeric() && *byte != b'=',
        None => old,
    };
    NAMES.iter().find_map(|(name, byte)| {
        let len = name.len() + 1;
        let matches = text[1..].starts_with(name.as_bytes()) && is_end(len, OLD_NAMES.contains(name));
        matches.then_some((Character::Byte(*byte), len))
    })
}

/// The names of ASCII characters that mean something in a URL, a `srcset` or a refresh.
const NAMES: &[(&str, u8)] = &[
    ("AMP", b'&'),
    ("GT", b'>'),
    ("LT", b'<'),
    ("NewLine", b'\n'),
    ("QUOT", b'"'),
    ("Tab", b'\t'),
    ("amp", b'&'),
    ("apos", b'\''),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("equals", b'='),
    ("gt", b'>'),
    ("lbrack", b'['),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrack", b']'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
];
const OLD_NAMES: &[&str] = &["AMP", "GT", "LT", "QUOT", "amp", "gt", "lt", "quot"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_attributes_as_browsers_do() {
        let check = |written: &str, expected: &str| {
            let text = Text::attribute(written.as_bytes());
            assert_eq!(String::from_utf8_lossy(text.read()), expected, "{written}");
            assert_eq!(text.written(0..text.read_len()), written.as_bytes());
        };
        check("/a?b=1", "/a?b=1");
        check("&#47;a&#x2f;b&#X2F;c", "/a/b/c");
        check("&#47a&#x2fz", "/a/z");
        check("&sol;a&sol", "/a&sol");
        check("&amp;#47;", "&#47;");
        check("a&amp=1&ampx&amp", "a&amp=1&ampx&");
        check("&Tab;&NewLine;&colon;", "\t\n:");
        check("&", "&");
        check("&#;&#x;&#xg;", "&#;&#x;&#xg;");
        check("&#0;&#99999999999;&#228;", "\u{fffd}\u{fffd}\u{e4}");
        check("&copy=1&eacute;", "&copy=1&eacute;");
    }

    #[test]
    fn knows_where_a_byte_is_written() {
        let text = Text::attribute(b"a&sol;b&#47;c");
        assert_eq!(text.read(), b"a/b/c");
        assert_eq!(text.written(1..3), b"&sol;b");
        assert_eq!(text.written(3..5), b"&#47;c");
    }
}
