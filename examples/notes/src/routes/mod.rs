//! The addresses of the application and what answers at each.

mod api;
mod assets;
mod attachments;
mod auth;
mod comments;
mod digests;
mod notes;
mod search;
mod settings;
mod stats;
mod theme;

use std::convert::Infallible;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use serde::Deserialize;

use crate::error::AppError;
use crate::state::AppState;

/// Everything the application serves.
pub(crate) fn router(state: AppState) -> Router {
    Router::new()
        .route("/", get(home))
        .merge(auth::router())
        .merge(notes::router())
        .merge(comments::router())
        .merge(attachments::router())
        .merge(search::router())
        .merge(stats::router())
        .merge(digests::router())
        .merge(settings::router())
        .merge(theme::router())
        .merge(assets::router())
        .nest("/api", api::router())
        .fallback(nothing_here)
        .layer(from_fn_with_state(state.clone(), stats::keep_current))
        .with_state(state)
}

async fn home() -> Redirect {
    Redirect::to("/notes")
}

async fn nothing_here() -> AppError {
    AppError::NotFound
}

/// The number in an address such as `/notes/3`. What is no number leads
/// nowhere, like a number nothing has.
#[derive(Clone, Copy, Debug)]
struct Id(i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        match Path::<i64>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(AppError::NotFound),
        }
    }
}

/// The page of a list that `?page=` asks for; the first where it asks for none
/// or for nonsense.
#[derive(Clone, Copy, Debug)]
struct PageNumber(i64);

impl<S: Send + Sync> FromRequestParts<S> for PageNumber {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        #[derive(Deserialize)]
        struct Query {
            page: i64,
        }
        let query = parts.uri.query().unwrap_or_default();
        let asked = serde_urlencoded::from_str(query).map(|query: Query| query.page);
        Ok(Self(asked.unwrap_or(1)))
    }
}
