//! The service that takes the script root off a request.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{body::Body, extract::OriginalUri};
use http::{
    HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT_ENCODING, HOST, HeaderValue, LOCATION},
    request,
    uri::PathAndQuery,
};
use tenantry_core::{Candidate, Code, Refusal};
use tower_service::Service;

use super::{
    HtmlRewriting, MountFuture, ScriptRoot, cookies,
    future::Mounted,
    layer::Settings,
    reference::{Mover, OwnHost},
    root::is_plain,
};
use crate::refuse::ResponseFuture;

/// See [`super::MountLayer`].
#[derive(Clone, Debug)]
pub struct Mount<S> {
    inner: S,
    settings: Settings,
}

impl<S> Mount<S> {
    pub(super) const fn new(inner: S, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

impl<S> Service<Request<Body>> for Mount<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture<MountFuture<S::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mount_len = request.extensions().get::<Candidate>().map_or(0, Candidate::mount_len);
        if mount_len == 0 && !request.headers().contains_key(X_FORWARDED_PREFIX) {
            return ResponseFuture::called(MountFuture::new(self.inner.call(request), None));
        }
        let (mut head, body) = request.into_parts();
        match self.settings.enter(&mut head, mount_len) {
            Ok(mounted) => {
                let future = self.inner.call(Request::from_parts(head, body));
                ResponseFuture::called(MountFuture::new(future, mounted))
            }
            Err(Elsewhere::Refused(refusal)) => ResponseFuture::refused(refusal, &head.headers),
            Err(Elsewhere::WithSlash(location)) => ResponseFuture::answered(redirect(location)),
        }
    }
}

impl Settings {
    /// Turns the request into what the application expects, and says what its answer has to be turned into.
    fn enter(&self, head: &mut request::Parts, mount_len: usize) -> Result<Option<Mounted>, Elsewhere> {
        let outer = self.take_outer(head);
        let (mount, uri) = split(&head.uri, mount_len)?;
        let root = ScriptRoot::join(&outer, mount);
        let Some(uri) = uri else { return Err(Elsewhere::with_slash(&root, &head.uri)) };
        if root.is_empty() {
            return Ok(None);
        }
        let value = HeaderValue::from_str(root.as_str()).map_err(|_| Elsewhere::malformed())?;
        head.headers.insert(X_FORWARDED_PREFIX, value);
        if self.html == HtmlRewriting::On {
            // A page that is encoded cannot be read.
            head.headers.remove(ACCEPT_ENCODING);
        }
        cookies::restore_names(&mut head.headers);
        let came = std::mem::replace(&mut head.uri, uri);
        let mover = Mover::new(root.clone(), own_host(&came, &head.headers));
        if head.extensions.get::<OriginalUri>().is_none() {
            head.extensions.insert(OriginalUri(came));
        }
        head.extensions.insert(root.clone());
        let is_head = head.method == Method::HEAD;
        Ok(Some(Mounted { root, mover, html: self.html, html_memory_max: self.html_memory_max, is_head }))
    }

    /// The prefix that a trusted proxy took off, or nothing; afterwards the header is gone.
    fn take_outer(&self, head: &mut request::Parts) -> String {
        let values = head.headers.get_all(X_FORWARDED_PREFIX);
        let mut values = values.iter();
        let outer = match (values.next(), values.next()) {
            (Some(only), None) if self.proxies.trusts(head) => only.to_str().unwrap_or_default(),
            _ => "",
        };
        let outer = outer.strip_suffix('/').unwrap_or(outer);
        let outer = if is_plain(outer) { outer.to_owned() } else { String::new() };
        head.headers.remove(X_FORWARDED_PREFIX);
        outer
    }
}

/// Why the application is not asked.
enum Elsewhere {
    Refused(Refusal),
    WithSlash(HeaderValue),
}

impl Elsewhere {
    fn malformed() -> Self {
        Self::Refused(Refusal::new(Code::RequestMalformed).because("the path does not start with a tenant's address"))
    }

    fn with_slash(root: &ScriptRoot, uri: &Uri) -> Self {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let location = HeaderValue::try_from(format!("{root}/{query}"));
        location.map_or_else(|_| Self::malformed(), Self::WithSlash)
    }
}

/// The mount, and the URI without it; no URI when nothing of the path is left.
fn split(uri: &Uri, mount_len: usize) -> Result<(&str, Option<Uri>), Elsewhere> {
    if mount_len == 0 {
        return Ok(("", Some(uri.clone())));
    }
    let (mount, rest) = uri.path().split_at_checked(mount_len).ok_or_else(Elsewhere::malformed)?;
    if !is_plain(mount) || !matches!(rest.as_bytes(), [] | [b'/', ..]) {
        return Err(Elsewhere::malformed());
    }
    if rest.is_empty() {
        return Ok((mount, None));
    }
    let rest = uri.path_and_query().and_then(|whole| whole.as_str().get(mount_len..)).unwrap_or(rest);
    let rest = PathAndQuery::try_from(rest).map_err(|_| Elsewhere::malformed())?;
    if uri.authority().is_none() {
        return Ok((mount, Some(rest.into())));
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest);
    let uri = Uri::from_parts(parts).map_err(|_| Elsewhere::malformed())?;
    Ok((mount, Some(uri)))
}

/// The host that the client asked for. The URI has it in HTTP/2, and otherwise wins over the header (RFC 9112 §3.2.2).
fn own_host(uri: &Uri, headers: &HeaderMap) -> OwnHost {
    match (uri.authority(), headers.get(HOST)) {
        (Some(authority), _) => OwnHost::Authority(authority.clone()),
        (None, Some(host)) => OwnHost::Header(host.clone()),
        (None, None) => OwnHost::Unknown,
    }
}

fn redirect(location: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(LOCATION, location);
    response
}

const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
