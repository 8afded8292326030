//! The page with figures.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::db::Db;
use crate::error::AppError;
use crate::models::stats::{self, Stats};
use crate::page::Page;
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/stats", get(show))
}

async fn show(State(db): State<Db>, _: Member, page: Page) -> Result<Response, AppError> {
    let stats = stats::collect(&db).await?;
    page.show(&StatsPage { page: &page, stats })
}

#[derive(Template)]
#[template(path = "stats.html")]
struct StatsPage<'a> {
    page: &'a Page,
    stats: Stats,
}
