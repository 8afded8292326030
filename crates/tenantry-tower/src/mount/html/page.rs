//! Which answers are pages, and what becomes of their headers.

use axum::body::Body;
use encoding_rs::Encoding;
use http::{
    HeaderMap, HeaderName, Response, StatusCode,
    header::{
        ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
        HeaderValue,
    },
};
use http_body::Body as _;

use super::{body::PageBody, stream::PageStream};
use crate::mount::reference::Mover;

/// Whether an answer is a whole page that can be read as it is.
pub(in crate::mount) fn is_page(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_html(text(CONTENT_TYPE)) {
        return false;
    }
    let is_whole = response.status() != StatusCode::PARTIAL_CONTENT && !headers.contains_key(CONTENT_RANGE);
    let encoding = text(CONTENT_ENCODING);
    let is_encoded = headers.contains_key(CONTENT_ENCODING) && !encoding.eq_ignore_ascii_case("identity");
    let disposition = text(CONTENT_DISPOSITION).split(';').next().unwrap_or_default().trim();
    is_whole && !is_encoded && !disposition.eq_ignore_ascii_case("attachment")
}

/// The answer with its links moved.
pub(in crate::mount) fn rewrite(
    response: Response<Body>,
    mover: Mover,
    memory_max: usize,
    is_head: bool,
) -> Response<Body> {
    if !is_head && response.body().is_end_stream() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    forget_bytes(&mut head.headers);
    if is_head {
        return Response::from_parts(head, body);
    }
    Response::from_parts(head, Body::new(PageBody::new(body, PageStream::new(mover, memory_max))))
}

fn is_html(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !["text/html", "application/xhtml+xml"].iter().any(|html| html.eq_ignore_ascii_case(media_type)) {
        return false;
    }
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    // A charset that nobody knows is ignored by browsers as well.
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    encoding.is_none_or(Encoding::is_ascii_compatible)
}

/// Removes what is only true of the bytes that the application sent.
fn forget_bytes(headers: &mut HeaderMap) {
    for name in [CONTENT_LENGTH, ACCEPT_RANGES, CONTENT_MD5, CONTENT_DIGEST, REPR_DIGEST, DIGEST] {
        headers.remove(name);
    }
    if let Some(etag) = headers.get_mut(ETAG)
        && etag.as_bytes().starts_with(b"\"")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat())
    {
        *etag = weak;
    }
}

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const DIGEST: HeaderName = HeaderName::from_static("digest");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_readable_pages_are_pages() {
        let check = |headers: &[(HeaderName, &'static str)], expected: bool| {
            let mut response = Response::new(Body::empty());
            for (name, value) in headers {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            assert_eq!(is_page(&response), expected, "{headers:?}");
        };
        check(&[], false);
        check(&[(CONTENT_TYPE, "text/html")], true);
        check(&[(CONTENT_TYPE, "Text/HTML ; Charset=\"UTF-8\"")], true);
        check(&[(CONTENT_TYPE, "application/xhtml+xml; charset=shift_jis")], true);
        check(&[(CONTENT_TYPE, "text/html; charset=klingon")], true);
        check(&[(CONTENT_TYPE, "text/html; charset=utf-16")], false);
        check(&[(CONTENT_TYPE, "text/html; charset=iso-2022-jp")], false);
        check(&[(CONTENT_TYPE, "text/htmlx")], false);
        check(&[(CONTENT_TYPE, "application/json")], false);
        check(&[(CONTENT_TYPE, "text/html"), (CONTENT_ENCODING, "gzip")], false);
        check(&[(CONTENT_TYPE, "text/html"), (CONTENT_ENCODING, "identity")], true);
        check(&[(CONTENT_TYPE, "text/html"), (CONTENT_RANGE, "bytes 0-1/2")], false);
        check(&[(CONTENT_TYPE, "text/html"), (CONTENT_DISPOSITION, "Attachment; filename=x")], false);
        check(&[(CONTENT_TYPE, "text/html"), (CONTENT_DISPOSITION, "inline")], true);
    }
}
