//! One tenant at its limit, and another that does not notice.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    routing::{get as route, post},
};
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use tenantry_tower::{AdmitLayer, Host, LimitLayer, ResolveLayer};
use tower::{Service, ServiceBuilder};

use crate::world::{admission, ask, at_host, code, text};

type Endless = tokio_stream::wrappers::ReceiverStream<Result<http_body::Frame<Bytes>, std::convert::Infallible>>;

fn service() -> impl Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible> + Clone {
    let app = Router::new()
        .route("/", route(|| async { "hello" }))
        .route(
            "/stream",
            route(|| async {
                let (sender, receiver) = tokio::sync::mpsc::channel(1);
                // Leaked, so that the stream does not end by itself.
                std::mem::forget(sender);
                Body::new(StreamBody::new(Endless::new(receiver)))
            }),
        )
        .route("/echo", post(|body: Bytes| async move { body }));
    ServiceBuilder::new()
        .layer(ResolveLayer::new(Host::new().under("example.com")))
        .layer(AdmitLayer::new(admission()))
        .layer(LimitLayer::new())
        .service(app)
}

#[tokio::test]
async fn too_many_per_second_wait_and_others_do_not() {
    let service = service();
    for _ in 0..3 {
        assert_eq!(text(ask(&service, at_host("tiny.example.com", "/")).await).await.1, "hello");
    }
    let refused = ask(&service, at_host("tiny.example.com", "/")).await;
    assert_eq!((refused.status().as_u16(), code(&refused)), (429, "rate_limited"));
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(text(ask(&service, at_host("acme.example.com", "/")).await).await.1, "hello");

    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(text(ask(&service, at_host("tiny.example.com", "/")).await).await.1, "hello");
}

#[tokio::test]
async fn a_request_counts_until_its_answer_is_sent() {
    let service = service();
    let first = ask(&service, at_host("tiny.example.com", "/stream")).await;
    let second = ask(&service, at_host("tiny.example.com", "/stream")).await;
    let refused = ask(&service, at_host("tiny.example.com", "/")).await;
    assert_eq!((refused.status().as_u16(), code(&refused)), (429, "in_flight_limited"));
    assert_eq!(refused.headers()["retry-after"], "1");
    // A refusal for this reason has not used up the rate.
    drop(first);
    assert_eq!(text(ask(&service, at_host("tiny.example.com", "/")).await).await.1, "hello");
    drop(second);
}

#[tokio::test]
async fn a_body_is_no_larger_than_allowed() {
    let send = |host: &str, body: Body| {
        let host = format!("{host}.example.com");
        Request::builder().method("POST").uri("/echo").header("host", host).body(body).unwrap()
    };
    let chunked = |text: &'static str| {
        let frames =
            text.as_bytes().chunks(4).map(|chunk| Ok::<_, std::convert::Infallible>(Bytes::from_static(chunk)));
        Body::from_stream(tokio_stream::iter(frames))
    };
    let fits = ask(&service(), send("tiny", Body::from("0123456789"))).await;
    assert_eq!(text(fits).await.1, "0123456789");
    let fits = ask(&service(), send("tiny", chunked("0123456789"))).await;
    assert_eq!(text(fits).await.1, "0123456789");

    let announced = ask(&service(), send("tiny", Body::from("0123456789a"))).await;
    assert_eq!((announced.status().as_u16(), code(&announced)), (413, "body_too_large"));
    let found_out = ask(&service(), send("tiny", chunked("0123456789a"))).await;
    assert_eq!(found_out.status(), 413);
    let unlimited = ask(&service(), send("acme", chunked("0123456789a"))).await;
    assert_eq!(unlimited.into_body().collect().await.unwrap().to_bytes(), "0123456789a");
}
