//! The page to try it, and what it sends.

use std::time::{Duration, SystemTime};

use axum::{
    Router,
    body::to_bytes,
    extract::{RawQuery, Request, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, LOCATION, REFERRER_POLICY},
    request::Parts,
};
use serde_json::json;
use tenantry_control::time::utc;
use tenantry_core::{Code, Refusal};
use tenantry_tower::refused;
use url::form_urlencoded;

use super::{
    confirm::PARAMETER,
    start::{Trial, Trials, unavailable},
};

impl Trials {
    /// The page at `/try`, and what its form sends: for the application that answers requests which name no tenant
    /// ([`Front::apex`](crate::Front::apex)).
    ///
    /// `POST /try` answers with a redirect into the trial; whoever accepts `application/json` gets `url`, `slug`, `expires_at` and
    /// `expires_in`, which are seconds, with 201. Where addresses are confirmed it takes `email`, and answers with 202.
    pub fn router(&self) -> Router {
        Router::new().route("/try", get(show).post(ask)).with_state(self.clone())
    }
}

async fn show(State(trials): State<Trials>, RawQuery(query): RawQuery) -> Response {
    let token = field(query.unwrap_or_default().as_bytes(), PARAMETER);
    quiet(Html(token.map_or_else(|| trials.page(), |token| Trials::confirm_page(&token))).into_response())
}

async fn ask(State(trials): State<Trials>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let answered = match to_bytes(body, FORM_BYTES_MAX).await {
        Ok(form) => trials.answer(&head, &form).await,
        Err(_) => Err(Refusal::new(Code::BodyTooLarge)),
    };
    quiet(answered.unwrap_or_else(|refusal| {
        tracing::info!(%refusal, "no trial");
        refused(refusal, &head.headers)
    }))
}

impl Trials {
    async fn answer(&self, head: &Parts, form: &[u8]) -> Result<Response, Refusal> {
        let config = self.shared.tenancy.config();
        let client = self.shared.tenancy.proxies().client(head, config.proxies.client.into());
        let port = port(head);
        let Some(asking) = &self.asking else {
            return Ok(begun(head, &self.start(client, None, port).await?));
        };
        if let Some(token) = field(form, PARAMETER) {
            let confirmed = self.shared.confirmed(&token)?;
            let place = self.shared.place()?;
            let from = client.map_or_else(|| "an unknown address".to_owned(), |client| client.to_string());
            self.shared.spend(&confirmed, &from).await?;
            return Ok(begun(head, &self.begin(place, Some(confirmed.email), port).await?));
        }
        let email = field(form, "email").unwrap_or_default();
        asking.ask(&self.shared, &email, client.into()).await?;
        let answer = if wants_json(head) {
            axum::Json(json!({ "confirmation": "sent" })).into_response()
        } else {
            Html(Self::sent_page(&email)).into_response()
        };
        Ok((StatusCode::ACCEPTED, answer).into_response())
    }
}

fn begun(head: &Parts, trial: &Trial) -> Response {
    let Trial { slug, link, expires_at } = trial;
    if wants_json(head) {
        let left = expires_at.duration_since(SystemTime::now()).unwrap_or_default();
        let body = json!({
            "url": link.url,
            "slug": slug.as_str(),
            "expires_at": utc(*expires_at),
            "expires_in": (left + HALF_A_SECOND).as_secs(),
        });
        return (StatusCode::CREATED, axum::Json(body)).into_response();
    }
    match HeaderValue::try_from(&link.url) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(error) => refused(unavailable(format!("the link is none: {error}")), &head.headers),
    }
}

/// Nobody keeps the answer, or learns from it where the visitor was. Nothing comes from elsewhere.
fn quiet(mut response: Response) -> Response {
    let headers: [(HeaderName, &'static str); 3] = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"),
    ];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

fn wants_json(head: &Parts) -> bool {
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let mut types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    types.find(|range| matches!(*range, "text/html" | "application/json")) == Some("application/json")
}

/// A field of a form.
fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// The port of the address that the visitor has asked.
fn port(head: &Parts) -> Option<u16> {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let host = authority.or_else(|| head.headers.get(HOST).and_then(|host| host.to_str().ok()))?;
    host.parse::<http::uri::Authority>().ok()?.port_u16()
}

/// A form with an address or a token is smaller.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// So that a whole time stays one while the answer is made.
const HALF_A_SECOND: Duration = Duration::from_millis(500);
