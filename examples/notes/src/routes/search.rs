//! Finding notes by their text.

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::PageNumber;
use crate::db::Db;
use crate::error::AppError;
use crate::models::note::{self, Filter, Listing};
use crate::page::{Page, Pager};
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/search", get(search))
}

#[derive(Debug, Deserialize)]
struct SearchQuery {
    #[serde(default)]
    q: String,
}

async fn search(
    State(db): State<Db>,
    _: Member,
    query: Result<Query<SearchQuery>, QueryRejection>,
    PageNumber(number): PageNumber,
    page: Page,
) -> Result<Response, AppError> {
    let Query(SearchQuery { q }) = query?;
    let q = q.trim();
    let found = match q {
        "" => None,
        _ => Some(find(&db, q, number, page.settings.page_size).await?),
    };
    page.show(&SearchPage { page: &page, q, found })
}

async fn find(db: &Db, q: &str, number: i64, page_size: i64) -> Result<Found, AppError> {
    let filter = Filter { text: Some(q.to_owned()), ..Filter::default() };
    let listing = note::list(db, &filter, number, page_size).await?;
    let path = format!("/search?q={}&", utf8_percent_encode(q, NON_ALPHANUMERIC));
    Ok(Found { pager: Pager::new(&path, &listing), listing })
}

/// What a search brought to light.
struct Found {
    listing: Listing,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage<'a> {
    page: &'a Page,
    q: &'a str,
    found: Option<Found>,
}
