//! The service that admits tenants.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use tenantry_core::{Admission, Candidate, Code, Count, Refusal, Scope, Slug};
use tower_service::Service;

use crate::refuse::ResponseFuture;

/// See [`super::AdmitLayer`].
///
/// A service that is called again for the same tenant, as that of a connection is, admits it again without a look-up
/// while the mirror has not changed.
#[derive(Debug)]
pub struct Admit<S> {
    inner: S,
    admission: Arc<Admission>,
    last: Option<Admitted>,
}

/// An admission that holds until the mirror changes.
#[derive(Debug)]
struct Admitted {
    slug: Slug,
    changes: u64,
    scope: Scope,
}

impl<S> Admit<S> {
    pub(super) const fn new(inner: S, admission: Arc<Admission>) -> Self {
        Self { inner, admission, last: None }
    }

    fn admit(&mut self, candidate: &Candidate) -> Result<Scope, Refusal> {
        let changes = self.admission.mirror().changes();
        // What one request was refused is not said of the next.
        let is_clean = |last: &Admitted| last.scope.noted().is_none();
        let same = |last: &&Admitted| last.changes == changes && last.slug == *candidate.slug() && is_clean(last);
        if let (Some(last), []) = (self.last.as_ref().filter(same), candidate.others()) {
            return Ok(last.scope.clone());
        }
        let scope = self.admission.admit(candidate)?;
        // One that ends by the clock is asked for each time.
        let holds = scope.tenant().expires_at.is_none();
        self.last = holds.then(|| Admitted { slug: candidate.slug().clone(), changes, scope: scope.clone() });
        Ok(scope)
    }

    /// Counts a refusal for the tenant that was refused, if there is one.
    fn count(&self, refusal: &Refusal) {
        let usages = self.admission.usages();
        match refusal.tenant().and_then(|slug| self.admission.mirror().by_slug(slug)) {
            Some(tenant) => usages.of(tenant.id).add(Count::Refusals, 1),
            None => usages.nobody().add(Count::Refusals, 1),
        }
    }
}

impl<S: Clone> Clone for Admit<S> {
    fn clone(&self) -> Self {
        // What was admitted last is not taken along: clones on other threads would all count up in it.
        Self::new(self.inner.clone(), Arc::clone(&self.admission))
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
        match candidate.and_then(|candidate| self.admit(candidate)) {
            Ok(scope) => {
                request.extensions_mut().insert(scope);
                ResponseFuture::called(self.inner.call(request))
            }
            Err(refusal) => {
                self.count(&refusal);
                ResponseFuture::refused(refusal, request.headers())
            }
        }
    }
}
