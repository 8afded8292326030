//! Moves references of an application below its script root.
//!
//! What a reference means is decided as a browser does (URL standard §4.4, for `http` and `https`): white space before
//! it is skipped, tabs and line breaks are skipped everywhere, a backslash is a slash.

use std::{borrow::Cow, ops::Range};

use http::{HeaderValue, uri::Authority};

use super::{root::ScriptRoot, text::Text};

/// Moves the references of one answer.
#[derive(Clone, Debug)]
pub(super) struct Mover {
    root: ScriptRoot,
    host: OwnHost,
}

/// The host that the request was for, as far as it says.
#[derive(Clone, Debug)]
pub(super) enum OwnHost {
    Authority(Authority),
    Header(HeaderValue),
    Unknown,
}

impl Mover {
    pub(super) const fn new(root: ScriptRoot, host: OwnHost) -> Self {
        Self { root, host }
    }

    /// The text with those of its parts moved that are references to the application; nothing when all of them stay.
    pub(super) fn moved(&self, text: &Text<'_>, references: impl IntoIterator<Item = Range<usize>>) -> Option<Vec<u8>> {
        let mut moved = Vec::new();
        let mut copied = 0;
        for reference in references {
            let Some(edit) = self.edit(&text.read()[reference.clone()]) else { continue };
            let at = reference.start + edit.at;
            moved.extend_from_slice(text.written(copied..at));
            moved.extend_from_slice(self.root.as_str().as_bytes());
            if edit.path == Path::Absent {
                moved.push(b'/');
            }
            copied = at;
            for dots in edit.dots {
                moved.extend_from_slice(text.written(copied..reference.start + dots.start));
                copied = reference.start + dots.end;
            }
        }
        if moved.is_empty() {
            return None;
        }
        moved.extend_from_slice(text.written(copied..text.read_len()));
        Some(moved)
    }

    fn edit(&self, reference: &[u8]) -> Option<Edit> {
        let (url, places) = significant(reference);
        let start = self.path_start(&url)?;
        let end = url[start..].iter().position(|byte| matches!(byte, b'?' | b'#')).map_or(url.len(), |len| start + len);
        let dots = dots(&url[start..end]);
        if self.root.contains(&without(&url[start..end], &dots)) {
            return None;
        }
        let place = |at: usize| places.get(at).unwrap_or(reference.len());
        let dots = dots.into_iter().map(|range| place(start + range.start)..place(start + range.end)).collect();
        Some(Edit { at: place(start), path: if start == end { Path::Absent } else { Path::Present }, dots })
    }

    /// Where the path starts, if the reference has an absolute one and stays at the host of the request.
    fn path_start(&self, url: &[u8]) -> Option<usize> {
        let scheme = Scheme::of(url)?;
        let rest = &url[scheme.len()..];
        let slashes = rest.iter().take_while(|byte| is_slash(**byte)).count();
        match (slashes, scheme) {
            (0, _) => None,
            (1, Scheme::Same) => Some(0),
            // `http:/x` is a path if the page came by http, and a host if it came by https: nothing to rely on.
            (1, _) => None,
            _ => {
                let start = scheme.len() + slashes;
                let ends = |byte: &u8| is_slash(*byte) || matches!(byte, b'?' | b'#');
                let end = url[start..].iter().position(ends).map_or(url.len(), |len| start + len);
                self.host.is(&url[start..end], scheme).then_some(end)
            }
        }
    }
}

impl OwnHost {
    fn is(&self, authority: &[u8], scheme: Scheme) -> bool {
        let own = match self {
            Self::Authority(own) => own.as_str().as_bytes(),
            Self::Header(own) => own.as_bytes(),
            Self::Unknown => return false,
        };
        let own = own.rsplit(|byte| *byte == b'@').next().unwrap_or(own);
        let ((own_host, own_port), (host, port)) = (host_and_port(own), host_and_port(authority));
        // Whether the request came by http or https is not known here, so a port that is left out stands for either.
        let is_default = |port: &[u8]| match scheme {
            Scheme::Http => port == b"80",
            Scheme::Https => port == b"443",
            Scheme::Same => port == b"80" || port == b"443",
        };
        let same_port = match (own_port, port) {
            (b"", b"") => true,
            (b"", port) | (port, b"") => is_default(port),
            (own, port) => own == port,
        };
        !host.is_empty() && host.eq_ignore_ascii_case(own_host) && same_port
    }
}

/// What has to be done to a reference; all places are in the reference as it is read.
struct Edit {
    /// Where the root goes.
    at: usize,
    path: Path,
    /// The dot segments and what they undo: to be left out, because below a root they would lead out of it.
    dots: Vec<Range<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    /// As in `https://host?query`.
    Absent,
    Present,
}

