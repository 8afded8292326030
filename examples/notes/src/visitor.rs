//! Who sent a request.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum_extra::extract::SignedCookieJar;

use crate::error::AppError;
use crate::models::user::{self, User};
use crate::session::Session;
use crate::state::AppState;

/// Somebody, with or without an account.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) session: Session,
    /// Whether the session begins with this request.
    pub(crate) is_new: bool,
    pub(crate) user: Option<User>,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        // Several extractors of one handler ask for the visitor.
        if let Some(visitor) = parts.extensions.get::<Self>() {
            return Ok(visitor.clone());
        }
        let visitor = Self::identify(parts, state).await?;
        parts.extensions.insert(visitor.clone());
        Ok(visitor)
    }
}

impl Visitor {
    async fn identify(parts: &Parts, state: &AppState) -> Result<Self, AppError> {
        let jar = SignedCookieJar::from_headers(&parts.headers, state.cookie_key.clone());
        let Some(session) = Session::read(&jar) else {
            return Ok(Self::stranger());
        };
        let Some(id) = session.user_id else {
            return Ok(Self { session, is_new: false, user: None });
        };
        // The account may have been deleted since, or taken over.
        match user::find(&state.db, id).await?.filter(|account| session.is_of(account)) {
            Some(account) => Ok(Self { session, is_new: false, user: Some(account.user) }),
            None => Ok(Self::stranger()),
        }
    }

    fn stranger() -> Self {
        Self { session: Session::of_stranger(), is_new: true, user: None }
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Member(pub(crate) User);

impl FromRequestParts<AppState> for Member {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        visitor.user.map(Self).ok_or(AppError::SignInRequired)
    }
}

impl OptionalFromRequestParts<AppState> for Member {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Option<Self>, AppError> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        Ok(visitor.user.map(Self))
    }
}

/// Somebody who is signed in and an administrator.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) User);

impl FromRequestParts<AppState> for Admin {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let Member(user) = <Member as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        if !user.is_admin {
            return Err(AppError::Forbidden("Only administrators may do this."));
        }
        Ok(Self(user))
    }
}
