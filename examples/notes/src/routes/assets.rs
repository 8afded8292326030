//! The style sheet and the icon, which are part of the program.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::state::AppState;

const STYLE: &str = include_str!("../../static/style.css");
const ICON: &str = include_str!("../../static/icon.svg");
const CACHING: &str = "public, max-age=3600";

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/static/style.css", get(style)).route("/static/icon.svg", get(icon))
}

async fn style() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, CACHING)];
    (headers, STYLE)
}

async fn icon() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, CACHING)];
    (headers, ICON)
}
