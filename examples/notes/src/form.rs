//! Forms that prove they came from one of our own pages.

use axum::RequestExt;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, RawForm, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::AppError;
use crate::models::Invalid;
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
        check(state, &visitor, &csrf_token)?;
        parse(&bytes).map(Self)
    }
}

/// A submitted form with a file, which is read bit by bit. Its token has to come
/// first, and was checked.
#[derive(Debug)]
pub(crate) struct CheckedUpload(Multipart);

impl CheckedUpload {
    /// The file.
    pub(crate) async fn file(&mut self) -> Result<Field<'_>, AppError> {
        let field = self.0.next_field().await?;
        Ok(field.ok_or_else(|| Invalid("There is no file.".to_owned()))?)
    }
}

impl FromRequest<AppState> for CheckedUpload {
    type Rejection = AppError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, AppError> {
        let visitor: Visitor = request.extract_parts_with_state(state).await?;
        let mut fields = Multipart::from_request(request, state).await?;
        let csrf_token = match fields.next_field().await? {
            Some(field) if field.name() == Some("csrf_token") => field.text().await?,
            _ => String::new(),
        };
        check(state, &visitor, &csrf_token)?;
        Ok(Self(fields))
    }
}

fn check(state: &AppState, visitor: &Visitor, csrf_token: &str) -> Result<(), AppError> {
    if !state.tokens.is_valid(&visitor.session, csrf_token) {
        return Err(AppError::Forbidden("This form has expired. Please go back, reload the page and try again."));
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AppError> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| AppError::Malformed {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        message: format!("This form is not filled in correctly: {error}."),
    })
}
