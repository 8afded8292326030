//! What was written day by day.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::db::Db;
use crate::error::AppError;
use crate::flash;
use crate::form::{Button, CheckedForm};
use crate::jobs::{self, Queue};
use crate::models::digest::{self, Digest};
use crate::models::user::User;
use crate::page::Page;
use crate::state::AppState;
use crate::visitor::{Admin, Member};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/digests", get(show).post(order))
}

async fn show(State(db): State<Db>, Member(user): Member, page: Page) -> Result<Response, AppError> {
    let digests = digest::list(&db).await?;
    page.show(&DigestsPage { page: &page, user, digests })
}

async fn order(
    State(queue): State<Queue>,
    _: Admin,
    CheckedForm(Button {}): CheckedForm<Button>,
) -> Result<Response, AppError> {
    let ordered = jobs::order_digest(&queue).await;
    ordered.map_err(|cause| AppError::Unavailable { what: "No digest can be ordered", cause })?;
    Ok(flash::redirect("/digests", "A digest is being written."))
}

#[derive(Template)]
#[template(path = "digests.html")]
struct DigestsPage<'a> {
    page: &'a Page,
    user: User,
    digests: Vec<Digest>,
}
