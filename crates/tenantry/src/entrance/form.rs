//! The application's own login, replayed.

use std::convert::Infallible;

use axum::body::{Body, to_bytes};
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, FORWARDED, HOST, HeaderMap as Headers, LOCATION, SET_COOKIE,
        USER_AGENT,
    },
};
use tenantry_core::{Code, Refusal};
use tenantry_tower::hidden_fields;
use tower::ServiceExt;
use tower_service::Service;
use url::form_urlencoded;

use super::visitor::{Visitor, Way};

/// A login form, and what is filled in.
pub(super) struct Form {
    pub(super) path: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Form {
    /// Signs a visitor in by two requests to `application`, which are like the one that the visitor came with.
    pub(super) async fn sign_in<S>(
        &self,
        application: S,
        came: &Came,
        visitor: &Visitor,
    ) -> Result<Response<Body>, Refusal>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send,
    {
        let (name, account) =
            self.fields.first().map(|(name, value)| (name.as_str(), value.as_str())).unwrap_or_default();
        // Who tries it out is somebody, and comes in as the account that trials have.
        if visitor.way() == Way::Impersonation && visitor.who().is_some_and(|who| who != account) {
            return Err(failed("the login form signs in one account alone; `SignIn::with` can sign in others"));
        }
        let mut jar = Jar::default();
        let page = send(application.clone(), came.request(Method::GET, &self.path, &jar, None)).await?;
        jar.keep(page.headers());
        let page = to_bytes(page.into_body(), PAGE_BYTES_MAX).await;
        let page = page.map_err(|error| failed(format!("the page with the login form cannot be read: {error}")))?;

        let filled = self.filled(hidden_fields(&page, name));
        let answer = send(application, came.request(Method::POST, &self.path, &jar, Some(filled))).await?;
        jar.keep(answer.headers());
        self.let_in(&answer, jar)
    }

    fn filled(&self, hidden: Vec<(String, String)>) -> String {
        let mut filled = form_urlencoded::Serializer::new(String::new());
        filled.extend_pairs(hidden).extend_pairs(&self.fields).finish()
    }

    /// What the visitor gets, if the application has let it in.
    fn let_in(&self, answer: &Response<Body>, jar: Jar) -> Result<Response<Body>, Refusal> {
        let location = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection());
        let Some(location) = location else {
            return Err(failed(format!("the login form was answered with {} and no redirect", answer.status())));
        };
        let path = location.to_str().unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
        if path.ends_with(&self.path) {
            return Err(failed("the login form was answered with a redirect to itself"));
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, location.clone());
        for (_, set) in jar.0 {
            response.headers_mut().append(SET_COOKIE, set);
        }
        Ok(response)
    }
}

/// What a visitor's request had that the application may want to know: where it was sent to, and from.
pub(super) struct Came {
    headers: Headers,
    extensions: Extensions,
}

impl Came {
    /// The visitor's own cookies stay outside: whoever is signed in already is another one.
    pub(super) fn new(headers: &HeaderMap, extensions: Extensions) -> Self {
        let kept = headers.iter().filter(|(name, _)| {
            [HOST, USER_AGENT, ACCEPT_LANGUAGE, FORWARDED].contains(name) || name.as_str().starts_with("x-forwarded-")
        });
        Self { headers: kept.map(|(name, value)| (name.clone(), value.clone())).collect(), extensions }
    }

    fn request(&self, method: Method, path: &str, jar: &Jar, form: Option<String>) -> Result<Request<Body>, Refusal> {
        let request = Request::builder().method(method).uri(path);
        let (body, form_type) = match form {
            Some(form) => (Body::from(form), Some(HeaderValue::from_static("application/x-www-form-urlencoded"))),
            None => (Body::empty(), None),
        };
        let mut request = request.body(body).map_err(|error| failed(format!("no path of a login form: {error}")))?;
        *request.extensions_mut() = self.extensions.clone();
        let headers = request.headers_mut();
        *headers = self.headers.clone();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html"));
        headers.insert(SEC_FETCH_SITE, HeaderValue::from_static("same-origin"));
        headers.extend(form_type.map(|form| (CONTENT_TYPE, form)));
        headers.extend(jar.header().map(|cookies| (COOKIE, cookies)));
        Ok(request)
    }
}

async fn send<S>(application: S, request: Result<Request<Body>, Refusal>) -> Result<Response<Body>, Refusal>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
{
    let request = request?;
    match application.oneshot(request).await {
        // What a layer below has refused is refused.
        Ok(mut response) => match response.extensions_mut().remove::<Refusal>() {
            Some(refusal) => Err(refusal),
            None => Ok(response),
        },
        Err(never) => match never {},
    }
}

/// The cookies that were set, each as it was set last.
#[derive(Default)]
struct Jar(Vec<(Vec<u8>, HeaderValue)>);

impl Jar {
    fn keep(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(SET_COOKIE) {
            let name = set.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default().to_vec();
            self.0.retain(|(known, _)| *known != name);
            self.0.push((name, set.clone()));
        }
    }

    fn header(&self) -> Option<HeaderValue> {
        let pairs = self.0.iter().filter_map(|(_, set)| set.as_bytes().split(|byte| *byte == b';').next());
        let pairs: Vec<&[u8]> = pairs.collect();
        if pairs.is_empty() { None } else { HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok() }
    }
}

fn failed(why: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Code::EntranceFailed).because(why)
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A page with a form to sign in is smaller.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
