//! How much time a tenant has left: for handlers and templates, and in headers of answers.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tenantry_control::time::utc;
use tenantry_core::Scope;
use tenantry_resource::current;
use tower_service::Service;

/// How much time the tenant has left whose scope is current; nothing where it never ends, and outside any scope.
///
/// ```
/// fn banner() -> String {
///     match tenantry::trial::remaining() {
///         Some(left) => format!("This workspace is yours for {left}."),
///         None => String::new(),
///     }
/// }
/// # assert_eq!(banner(), "");
/// ```
pub fn remaining() -> Option<Remaining> {
    current().ok()?.tenant().expires_at.map(|ends_at| Remaining { ends_at })
}

/// The time until a tenant's end. As text it is like *3 days*, in whole units, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    ends_at: SystemTime,
}

impl Remaining {
    /// When it is over.
    pub const fn ends_at(self) -> SystemTime {
        self.ends_at
    }

    /// How long that is from now on; nothing when it is over.
    pub fn left(self) -> Duration {
        self.ends_at.duration_since(SystemTime::now()).unwrap_or_default()
    }
}

impl fmt::Display for Remaining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(self.left()))
    }
}

/// A time in the unit that people would use.
pub(super) fn in_words(time: Duration) -> String {
    let secs = time.as_secs();
    let (number, unit) = match secs {
        0..=59 => return "less than a minute".to_owned(),
        60..=5_400 => (secs.div_ceil(60), "minute"),
        5_401..=129_600 => (secs.div_ceil(3_600), "hour"),
        _ => (secs.div_ceil(86_400), "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// Says in the answers of a tenant that ends when that is. It belongs behind admission.
#[derive(Clone, Debug)]
pub struct TellTime<S> {
    inner: S,
}

impl<S> TellTime<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Request<Body>> for TellTime<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = TellTimeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let ends_at = request.extensions().get::<Scope>().and_then(|scope| scope.tenant().expires_at);
        TellTimeFuture { future: self.inner.call(request), remaining: ends_at.map(|ends_at| Remaining { ends_at }) }
    }
}

pin_project! {
    /// The future of [`TellTime`].
    pub struct TellTimeFuture<F> {
        #[pin]
        future: F,
        remaining: Option<Remaining>,
    }
}

impl<F> Future for TellTimeFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.future.poll(cx));
        if let Some(remaining) = this.remaining {
            let headers = response.headers_mut();
            let end = utc(remaining.ends_at).and_then(|end| HeaderValue::try_from(end).ok());
            headers.extend(end.map(|end| (EXPIRES, end)));
            headers.insert(EXPIRES_IN, remaining.left().as_secs().into());
        }
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for TellTimeFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TellTimeFuture").finish_non_exhaustive()
    }
}

/// When the tenant's time is up, in UTC.
const EXPIRES: HeaderName = HeaderName::from_static("tenantry-expires");

/// How many seconds that is from now on.
const EXPIRES_IN: HeaderName = HeaderName::from_static("tenantry-expires-in");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_do() {
        for (secs, said) in [
            (0, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 minute"),
            (61, "2 minutes"),
            (5_400, "90 minutes"),
            (7_200, "2 hours"),
            (129_601, "2 days"),
            (864_000, "10 days"),
        ] {
            assert_eq!(in_words(Duration::from_secs(secs)), said);
        }
    }
}
