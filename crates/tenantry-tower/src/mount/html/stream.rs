//! The rewriter of one page: pieces in, pieces out.

use std::{
    borrow::Cow,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use encoding_rs::X_USER_DEFINED;
use lol_html::{
    AsciiCompatibleEncoding, MemorySettings, OutputSink, Selector,
    send::{Element, ElementContentHandlers, HtmlRewriter, Settings},
};

use super::attributes::move_links;
use crate::mount::reference::Mover;

/// Reads a page in pieces of any size.
///
/// Bytes that are not ASCII are nothing to us and must come out as they went in, whatever the charset is and wherever
/// the page declares it. So the rewriter is told that they are `x-user-defined`, which maps each to a character of its
/// own and back.
pub(super) struct PageStream {
    /// Gone after a mistake; then everything passes as it is.
    rewriter: Option<Box<HtmlRewriter<'static, Output>>>,
    output: Output,
}

impl PageStream {
    pub(super) fn new(mover: Mover, memory_max: usize) -> Self {
        let output = Output::default();
        let rewriter =
            settings(mover, memory_max).map(|settings| Box::new(HtmlRewriter::new(settings, output.clone())));
        Self { rewriter, output }
    }

    /// What can be sent on now; perhaps nothing, while a tag is not complete.
    pub(super) fn push(&mut self, piece: Bytes) -> Bytes {
        let Some(rewriter) = &mut self.rewriter else { return piece };
        if let Err(error) = rewriter.write(&piece) {
            // The rewriter has put out what it held back, unchanged, and cannot go on.
            tracing::warn!(%error, "the rest of a page passes without its links being moved");
            self.rewriter = None;
        }
        self.output.take()
    }

    /// What was held back.
    pub(super) fn finish(&mut self) -> Bytes {
        if let Some(Err(error)) = self.rewriter.take().map(|rewriter| rewriter.end()) {
            tracing::warn!(%error, "the end of a page passes without its links being moved");
        }
        self.output.take()
    }
}

/// Where the rewriter writes to. It keeps the one half, so the other one is shared.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn take(&self) -> Bytes {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl OutputSink for Output {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(chunk);
    }
}

fn settings(mover: Mover, memory_max: usize) -> Option<Settings<'static, 'static>> {
    let any: Selector = "*".parse().ok()?;
    let handler = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
        move_links(element, &mover);
        Ok(())
    });
    let memory = MemorySettings::new()
        .with_preallocated_parsing_buffer_size(BUFFER_BYTES.min(memory_max))
        .with_max_allowed_memory_usage(memory_max)
        .with_graceful_bail_out_on_memory_limit_exceeded(true);
    let settings = Settings::new_send()
        // Markup that browsers may read in two ways is no reason to break a page: nobody's safety depends on its links.
        .with_strict(false)
        .with_encoding(AsciiCompatibleEncoding::new(X_USER_DEFINED)?)
        .with_memory_settings(memory)
        .append_element_content_handler((Cow::Owned(any), handler));
    Some(settings)
}

