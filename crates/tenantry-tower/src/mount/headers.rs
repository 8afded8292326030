//! Moves the headers of an answer below the script root.

use std::ops::Range;

use bytes::Bytes;
use http::{
    HeaderMap,
    header::{CONTENT_LOCATION, HeaderValue, LINK, LOCATION, REFRESH},
};

use super::{reference::Mover, refresh, text::Text};

pub(super) fn move_all(headers: &mut HeaderMap, mover: &Mover) {
    // It would clear what the whole host has stored, of all who share it.
    headers.remove(CLEAR_SITE_DATA);
    // Once over the few headers there are is faster than asking for each of those that may be.
    for (name, value) in headers.iter_mut() {
        let moved = match name {
            &LOCATION | &CONTENT_LOCATION => moved(value, mover, Some(0..value.len())),
            &REFRESH => moved(value, mover, refresh::target(value.as_bytes())),
            &LINK => moved(value, mover, link_targets(value.as_bytes())),
            name if name == SERVICE_WORKER_ALLOWED => moved(value, mover, Some(0..value.len())),
            _ => None,
        };
        if let Some(moved) = moved {
            *value = moved;
        }
    }
}

fn moved(value: &HeaderValue, mover: &Mover, targets: impl IntoIterator<Item = Range<usize>>) -> Option<HeaderValue> {
    let moved = mover.moved(&Text::plain(value.as_bytes()), targets)?;
    HeaderValue::from_maybe_shared(Bytes::from(moved)).ok()
}

/// The targets in `<target>; parameter="…", <target>` (RFC 8288 §3). What comes after a mistake is left alone.
fn link_targets(text: &[u8]) -> Vec<Range<usize>> {
    let mut targets = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count();
        let Some((b'<', rest)) = text[at..].split_first() else { return targets };
        let Some(len) = rest.iter().position(|byte| *byte == b'>') else { return targets };
        targets.push(at + 1..at + 1 + len);
        at += len + 2;
        at += parameters_len(&text[at..]);
    }
}

/// The length up to the comma that ends a link, which is not one within quotes.
fn parameters_len(text: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let ends = text.iter().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return true,
            _ => {}
        }
        false
    });
    ends.unwrap_or(text.len())
}

const CLEAR_SITE_DATA: &str = "clear-site-data";
const SERVICE_WORKER_ALLOWED: &str = "service-worker-allowed";

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::mount::{ScriptRoot, reference::OwnHost};

    #[test]
    fn every_header_that_names_a_path_moves() {
        let check = |name: &'static str, value: &'static str, expected: &str| {
            let mover =
                Mover::new(ScriptRoot::join("", "/t/acme"), OwnHost::Header(HeaderValue::from_static("a.example")));
            let mut headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            move_all(&mut headers, &mover);
            assert_eq!(headers[name].to_str().unwrap(), expected, "{name}: {value}");
        };
        check("location", "/x", "/t/acme/x");
        check("location", "//evil", "//evil");
        check("location", "/\\evil", "/\\evil");
        check("content-location", "http://A.example/x", "http://A.example/t/acme/x");
        check("service-worker-allowed", "/", "/t/acme/");
        check("refresh", "5; url=/x", "5; url=/t/acme/x");
        check("refresh", "5", "5");
        check("link", "</x>; rel=preload", "</t/acme/x>; rel=preload");
        check(
            "link",
            "</a,b>; title=\"</c>, \\\"\"; rel=next ,\t</d>,<//evil/x>, <e>",
            "</t/acme/a,b>; title=\"</c>, \\\"\"; rel=next ,\t</t/acme/d>,<//evil/x>, <e>",
        );
        check("link", "x </a>", "x </a>");
        check("link", "</a", "</a");
        check("x-other", "/x", "/x");
    }

    #[test]
    fn nobody_clears_what_others_have_stored() {
        let mover = Mover::new(ScriptRoot::join("", "/t/acme"), OwnHost::Unknown);
        let mut headers =
            HeaderMap::from_iter([(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"*\""))]);
        move_all(&mut headers, &mover);
        assert!(headers.is_empty());
    }
}
