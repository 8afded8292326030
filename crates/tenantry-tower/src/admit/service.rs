//! The service that admits tenants.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use tenantry_core::{Admission, Candidate, Code, Refusal};
use tower_service::Service;

use crate::refuse::ResponseFuture;

/// See [`super::AdmitLayer`].
#[derive(Clone, Debug)]
pub struct Admit<S> {
    inner: S,
    admission: Arc<Admission>,
}

impl<S> Admit<S> {
    pub(super) const fn new(inner: S, admission: Arc<Admission>) -> Self {
        Self { inner, admission }
    }
}

impl<S> Service<Request<Body>> for Admit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let candidate = request.extensions().get::<Candidate>().ok_or_else(|| Refusal::new(Code::TenantMissing));
        match candidate.and_then(|candidate| self.admission.admit(candidate)) {
            Ok(scope) => {
                request.extensions_mut().insert(scope);
                ResponseFuture::called(self.inner.call(request))
            }
            Err(refusal) => ResponseFuture::refused(refusal, request.headers()),
        }
    }
}
