//! Forms that prove they came from one of our own pages.

use axum::RequestExt;
use axum::extract::{FromRequest, RawForm, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::AppError;
use crate::state::AppState;
use crate::visitor::Visitor;

/// A submitted form whose token belongs to the visitor's session.
#[derive(Debug)]
pub(crate) struct CheckedForm<T>(pub(crate) T);

/// A form that has nothing but its token and a button.
#[derive(Debug, Deserialize)]
pub(crate) struct Button {}

#[derive(Deserialize)]
struct TokenField {
    #[serde(default)]
    csrf_token: String,
}

impl<T: DeserializeOwned> FromRequest<AppState> for CheckedForm<T> {
    type Rejection = AppError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, AppError> {
        let visitor: Visitor = request.extract_parts_with_state(state).await?;
        let RawForm(bytes) = RawForm::from_request(request, state).await?;
        let TokenField { csrf_token } = parse(&bytes)?;
        if !state.tokens.is_valid(&visitor.session, &csrf_token) {
            return Err(AppError::Forbidden("This form has expired. Please go back, reload the page and try again."));
        }
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AppError> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| AppError::Malformed {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        message: format!("This form is not filled in correctly: {error}."),
    })
}
