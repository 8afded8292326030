//! The body of a page whose links move while it passes.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;

use super::stream::PageStream;

/// Passes each piece on as soon as it is read, except for a tag that is not complete yet.
pub(super) struct PageBody {
    inner: Body,
    stream: PageStream,
    state: State,
}

impl PageBody {
    pub(super) const fn new(inner: Body, stream: PageStream) -> Self {
        Self { inner, stream, state: State::Passing }
    }

    /// What is still to be sent after the last piece: the end of the page, then trailers.
    fn finish(&mut self, trailers: Option<Frame<Bytes>>) -> Option<Frame<Bytes>> {
        let rest = self.stream.finish();
        self.state = State::Ending(trailers);
        if rest.is_empty() { self.end() } else { Some(Frame::data(rest)) }
    }

    fn end(&mut self) -> Option<Frame<Bytes>> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ending(trailers) => trailers,
            State::Passing | State::Ended => None,
        }
    }
}

impl http_body::Body for PageBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        while matches!(this.state, State::Passing) {
            let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)).transpose()? {
                None => this.finish(None),
                Some(frame) => match frame.into_data() {
                    Ok(data) => Some(Frame::data(this.stream.push(data))).filter(|frame| !is_empty(frame)),
                    Err(trailers) => this.finish(Some(trailers)),
                },
            };
            if let Some(frame) = frame {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
        Poll::Ready(this.end().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended | State::Ending(None))
    }
}

enum State {
    Passing,
    /// The page is complete; trailers may follow.
    Ending(Option<Frame<Bytes>>),
    Ended,
}

fn is_empty(frame: &Frame<Bytes>) -> bool {
    frame.data_ref().is_some_and(Bytes::is_empty)
}