#[derive(Clone, Copy)]
enum Scheme {
    Http,
    Https,
    /// The reference has none.
    Same,
}

impl Scheme {
    /// The scheme of `url`, or nothing when it is neither http nor https.
    fn of(url: &[u8]) -> Option<Self> {
        let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let len = url.iter().take_while(|byte| is_scheme(byte)).count();
        match url.split_at(len) {
            ([], _) => Some(Self::Same),
            (name, [b':', ..]) if name.eq_ignore_ascii_case(b"http") => Some(Self::Http),
            (name, [b':', ..]) if name.eq_ignore_ascii_case(b"https") => Some(Self::Https),
            _ => None,
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Http => 5,
            Self::Https => 6,
            Self::Same => 0,
        }
    }
}

/// What a browser looks at, and where each byte of it stands. Most references have nothing else.
fn significant(reference: &[u8]) -> (Cow<'_, [u8]>, Places) {
    let start = reference.iter().take_while(|byte| **byte <= b' ').count();
    let rest = &reference[start..];
    if !rest.iter().any(|byte| is_skipped(*byte)) {
        return (Cow::Borrowed(rest), Places::From(start, reference.len()));
    }
    let kept = || (start..reference.len()).filter(|at| !is_skipped(reference[*at]));
    (Cow::Owned(kept().map(|at| reference[at]).collect()), Places::Each(kept().collect()))
}

enum Places {
    Each(Vec<usize>),
    From(usize, usize),
}

impl Places {
    fn get(&self, at: usize) -> Option<usize> {
        match self {
            Self::Each(places) => places.get(at).copied(),
            Self::From(start, end) => Some(start + at).filter(|place| place < end),
        }
    }
}

/// The parts of a path that a browser drops when it resolves dot segments (URL standard §4.4, path state).
fn dots(path: &[u8]) -> Vec<Range<usize>> {
    if !path.contains(&b'.') && !path.contains(&b'%') {
        return Vec::new();
    }
    // Each segment with the slash before it.
    let mut kept: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let end = path[at + 1..].iter().position(|byte| is_slash(*byte)).map_or(path.len(), |len| at + 1 + len);
        let is_last = end == path.len();
        match dots_in(&path[at + 1..end]) {
            0 => kept.push(at..end),
            up => {
                kept.truncate(kept.len().saturating_sub(up - 1));
                if is_last {
                    kept.push(at..at + 1);
                }
            }
        }
        at = end;
    }
    let ends = kept.iter().map(|range| range.start).chain([path.len()]);
    let starts = std::iter::once(0).chain(kept.iter().map(|range| range.end));
    starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect()
}

/// 1 for a segment `.`, 2 for `..`, 0 for any other; `%2e` is a dot as well (URL standard §4.1).
pub(super) fn dots_in(mut segment: &[u8]) -> usize {
    let mut count = 0;
    while let [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] = segment {
        (segment, count) = (rest, count + 1);
    }
    if segment.is_empty() && count <= 2 { count } else { 0 }
}

fn without<'a>(path: &'a [u8], dropped: &[Range<usize>]) -> Cow<'a, [u8]> {
    if dropped.is_empty() {
        return Cow::Borrowed(path);
    }
    // The ranges come in order, so what is kept lies between them.
    let starts = std::iter::once(0).chain(dropped.iter().map(|range| range.end));
    let ends = dropped.iter().map(|range| range.start).chain([path.len()]);
    Cow::Owned(starts.zip(ends).flat_map(|(start, end)| &path[start..end]).copied().collect())
}

fn host_and_port(authority: &[u8]) -> (&[u8], &[u8]) {
    // The colons of an IPv6 address stand in brackets.
    match authority.iter().rposition(|byte| matches!(byte, b':' | b']')) {
        Some(at) if authority[at] == b':' => (&authority[..at], &authority[at + 1..]),
        _ => (authority, b""),
    }
}

const fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

