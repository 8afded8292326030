//! The addresses in a list of images.

use std::ops::Range;

/// The places of the addresses in the value of a `srcset` (HTML standard §4.8.4.2.2, "parsing a srcset attribute").
pub(super) fn addresses(text: &[u8]) -> Vec<Range<usize>> {
    let mut addresses = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|byte| is_space(**byte) || **byte == b',').count();
        if at == text.len() {
            return addresses;
        }
        let len = text[at..].iter().take_while(|byte| !is_space(**byte)).count();
        let commas = text[at..at + len].iter().rev().take_while(|byte| **byte == b',').count();
        addresses.push(at..at + len - commas);
        at += len;
        if commas == 0 {
            at += descriptors_len(&text[at..]);
        }
    }
}

/// The length up to the comma that ends a candidate, which is not one within brackets.
fn descriptors_len(text: &[u8]) -> usize {
    let mut in_brackets = false;
    let end = text.iter().position(|byte| {
        match byte {
            b'(' => in_brackets = true,
            b')' => in_brackets = false,
            _ => {}
        }
        *byte == b',' && !in_brackets
    });
    end.unwrap_or(text.len())
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_addresses() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<_> = addresses(text.as_bytes()).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("", &[]);
        check(" ,\t,", &[]);
        check("/a", &["/a"]);
        check("/a 1x, /b 2x", &["/a", "/b"]);
        check("/a, /b", &["/a", "/b"]);
        check("/a,/b 2x", &["/a,/b"]);
        check("/a,,, /b", &["/a", "/b"]);
        check("/a (1x, 2x) 3w,/b", &["/a", "/b"]);
        check("data:,x 1x, /b", &["data:,x", "/b"]);
    }
}
