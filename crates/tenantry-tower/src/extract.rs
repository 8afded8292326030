//! Extractors for handlers that want to know the tenant.

use axum::{body::Body, extract::FromRequestParts};
use http::{Response, request::Parts};
use tenantry_core::{Code, Refusal, Scope};

use crate::refuse::{accept, refuse};

/// The scope of the request, for handlers that want to know the tenant.
///
/// Refuses with `no_scope` where the layers do not run.
///
/// ```
/// use tenantry_tower::CurrentScope;
///
/// async fn hello(CurrentScope(scope): CurrentScope) -> String {
///     format!("hello, {}", scope.slug())
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(hello));
/// ```
#[derive(Clone, Debug)]
pub struct CurrentScope(pub Scope);

impl<S: Sync> FromRequestParts<S> for CurrentScope {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response<Body>> {
        let scope = parts.extensions.get::<Scope>().cloned();
        scope.map(Self).ok_or_else(|| refuse(Refusal::new(Code::NoScope), accept(&parts.headers)))
    }
}
