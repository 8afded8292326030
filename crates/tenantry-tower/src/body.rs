//! A body that keeps something alive until it has been sent.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use pin_project_lite::pin_project;
use tenantry_core::{Count, Scope};

/// Keeps `guard` until `body` has been sent or dropped.
pub(crate) fn keep<G: Send + 'static>(guard: G, body: Body) -> Body {
    // An empty body needs no wrapper: it has been sent already.
    if body.is_end_stream() { body } else { Body::new(Kept { body, guard: Some(guard) }) }
}

/// Counts the bytes of `body`: at once where it says how many it has, and else as they pass.
pub(crate) fn count(body: Body, scope: &Scope, what: Count) -> Body {
    if let Some(bytes) = body.size_hint().exact() {
        scope.usage().add(what, bytes);
        return body;
    }
    let scope = scope.clone();
    Body::new(body.map_frame(move |frame| {
        let bytes = frame.data_ref().map_or(0, |data| data.len());
        scope.usage().add(what, u64::try_from(bytes).unwrap_or(u64::MAX));
        frame
    }))
}

pin_project! {
    struct Kept<G> {
        #[pin]
        body: Body,
        guard: Option<G>,
    }
}

impl<G> http_body::Body for Kept<G> {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let polled = this.body.poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            // The server may hold on to the body a little longer than it needs it.
            this.guard.take();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
