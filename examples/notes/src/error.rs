//! What can go wrong in a request, and how that is shown.

use askama::Template;
use axum::Json;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection, RawFormRejection};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::json;

use crate::dialect;
use crate::models::Invalid;

/// A request that was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("Please sign in first.")]
    SignInRequired,
    #[error("The email address or the password is wrong.")]
    WrongPassword,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("There is nothing here.")]
    NotFound,
    #[error("{0}")]
    Invalid(#[from] Invalid),
    /// The request was malformed in a way the framework noticed.
    #[error("{message}")]
    Malformed { status: StatusCode, message: String },
    /// Something that the application relies on does not do its part.
    #[error("{what} right now. Please try again in a moment.")]
    Unavailable { what: &'static str, cause: anyhow::Error },
    #[error("Something went wrong on our side.")]
    Internal(#[source] anyhow::Error),
}

impl AppError {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignInRequired | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Malformed { status, .. } => *status,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// When to try again, where that may help.
    fn retry_after(&self) -> Option<[(header::HeaderName, &'static str); 1]> {
        matches!(self, Self::Unavailable { .. }).then_some([(header::RETRY_AFTER, RETRY_AFTER)])
    }

    fn log(&self) {
        match self {
            Self::Unavailable { what, cause } => tracing::warn!("{what}: {cause:#}"),
            Self::Internal(cause) => tracing::error!("{cause:#}"),
            _ => {}
        }
    }
}

/// In seconds.
const RETRY_AFTER: &str = "10";

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        self.log();
        if matches!(self, Self::SignInRequired) {
            return Redirect::to("/login").into_response();
        }
        let (status, retry_after) = (self.status(), self.retry_after());
        let message = self.to_string();
        let page = ErrorPage { status, message: &message };
        match page.render() {
            Ok(html) => (status, retry_after, Html(html)).into_response(),
            Err(_) => (status, retry_after, message).into_response(),
        }
    }
}

/// The same for clients of the JSON API.
#[derive(Debug)]
pub(crate) struct ApiError(AppError);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.0.log();
        let body = json!({ "error": self.0.to_string() });
        (self.0.status(), self.0.retry_after(), Json(body)).into_response()
    }
}

impl<E: Into<AppError>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<anyhow::Error> for AppError {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        if dialect::is_about_a_character(&error) {
            return Invalid("There is a character that cannot be stored.".to_owned()).into();
        }
        Self::Internal(error.into())
    }
}

impl From<askama::Error> for AppError {
    fn from(error: askama::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// Passes on the status and the words of the framework.
macro_rules! malformed {
    ($($rejection:ty),* $(,)?) => {$(
        impl From<$rejection> for AppError {
            fn from(rejection: $rejection) -> Self {
                Self::Malformed {
                    status: rejection.status(),
                    message: rejection.body_text(),
                }
            }
        }
    )*};
}

malformed!(JsonRejection, MultipartError, MultipartRejection, PathRejection, QueryRejection, RawFormRejection);

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    status: StatusCode,
    message: &'a str,
}
