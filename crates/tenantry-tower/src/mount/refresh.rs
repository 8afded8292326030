//! Where a `Refresh` header or a refreshing `<meta>` sends the browser.

use std::ops::Range;

/// The place of the address in a refresh (HTML standard §4.2.5.3, "shared declarative refresh steps").
pub(super) fn target(text: &[u8]) -> Option<Range<usize>> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.skip(is_space);
    let time = cursor.at;
    cursor.skip(|byte| byte.is_ascii_digit() || byte == b'.');
    if cursor.at == time {
        return None;
    }
    match cursor.peek() {
        Some(b';' | b',') => {}
        Some(byte) if is_space(byte) => {}
        _ => return None,
    }
    cursor.skip(is_space);
    cursor.accept(b";,");
    cursor.skip(is_space);
    let address = cursor.at;
    if !cursor.accept_prefix() {
        cursor.at = address;
    }
    let quote = cursor.peek().filter(|byte| matches!(byte, b'"' | b'\''));
    let Some(quote) = quote else { return Some(cursor.at..text.len()) };
    let start = cursor.at + 1;
    let len = text[start..].iter().position(|byte| *byte == quote).unwrap_or(text.len() - start);
    Some(start..start + len)
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    fn accept(&mut self, any: &[u8]) -> bool {
        let accepted = self.peek().is_some_and(|byte| any.contains(&byte));
        self.at += usize::from(accepted);
        accepted
    }

    /// `url =`, in any case.
    fn accept_prefix(&mut self) -> bool {
        let is_url = [b"uU", b"rR", b"lL"].iter().all(|letter| self.accept(letter.as_slice()));
        self.skip(is_space);
        let accepted = is_url && self.accept(b"=");
        self.skip(is_space);
        accepted
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(target(text.as_bytes()).map(|range| &text[range]), expected, "{text}");
        };
        check("0; url=/x", Some("/x"));
        check("5;URL = '/x' y", Some("/x"));
        check("5,/x", Some("/x"));
        check(" 1.5 /x", Some("/x"));
        check("0;url=\"/x", Some("/x"));
        check("0; urn:x", Some("urn:x"));
        check("0; u/x", Some("u/x"));
        check("5", None);
        check("", None);
        check("url=/x", None);
        check("5x;url=/x", None);
    }
}
