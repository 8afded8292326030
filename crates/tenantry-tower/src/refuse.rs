//! From a refusal to an answer, in the form that the client asked for.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use pin_project_lite::pin_project;
use tenantry_core::Refusal;

/// Answers with a refusal: as JSON, as a small page or as text, whichever `accept` names first.
///
/// The refusal itself goes along in the answer's extensions, for layers further out.
pub(crate) fn refuse(refusal: Refusal, accept: Option<&HeaderValue>) -> Response<Body> {
    tracing::debug!(%refusal, "refused");
    let (content_type, body) = match Form::wanted(accept) {
        Form::Html => ("text/html; charset=utf-8", html(&refusal)),
        Form::Json => ("application/json", json(&refusal)),
        Form::Text => ("text/plain; charset=utf-8", format!("{}\n", refusal.public())),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Some of these statuses may be cached by default (RFC 9110 §15.1), and the tenant may be back in a second.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(secs) = refusal.retry_after_secs() {
        headers.insert(RETRY_AFTER, secs.into());
    }
    response.extensions_mut().insert(refusal);
    response
}

/// Answers a request that has these headers with a refusal: as JSON, as a small page or as text, as it asks for. For what
/// answers beside the layers and is to refuse as they do.
pub fn refused(refusal: Refusal, headers: &HeaderMap) -> Response<Body> {
    refuse(refusal, accept(headers))
}

/// The `Accept` header, to be kept until it is known whether there is a refusal.
pub(crate) fn accept(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(ACCEPT)
}

pin_project! {
    /// The future of a service that may refuse before it calls the inner one.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<F> {
        Called { #[pin] future: F },
        // Boxed, so that the future of a request that is served stays small.
        Answered { response: Option<Box<Response<Body>>> },
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn called(future: F) -> Self {
        Self { kind: Kind::Called { future } }
    }

    pub(crate) fn refused(refusal: Refusal, headers: &HeaderMap) -> Self {
        Self::answered(refused(refusal, headers))
    }

    pub(crate) fn answered(response: Response<Body>) -> Self {
        Self { kind: Kind::Answered { response: Some(Box::new(response)) } }
    }
}

impl<F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().kind.project() {
            KindProjection::Called { future } => future.poll(cx),
            // Nothing is left only after it was ready, when the contract of `Future` forbids to poll it.
            KindProjection::Answered { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(*response)))
            }
        }
    }
}

enum Form {
    Html,
    Json,
    Text,
}

impl Form {
    fn wanted(accept: Option<&HeaderValue>) -> Self {
        let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let wanted = accept.split(',').find_map(|range| {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            match media_type {
                "text/html" | "application/xhtml+xml" => Some(Self::Html),
                "application/json" => Some(Self::Json),
                "text/plain" => Some(Self::Text),
                _ => None,
            }
        });
        wanted.unwrap_or(Self::Text)
    }
}

fn json(refusal: &Refusal) -> String {
    serde_json::json!({ "error": { "code": refusal.code().as_str(), "message": refusal.public() } }).to_string()
}

fn html(refusal: &Refusal) -> String {
    let status = refusal.status();
    let reason = status.canonical_reason().unwrap_or_default();
    // The text comes from the table of codes and from our own resolvers, and repeats nothing that a client sent.
    let text = refusal.public();
    let again = refusal.retry_after_secs().map(again).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{reason}</title>\n\
         <h1>{reason}</h1>\n<p>{text}</p>\n{again}<p><small>{} {}</small></p></html>\n",
        status.as_u16(),
        refusal.code()
    )
}

/// When to come back, for people.
fn again(secs: u64) -> String {
    let (number, unit) = match secs {
        0..=90 => (secs, "second"),
        91..=5_400 => (secs.div_ceil(60), "minute"),
        5_401..=129_600 => (secs.div_ceil(3_600), "hour"),
        _ => (secs.div_ceil(86_400), "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("<p>Please try again in {number} {unit}{plural}.</p>\n")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tenantry_core::Code;

    use super::*;

    async fn answer(accept: &str) -> (String, String) {
        let refusal = Refusal::new(Code::TenantSuspended).for_tenant("acme".parse().unwrap());
        let accept = HeaderValue::from_str(accept).unwrap();
        let response = refuse(refusal, Some(&accept));
        assert_eq!(response.status(), 403);
        let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (content_type, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn answers_in_the_form_that_was_asked_for() {
        let (content_type, body) = answer("application/json").await;
        assert_eq!(content_type, "application/json");
        assert_eq!(body, r#"{"error":{"code":"tenant_suspended","message":"this workspace is suspended."}}"#);

        let (content_type, body) = answer("text/html,application/xhtml+xml,*/*;q=0.8").await;
        assert_eq!(content_type, "text/html; charset=utf-8");
        assert!(body.contains("<p>this workspace is suspended.</p>"), "{body}");

        assert!(!body.contains("try again"), "{body}");

        for other in ["*/*", "", "image/png"] {
            assert_eq!(answer(other).await.1, "this workspace is suspended.\n");
        }
    }

    #[test]
    fn people_are_told_when_to_come_back() {
        for (secs, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (5_401, "2 hours"),
            (864_000, "10 days"),
        ] {
            assert_eq!(again(secs), format!("<p>Please try again in {said}.</p>\n"));
        }
    }
}
