//! What the layers add to a request, with 10,000 tenants in the catalog: resolve, admit, limit, mount, seal, enter and
//! dispatch to a warm instance, against calling the application's router directly.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{convert::Infallible, hint::black_box, time::Duration};

use axum::{body::Body, http::Request, response::Response};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tenantry_benches::{dispatched, idle, tenancy};
use tower::{Service, ServiceExt};

fn requests(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let tenancy = runtime.block_on(tenancy(folder.path(), 10_000)).expect("a deployment");
    let (direct, front) = (idle(), dispatched(&tenancy));
    let by_host = || request("t5000.localhost", "/", None);
    let by_path = || request("localhost", "/t/t5000/", None);
    let answer = runtime.block_on(front.clone().oneshot(by_host())).expect("an answer");
    assert_eq!(answer.status(), 200, "the instance is warm");

    let mut group = criterion.benchmark_group("request");
    group.measurement_time(Duration::from_secs(5));
    let mut run = |name, service: &dyn Fn(Request<Body>) -> Response, make: &dyn Fn() -> Request<Body>| {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(make, |request| black_box(service(request)), BatchSize::SmallInput);
        });
    };
    let call_direct = |request| call(&runtime, direct.clone(), request);
    let call_front = |request| call(&runtime, front.clone(), request);
    run("router alone", &call_direct, &by_host);
    run("dispatched by host", &call_front, &by_host);
    run("dispatched by path", &call_front, &by_path);
    run("refused, unknown host", &call_front, &|| request("nobody.localhost", "/", None));
    run("router alone, with a foreign cookie", &call_direct, &|| request("t5000.localhost", "/", Some("session=abc")));
    run("dispatched by host, with a foreign cookie", &call_front, &|| {
        request("t5000.localhost", "/", Some("session=abc"))
    });
    group.finish();
}

fn request(host: &str, path: &str, cookie: Option<&str>) -> Request<Body> {
    let request = Request::builder().uri(path).header("host", host);
    let request = match cookie {
        Some(cookie) => request.header("cookie", cookie),
        None => request,
    };
    request.body(Body::empty()).expect("a request")
}

fn call<S>(runtime: &tokio::runtime::Runtime, service: S, request: Request<Body>) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let Ok(response) = runtime.block_on(service.oneshot(request));
    response
}

criterion_group!(benches, requests);
criterion_main!(benches);