/// Most tags that arrive in two pieces fit.
const BUFFER_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mount::{ScriptRoot, reference::OwnHost};

    fn stream(memory_max: usize) -> PageStream {
        let host = http::HeaderValue::from_static("a.example");
        PageStream::new(Mover::new(ScriptRoot::join("", "/t/acme"), OwnHost::Header(host)), memory_max)
    }

    fn rewrite<'a>(memory_max: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut stream = stream(memory_max);
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&stream.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&stream.finish());
        out
    }

    #[track_caller]
    fn check(page: &str, expected: &str) {
        let out = rewrite(1 << 20, [page.as_bytes()]);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn links_move() {
        check(r#"<a href="/x">"#, r#"<a href="/t/acme/x">"#);
        check("<a href=/x>y</a>", r#"<a href="/t/acme/x">y</a>"#);
        check("<A HREF='/x?a=\"b\"' id=1>", r#"<A HREF="/t/acme/x?a=&quot;b&quot;" id=1>"#);
        check(r#"<a href=" /x">"#, r#"<a href=" /t/acme/x">"#);
        check("<a href=\"\n/\tx\">", "<a href=\"\n/t/acme/\tx\">");
        check(r#"<a href="&#47;x&amp;y">"#, r#"<a href="/t/acme&#47;x&amp;y">"#);
        check(r#"<a href="&#x2F;&sol;evil">"#, r#"<a href="&#x2F;&sol;evil">"#);
        check(r#"<a href="&#47;&period;./x">"#, r#"<a href="/t/acme/x">"#);
        check(r#"<a href="http&colon;//a.example/x">"#, r#"<a href="http&colon;//a.example/t/acme/x">"#);
        check(r#"<base href="/">"#, r#"<base href="/t/acme/">"#);
        check(
            r#"<form action="/x"><button formaction=/y>"#,
            r#"<form action="/t/acme/x"><button formaction="/t/acme/y">"#,
        );
        check(r#"<video poster="/x" src="/y">"#, r#"<video poster="/t/acme/x" src="/t/acme/y">"#);
        check(r#"<object data="/x"><p data="/x">"#, r#"<object data="/t/acme/x"><p data="/x">"#);
        check(r#"<svg><use xlink:href="/x#y"/></svg>"#, r#"<svg><use xlink:href="/t/acme/x#y" /></svg>"#);
        check("<a href>", "<a href>");
        check(r#"<a href="">"#, r#"<a href="">"#);
        check(r##"<a href="#x"><a href="?x"><a href="x">"##, r##"<a href="#x"><a href="?x"><a href="x">"##);
        check(r#"<a href="/t/acme/x">"#, r#"<a href="/t/acme/x">"#);
    }

    #[test]
    fn the_first_of_two_attributes_counts() {
        check(r#"<a href="/x" href="/y">"#, r#"<a href="/t/acme/x" href="/y">"#);
        check(r#"<a href="x" HREF="/y">"#, r#"<a href="x" HREF="/y">"#);
    }

    #[test]
    fn a_list_of_images_moves() {
        check(
            r#"<img srcset="/a.png 1x, /b.png,//evil/c 2x, /d(,) (3x, 4y), e, http://a.example/f 5x,,/g,">"#,
            r#"<img srcset="/t/acme/a.png 1x, /t/acme/b.png,//evil/c 2x, /t/acme/d(,) (3x, 4y), e, http://a.example/t/acme/f 5x,,/t/acme/g,">"#,
        );
        check(r#"<link imagesrcset="&#47;a&comma; /b">"#, r#"<link imagesrcset="/t/acme&#47;a&comma; /t/acme/b">"#);
    }

    #[test]
    fn a_refreshing_meta_moves_and_others_do_not() {
        check(
            r#"<meta http-equiv="Refresh" content="0; url='/x'">"#,
            r#"<meta http-equiv="Refresh" content="0; url='/t/acme/x'">"#,
        );
        check("<meta content=0;url=/x http-equiv=refresh>", r#"<meta content="0;url=/t/acme/x" http-equiv=refresh>"#);
        check(r#"<meta name="x" content="0; url=/x">"#, r#"<meta name="x" content="0; url=/x">"#);
        check(r#"<p http-equiv="refresh" content="0; url=/x">"#, r#"<p http-equiv="refresh" content="0; url=/x">"#);
    }

    #[test]
    fn text_scripts_and_comments_stay() {
        for page in [
            r#"<script>let a = '<a href="/x">'; fetch("/y")</script>"#,
            r#"<!-- <a href="/x"> --><textarea><a href="/x"></textarea>"#,
            r"<style>a { background: url(/x) }</style> href=/x",
            r#"<a data-href="/x" title="/x" alt=/x>"#,
            r#"<noscript><img src="/x"></noscript>"#,
            "plain text /x",
            "<a href=\"/x",
            "< a href=/x>",
        ] {
            check(page, page);
        }
    }

    #[test]
    fn bytes_of_any_charset_come_out_as_they_went_in() {
        let page = b"<a title=\xff\x80 href=\"/\xe4\xf6\">\x81\x40\xfe</a>";
        let expected = b"<a title=\xff\x80 href=\"/t/acme/\xe4\xf6\">\x81\x40\xfe</a>";
        assert_eq!(rewrite(1 << 20, [page.as_slice()]), expected);
    }

    #[test]
    fn a_page_that_needs_too_much_memory_passes_unchanged_from_there_on() {
        let start = b"<a href=/x><img alt=\"".as_slice();
        let alt = "x".repeat(3000);
        let pieces = [start, alt.as_bytes(), alt.as_bytes(), b"\" src=/y><a href=/z>"];
        let whole = pieces.concat();
        let out = rewrite(4096, pieces);
        let expected = [br#"<a href="/t/acme/x">"#, &whole[b"<a href=/x>".len()..]].concat();
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(expected).unwrap());

        let nested = "<a href=/x><p>".repeat(10_000);
        let out = String::from_utf8(rewrite(4096, nested.as_bytes().chunks(100))).unwrap();
        assert_eq!(out.replace("\"/t/acme/x\"", "/x"), nested);
        assert!(rewrite(0, [b"<a href=/x>".as_slice()]).ends_with(b">"));

        let table = format!("<table>{}<a href=/x>", "<tr><td>".repeat(10_000));
        let out = String::from_utf8(rewrite(4 << 20, table.as_bytes().chunks(8192))).unwrap();
        assert!(out.ends_with("<a href=\"/t/acme/x\">"), "the default is enough for 20 000 open elements");
    }

    #[test]
    fn what_is_complete_is_not_held_back() {
        let mut stream = stream(1 << 20);
        assert_eq!(stream.push("<p>one <a hr".into()), "<p>one ");
        assert_eq!(stream.push("ef=/x".into()), "");
        assert_eq!(stream.push(">two".into()), "<a href=\"/t/acme/x\">two");
        assert_eq!(stream.finish(), "");
    }

    /// Slashes and dots as well, because dot segments are resolved.
    const NO_LETTERS: [char; 7] = ['"', '\'', ' ', '\n', '/', '.', '='];

    fn page() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "<(a|A|img|object|p|script|/script|svg|/a|!--|--|base)?[ \n]?",
            "(href|SRC|srcset|data|content|action|x) ?= ?",
            "[\"']?/?[a-z./&;:#47 ,]{0,6}[\"']?",
            Just("http://a.example".to_owned()),
            Just(">".to_owned()),
            "\\PC{0,3}",
        ];
        prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(page in page(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let page = page.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(page.len() + 1)).chain([0, page.len()]).collect();
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &page[cut[0]..cut[1]]);
            prop_assert_eq!(rewrite(1 << 20, pieces), rewrite(1 << 20, [page]));
        }

        #[test]
        fn without_the_root_a_page_has_no_other_letters(page in page()) {
            let out = String::from_utf8(rewrite(1 << 20, [page.as_bytes()])).unwrap();
            // A tag with a moved link is written anew: with other quotes and spaces, and without a `=` that has no value.
            let letters = |text: &str| text.replace("/t/acme", "").replace("&quot;", "").replace(NO_LETTERS, "");
            prop_assert_eq!(letters(&out), letters(&page));
        }
    }
}
