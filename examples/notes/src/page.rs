//! What all pages have in common.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use axum_extra::extract::{CookieJar, SignedCookieJar};

use crate::error::AppError;
use crate::flash;
use crate::models::note::Listing;
use crate::models::setting::{self, Settings, Theme};
use crate::models::user::User;
use crate::state::AppState;
use crate::visitor::Visitor;

/// The name of the cookie with the visitor's own choice of a theme.
pub(crate) const THEME_COOKIE: &str = "theme";

/// The frame around the contents of a page, extracted from the request for it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) settings: Settings,
    pub(crate) theme: Theme,
    pub(crate) user: Option<User>,
    pub(crate) flash: Option<String>,
    pub(crate) csrf_token: String,
    session_cookie: SignedCookieJar,
    cookies: CookieJar,
}

impl FromRequestParts<AppState> for Page {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        let Ok(mut session_cookie) = SignedCookieJar::from_request_parts(parts, state).await;
        let Ok(mut cookies) = CookieJar::from_request_parts(parts, state).await;
        let settings = setting::load(&state.db).await?;
        let theme = chosen_theme(&cookies).unwrap_or(settings.theme);
        let flash = flash::read(&cookies);
        if flash.is_some() {
            cookies = flash::erase(cookies);
        }
        if visitor.is_new {
            session_cookie = visitor.session.write(session_cookie);
        }
        Ok(Self {
            settings,
            theme,
            user: visitor.user,
            flash,
            csrf_token: state.tokens.issue(&visitor.session),
            session_cookie,
            cookies,
        })
    }
}

impl Page {
    /// Shows a page, given its whole contents.
    pub(crate) fn show(&self, contents: &impl Template) -> Result<Response, AppError> {
        let html = Html(contents.render()?);
        Ok((self.session_cookie.clone(), self.cookies.clone(), html).into_response())
    }

    /// Shows a page whose form was not filled in correctly.
    pub(crate) fn show_again(&self, contents: &impl Template) -> Result<Response, AppError> {
        let response = self.show(contents)?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, response).into_response())
    }
}

/// The links from one page of a list to the next.
#[derive(Debug)]
pub(crate) struct Pager {
    pub(crate) page: i64,
    pub(crate) pages: i64,
    pub(crate) newer: Option<String>,
    pub(crate) older: Option<String>,
}

impl Pager {
    /// Leads through `listing` at `path`, which ends in `?` or `&`.
    pub(crate) fn new(path: &str, listing: &Listing) -> Self {
        let link = |page: i64| format!("{path}page={page}");
        let Listing { page, pages, .. } = *listing;
        Self { page, pages, newer: (page > 1).then(|| link(page - 1)), older: (page < pages).then(|| link(page + 1)) }
    }
}

fn chosen_theme(cookies: &CookieJar) -> Option<Theme> {
    cookies.get(THEME_COOKIE)?.value().parse().ok()
}