const fn is_skipped(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moved(host: &'static str, reference: &str) -> String {
        let mover = Mover::new(ScriptRoot::join("", "/t/acme"), OwnHost::Header(HeaderValue::from_static(host)));
        let text = Text::plain(reference.as_bytes());
        let moved = mover.moved(&text, Some(0..reference.len())).unwrap_or(reference.as_bytes().to_vec());
        String::from_utf8(moved).unwrap()
    }

    #[track_caller]
    fn check(reference: &str, expected: &str) {
        assert_eq!(moved("a.example", reference), expected, "{reference:?}");
    }

    #[test]
    fn root_relative_references_move() {
        check("/", "/t/acme/");
        check("/x?y=/z#/w", "/t/acme/x?y=/z#/w");
        check("/?next=/x", "/t/acme/?next=/x");
        check("/t/globex/x", "/t/acme/t/globex/x");
        check("/t/acmex", "/t/acme/t/acmex");
        check("/t/acme/x", "/t/acme/x");
        check("/t/acme", "/t/acme");
        check("/t/acme?x", "/t/acme?x");
        check("  /x", "  /t/acme/x");
        check("\t\n/\nx", "\t\n/t/acme/\nx");
        check("\\x", "/t/acme\\x");
    }

    #[test]
    fn relative_and_foreign_references_stay() {
        for reference in [
            "",
            "x",
            "./x",
            "../x",
            "?x",
            "#x",
            "mailto:/x",
            "javascript:/x/",
            "data:,/x",
            "//b.example/x",
            "\\\\b.example",
            "/\\b.example/x",
            "\\/b.example",
            "/\t/b.example",
            "http://b.example/",
            "https:///b.example/x",
            "http:/x",
            "http:x",
            "https://user@a.example/x",
            "//a.example.evil/x",
            "ftp://a.example/x",
            "https://[::1]/x",
            "http//a.example/x",
        ] {
            check(reference, reference);
        }
    }

    #[test]
    fn dot_segments_do_not_lead_out() {
        check("/../x", "/t/acme/x");
        check("/a/../../../globex", "/t/acme/globex");
        check("/t/acme/../globex/x", "/t/acme/t/globex/x");
        check("/t/acme/./x", "/t/acme/./x");
        check("/%2e%2E/x", "/t/acme/x");
        check("/a/.%2e\\..\\x/.", "/t/acme\\x/");
        check("/..", "/t/acme/");
        check("/a/b/..", "/t/acme/a/");
        check("/..//b.example/x", "/t/acme//b.example/x");
        check("/a/...?../x", "/t/acme/a/...?../x");
        check("https://a.example/../x", "https://a.example/t/acme/x");
        check("/a/.\t./b", "/t/acme/b");
    }

    #[test]
    fn the_own_host_is_recognised() {
        let check = |own: &'static str, reference: &str, expected: &str| {
            assert_eq!(moved(own, reference), expected, "{own} {reference}");
        };
        check("a.example", "http://a.example/x", "http://a.example/t/acme/x");
        check("a.example", "HTTPS://A.Example/x", "HTTPS://A.Example/t/acme/x");
        check("a.example", "//a.example/x", "//a.example/t/acme/x");
        check("a.example", "https://a.example", "https://a.example/t/acme/");
        check("a.example", "https://a.example?x", "https://a.example/t/acme/?x");
        check("a.example", "https://a.example/t/acme/x", "https://a.example/t/acme/x");
        check("a.example", "https://a.example:443/x", "https://a.example:443/t/acme/x");
        check("a.example:443", "https://a.example/x", "https://a.example/t/acme/x");
        check("a.example:80", "https://a.example/x", "https://a.example/x");
        check("a.example", "https://a.example:80/x", "https://a.example:80/x");
        check("a.example:8080", "http://a.example:8080/x", "http://a.example:8080/t/acme/x");
        check("a.example:8080", "http://a.example/x", "http://a.example/x");
        check("[::1]:8080", "http://[::1]:8080/x", "http://[::1]:8080/t/acme/x");
        check("[::1]", "http://[::1]/x", "http://[::1]/t/acme/x");
        check("a.example", "http:\\\\a.example\\x", "http:\\\\a.example/t/acme\\x");
    }

    proptest! {
        /// A browser that follows the moved reference from any page of the tenant stays below the root.
        #[test]
        fn what_is_root_relative_stays_below_the_root(reference in "[ \t]{0,1}/([a/\\\\.?#%2eE:@\t-]|t/acme|\\.\\./){0,12}") {
            let first: String = reference.trim_start().chars().filter(|c| *c != '\t').take(2).collect();
            prop_assume!(first != "//" && first != "/\\");
            let target = resolve(&moved("a.example", &reference));
            prop_assert!(target == "/t/acme" || target.starts_with("/t/acme/"), "{} became {}", reference, target);
            prop_assert_eq!(moved("a.example", &moved("a.example", &reference)), moved("a.example", &reference));
        }
    }

    /// The path that a browser asks for; written apart from the code above, for references that start with one slash.
    fn resolve(reference: &str) -> String {
        let plain: String = reference.trim_start().chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
        let path = plain.split(['?', '#']).next().unwrap().replace('\\', "/").replace("%2e", ".").replace("%2E", ".");
        assert!(path.starts_with('/') && !path.starts_with("//"), "{path}");
        let mut resolved: Vec<&str> = Vec::new();
        for segment in path[1..].split('/') {
            match segment {
                "." => {}
                ".." => drop(resolved.pop()),
                segment => resolved.push(segment),
            }
        }
        format!("/{}", resolved.join("/"))
    }
}
