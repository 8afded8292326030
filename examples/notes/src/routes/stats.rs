//! The page with figures.

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;

use crate::cache::{self, Cache};
use crate::db::Db;
use crate::error::AppError;
use crate::models::stats::Stats;
use crate::page::Page;
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/stats", get(show))
}

/// Lets whoever changed something find it in the figures.
pub(super) async fn keep_current(State(cache): State<Cache>, request: Request, next: Next) -> Response {
    let changes = !request.method().is_safe();
    let response = next.run(request).await;
    if changes {
        cache::forget_stats(&cache).await;
    }
    response
}

async fn show(State(db): State<Db>, State(cache): State<Cache>, _: Member, page: Page) -> Result<Response, AppError> {
    let stats = cache::stats(&cache, &db).await?;
    page.show(&StatsPage { page: &page, stats })
}

#[derive(Template)]
#[template(path = "stats.html")]
struct StatsPage<'a> {
    page: &'a Page,
    stats: Stats,
}
