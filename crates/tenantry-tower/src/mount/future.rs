//! The future that moves an answer below the script root.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use http::Response;
use pin_project_lite::pin_project;

use super::{HtmlRewriting, ScriptRoot, cookies, headers, html, reference::Mover};

pin_project! {
    /// The future of [`super::Mount`].
    pub struct MountFuture<F> {
        #[pin]
        future: F,
        mounted: Option<Mounted>,
    }
}

impl<F> MountFuture<F> {
    pub(super) const fn new(future: F, mounted: Option<Mounted>) -> Self {
        Self { future, mounted }
    }
}

impl<F> Future for MountFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.future.poll(cx));
        cookies::confine(response.headers_mut(), this.mounted.as_ref().map(|mounted| &mounted.root));
        Poll::Ready(Ok(match this.mounted.take() {
            Some(mounted) => mounted.leave(response),
            None => response,
        }))
    }
}

impl<F> fmt::Debug for MountFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountFuture").finish_non_exhaustive()
    }
}

/// What is kept of a request until its answer comes.
pub(super) struct Mounted {
    pub(super) root: ScriptRoot,
    pub(super) mover: Mover,
    pub(super) html: HtmlRewriting,
    pub(super) html_memory_max: usize,
    pub(super) is_head: bool,
}

impl Mounted {
    fn leave(self, mut response: Response<Body>) -> Response<Body> {
        headers::move_all(response.headers_mut(), &self.mover);
        match self.html {
            HtmlRewriting::On if html::is_page(&response) => {
                html::rewrite(response, self.mover, self.html_memory_max, self.is_head)
            }
            HtmlRewriting::On | HtmlRewriting::Off => response,
        }
    }
}
