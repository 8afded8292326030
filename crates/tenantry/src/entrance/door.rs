//! The door: from a link that is presented to a visitor who is signed in.

use std::{
    convert::Infallible,
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{body::Body, extract::OriginalUri};
use http::{
    HeaderValue, Method, Request, Response,
    header::{CACHE_CONTROL, REFERRER_POLICY},
    request::Parts,
};
use tenantry_core::{Act, Code, Once, Refusal, Scope, Spent};
use tenantry_resource::{Keys, TokenError, current};
use tenantry_tower::{ToldBy, TrustedProxies};
use tower_service::Service;

use super::{
    form::Came,
    link::{Pass, over},
    sign_in::{How, SignIn},
};
use crate::config::Config;

/// Where the links of a front are answered. Clones are the same; [`Door::another`] is one for another front.
#[derive(Clone)]
pub(crate) struct Door {
    frame: Arc<Frame>,
    sign_in: Arc<OnceLock<SignIn>>,
}

/// What the doors of a deployment have in common.
struct Frame {
    path: String,
    valid_for: Duration,
    keys: Keys,
    once: Arc<dyn Once>,
    proxies: TrustedProxies,
    told_by: ToldBy,
}

impl Door {
    pub(crate) fn new(config: &Config, keys: Keys, once: Arc<dyn Once>, proxies: TrustedProxies) -> Self {
        let frame = Frame {
            path: config.entrance.path.clone(),
            valid_for: config.entrance.valid_for,
            keys,
            once,
            proxies,
            told_by: config.proxies.client.into(),
        };
        Self { frame: Arc::new(frame), sign_in: Arc::default() }
    }

    /// A door of the same deployment that nobody has said yet how to sign in behind.
    pub(crate) fn another(&self) -> Self {
        Self { frame: Arc::clone(&self.frame), sign_in: Arc::default() }
    }

    /// Says how visitors are signed in. It is said once.
    pub(crate) fn open(&self, sign_in: SignIn) {
        if self.sign_in.set(sign_in).is_err() {
            tracing::warn!("how visitors are signed in was said before, and stays as it was");
        }
    }

    /// Whether a request is for the door, and not for the application.
    pub(super) fn is_for<B>(&self, request: &Request<B>) -> bool {
        request.uri().path() == self.frame.path && request.method() == Method::GET && self.sign_in.get().is_some()
    }

    /// Lets in whoever presents a link. It is called within the tenant's scope.
    pub(super) async fn answer<S>(self, mut came: Parts, application: S) -> Result<Response<Body>, Refusal>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send,
    {
        let scope = current()?;
        let mut response = self.let_in(&mut came, &scope, application).await.map_err(|refusal| {
            let refusal = refusal.for_tenant(scope.slug().clone());
            tracing::warn!(%refusal, "nobody was let in by a link");
            refusal
        })?;
        // The link is in the address: it must not be told to anybody else, nor the answer be given twice.
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Ok(response)
    }

    async fn let_in<S>(&self, came: &mut Parts, scope: &Scope, application: S) -> Result<Response<Body>, Refusal>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send,
    {
        let sign_in = self.sign_in.get().ok_or_else(|| Refusal::new(Code::EntranceFailed))?;
        let Pass { id, visitor } =
            Pass::read(&self.frame.keys, came.uri.query().unwrap_or_default()).map_err(invalid)?;
        let client = self.frame.proxies.client(came, self.frame.told_by);
        let act =
            Act::of(visitor.by(), client.map_or_else(|| "an unknown address".to_owned(), |ip: IpAddr| ip.to_string()));
        let deed = visitor.entered(scope.tenant(), &id);
        if self.frame.once.spend(&id, over(self.frame.valid_for), &act, &deed).await? == Spent::Before {
            return Err(Refusal::new(Code::LinkInvalid).because("the link was used before"));
        }
        match &sign_in.0 {
            How::Form(form) => {
                // The application is asked something else than what came.
                came.extensions.remove::<OriginalUri>();
                form.sign_in(application, &Came::new(&came.headers, came.extensions.clone()), &visitor).await
            }
            How::Own(sign_in) => Ok(sign_in(scope.clone(), visitor).await),
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("path", &self.frame.path).field("sign_in", &self.sign_in).finish_non_exhaustive()
    }
}

fn invalid(error: TokenError) -> Refusal {
    match error {
        TokenError::NoScope(error) => error.into(),
        other => Refusal::new(Code::LinkInvalid).because(other.to_string()),
    }
}
