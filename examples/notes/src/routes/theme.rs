//! A visitor's own choice of a theme.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use crate::flash;
use crate::form::CheckedForm;
use crate::models::setting::Theme;
use crate::page::THEME_COOKIE;
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/theme", post(choose))
}

#[derive(Debug, Deserialize)]
struct ThemeForm {
    theme: Theme,
}

async fn choose(Member(user): Member, CheckedForm(form): CheckedForm<ThemeForm>) -> Response {
    // Not HttpOnly: scripts may read it to follow the theme.
    let cookie = Cookie::build((THEME_COOKIE, form.theme.to_string())).path("/").same_site(SameSite::Lax).permanent();
    let back = if user.is_admin { "/settings" } else { "/notes" };
    let response = flash::redirect(back, format!("You chose the {} theme.", form.theme));
    (CookieJar::new().add(cookie), response).into_response()
}
