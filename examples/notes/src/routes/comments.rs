//! Talking about notes.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::Id;
use crate::db::Db;
use crate::error::AppError;
use crate::flash;
use crate::form::{Button, CheckedForm};
use crate::models::comment::{self, Remark};
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/notes/{id}/comments", post(create)).route("/comments/{id}/delete", post(delete))
}

#[derive(Debug, Deserialize)]
struct CommentForm {
    body: String,
}

async fn create(
    State(db): State<Db>,
    Member(user): Member,
    Id(note_id): Id,
    CheckedForm(form): CheckedForm<CommentForm>,
) -> Result<Response, AppError> {
    // The form is one required field, so browsers send nothing wrong by accident.
    let remark = Remark::new(&form.body)?;
    let comment = comment::create(&db, &user, note_id, &remark).await?.ok_or(AppError::NotFound)?;
    let path = format!("/notes/{note_id}#comment-{}", comment.id);
    Ok(flash::redirect(&path, "Thank you for your comment."))
}

async fn delete(
    State(db): State<Db>,
    Member(user): Member,
    Id(id): Id,
    CheckedForm(Button {}): CheckedForm<Button>,
) -> Result<Response, AppError> {
    let comment = comment::find(&db, id).await?.ok_or(AppError::NotFound)?;
    if !comment.may_be_deleted_by(&user) {
        return Err(AppError::Forbidden("This comment belongs to somebody else."));
    }
    comment::delete(&db, id).await?;
    let path = format!("/notes/{}", comment.note_id);
    Ok(flash::redirect(&path, "The comment is deleted."))
}
