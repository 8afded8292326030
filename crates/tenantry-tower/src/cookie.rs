//! Cookies as RFC 6265 reads them: names and values are bytes, and everything else is kept as it came.

use http::{
    HeaderMap,
    header::{COOKIE, HeaderValue},
};

/// A cookie that a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The cookies of a request in their order, from all `Cookie` headers (RFC 6265 §4.2.1; HTTP/2 may split the header,
/// RFC 9113 §8.2.3). What has no name is no cookie.
pub(crate) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = Pair<'_>> {
    let texts = headers.get_all(COOKIE).into_iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    texts.filter_map(name_and_value)
}

/// Puts what `change` makes of each cookie into the place of all `Cookie` headers; nothing for a cookie to be dropped.
/// With no cookies left there is no header.
pub(crate) fn change(headers: &mut HeaderMap, change: impl FnMut(Pair<'_>) -> Option<Pair<'_>>) {
    let mut text = Vec::new();
    for Pair { name, value } in pairs(headers).filter_map(change) {
        if !text.is_empty() {
            text.extend_from_slice(b"; ");
        }
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    }
    headers.remove(COOKIE);
    if let (false, Ok(header)) = (text.is_empty(), HeaderValue::from_maybe_shared(bytes::Bytes::from(text))) {
        headers.insert(COOKIE, header);
    }
}

/// A `Set-Cookie` header, taken apart as browsers do (RFC 6265 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SetCookie<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// From the first semicolon to the end.
    pub(crate) attributes: &'a [u8],
}

impl<'a> SetCookie<'a> {
    /// `None` when it has no name: browsers disagree about what it is then.
    pub(crate) fn parse(header: &'a [u8]) -> Option<Self> {
        let (pair, attributes) = header.split_at(find(header, b';').unwrap_or(header.len()));
        let Pair { name, value } = name_and_value(pair)?;
        Some(Self { name, value, attributes })
    }
}

/// One attribute of a `Set-Cookie` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    /// As it came, with the semicolon before it.
    pub(crate) text: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Where in `text` the value starts.
    pub(crate) value_at: usize,
}

/// The attributes of a `Set-Cookie` header, given what follows the name and the value.
pub(crate) fn attributes(text: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == b';').map(|(at, _)| at);
    starts.map(|start| {
        let end = find(&text[start + 1..], b';').map_or(text.len(), |len| start + 1 + len);
        let text = &text[start..end];
        let name_end = find(text, b'=').unwrap_or(text.len());
        let value = text.get(name_end + 1..).unwrap_or_default();
        let value_at = text.len() - trim_start(value).len();
        Attribute { text, name: trim(&text[1..name_end]), value: trim(value), value_at }
    })
}

fn name_and_value(text: &[u8]) -> Option<Pair<'_>> {
    let (name, value) = text.split_at(find(text, b'=')?);
    let (name, value) = (trim(name), trim(&value[1..]));
    (!name.is_empty()).then_some(Pair { name, value })
}

fn find(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().position(|found| *found == byte)
}

/// Without spaces and tabs at either end, and only those: RFC 6265 §5.2 knows no other white space.
fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cookies_of_all_headers() {
        let check = |sent: &[&[u8]], expected: &[(&str, &[u8])]| {
            let mut headers = HeaderMap::new();
            for header in sent {
                headers.append(COOKIE, HeaderValue::from_bytes(header).unwrap());
            }
            let read: Vec<_> = pairs(&headers).map(|pair| (pair.name, pair.value)).collect();
            let expected: Vec<_> = expected.iter().map(|(name, value)| (name.as_bytes(), *value)).collect();
            assert_eq!(read, expected, "{sent:?}");
        };
        check(&[], &[]);
        check(&[b"a=1; b=2", b"c=3"], &[("a", b"1"), ("b", b"2"), ("c", b"3")]);
        check(&[b" a = \"1 2\" ;b=; =x; y;;a=2=3\t"], &[("a", b"\"1 2\""), ("b", b""), ("a", b"2=3")]);
        check(&[b"a=\xff\xfe"], &[("a", b"\xff\xfe")]);
    }

    #[test]
    fn takes_a_set_cookie_apart() {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let check = |header: &str, expected: Option<&str>| {
            let shown = SetCookie::parse(header.as_bytes()).map(|cookie| {
                let attributes: Vec<_> = attributes(cookie.attributes).collect();
                assert_eq!(
                    attributes.iter().flat_map(|found| found.text).copied().collect::<Vec<_>>(),
                    cookie.attributes
                );
                assert!(
                    attributes.iter().all(|found| found.text[found.value_at..].starts_with(found.value)),
                    "{header}"
                );
                let shown = attributes.iter().map(|found| format!(" | {}={}", text(found.name), text(found.value)));
                format!("{}={}{}", text(cookie.name), text(cookie.value), shown.collect::<String>())
            });
            assert_eq!(shown.as_deref(), expected, "{header}");
        };
        check("a=1", Some("a=1"));
        check("a=b=c; Path=/; Secure", Some("a=b=c | Path=/ | Secure="));
        check(" a = 1 ;; DOMAIN =\tx=y\t;", Some("a=1 | = | DOMAIN=x=y | ="));
        check("a=\"1;2\"", Some("a=\"1 | 2\"="));
        check("a; Path=/", None);
        check("=1", None);
        check("", None);
    }
}
