//! A message that is shown once, on the page a form leads to.

use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

const COOKIE: &str = "flash";

/// Leads the visitor to `path` and shows `message` there.
pub(crate) fn redirect(path: &str, message: impl Into<String>) -> Response {
    let cookie = Cookie::build((COOKIE, message.into())).path("/").http_only(true).same_site(SameSite::Lax);
    (CookieJar::new().add(cookie), Redirect::to(path)).into_response()
}

/// The message to show now, if any.
pub(crate) fn read(jar: &CookieJar) -> Option<String> {
    jar.get(COOKIE).map(|cookie| cookie.value().to_owned())
}

/// Forgets the message.
pub(crate) fn erase(jar: CookieJar) -> CookieJar {
    jar.remove(Cookie::build(COOKIE).path("/"))
}
