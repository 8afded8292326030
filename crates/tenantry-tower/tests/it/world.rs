//! A small world of tenants, and a client that asks it.

use std::{convert::Infallible, num::NonZeroU32, sync::Arc};

use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tenantry_core::{Admission, Limits, Mirror, Plan, Plans, Rate, Refusal, Status, Tenant, TenantId};
use tower::{Service, ServiceExt};

/// Active tenants `acme` (1) and `globex` (2), `sleepy` (3) which is suspended, and `tiny` (4) on the plan `tiny`.
pub(crate) fn admission() -> Arc<Admission> {
    let tenant = |id, slug: &str| Tenant::new(TenantId::new(id), slug.parse().unwrap());
    let mut sleepy = tenant(3, "sleepy");
    sleepy.status = Status::Suspended;
    let mut tiny = tenant(4, "tiny");
    tiny.plan = "tiny".parse().unwrap();
    let mirror = Mirror::from_iter([tenant(1, "acme"), tenant(2, "globex"), sleepy, tiny]);
    let plans =
        [Plan::new("default".parse().unwrap(), Limits::NONE), Plan::new("tiny".parse().unwrap(), tiny_limits())];
    Arc::new(Admission::new(Arc::new(mirror), Plans::from_iter(plans)))
}

fn tiny_limits() -> Limits {
    let mut limits = Limits::NONE;
    limits.rate = Some(Rate::new(NonZeroU32::MIN, NonZeroU32::MIN.saturating_add(2)));
    limits.in_flight_max = Some(2);
    limits.body_bytes_max = Some(10);
    limits
}

pub(crate) fn get(uri: &str) -> Request<Body> {
    Request::builder().uri(uri).body(Body::empty()).unwrap()
}

pub(crate) fn at_host(host: &str, path: &str) -> Request<Body> {
    Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap()
}

pub(crate) async fn ask<S>(service: &S, request: Request<Body>) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    service.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn text(response: Response<Body>) -> (StatusCode, String) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, String::from_utf8(body.to_vec()).unwrap())
}

/// The code of the refusal that `response` is.
pub(crate) fn code(response: &Response<Body>) -> &'static str {
    response.extensions().get::<Refusal>().map_or("not refused", |refusal| refusal.code().as_str())
}
