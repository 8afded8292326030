//! Files of notes: attaching, downloading and deleting them.

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Id;
use super::notes::changeable;
use crate::db::Db;
use crate::error::AppError;
use crate::files::{self, Files};
use crate::flash;
use crate::form::{Button, CheckedForm, CheckedUpload};
use crate::models::attachment::{self, FileName};
use crate::state::AppState;
use crate::visitor::Member;

/// The largest file, with the form around it.
const MAX_UPLOAD: usize = 10 << 20;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/notes/{id}/attachments", post(attach).layer(DefaultBodyLimit::max(MAX_UPLOAD)))
        .route("/attachments/{id}", get(download))
        .route("/attachments/{id}/delete", post(delete))
}

async fn attach(
    State(db): State<Db>,
    State(files): State<Files>,
    Member(user): Member,
    Id(note_id): Id,
    mut form: CheckedUpload,
) -> Result<Response, AppError> {
    changeable(&db, note_id, &user).await?;
    let mut file = form.file().await?;
    let name = FileName::new(file.file_name().unwrap_or_default())?;
    let key = attachment::new_key(note_id);
    let size = files::put(&files, &key, &mut file).await?;
    match attachment::create(&db, note_id, &name, size, &key).await {
        Ok(true) => Ok(flash::redirect(&format!("/notes/{note_id}"), "The file is attached.")),
        failed => {
            files::delete(&files, &key).await?;
            failed?;
            Err(AppError::NotFound)
        }
    }
}

/// Sends a file so that a browser saves it and runs nothing of it, whatever it
/// is: it may come from anybody.
async fn download(
    State(db): State<Db>,
    State(files): State<Files>,
    _: Member,
    Id(id): Id,
) -> Result<impl IntoResponse, AppError> {
    let attachment = attachment::find(&db, id).await?.ok_or(AppError::NotFound)?;
    let contents = files::get(&files, &attachment.object_key).await?.ok_or(AppError::NotFound)?;
    let name = utf8_percent_encode(&attachment.name, NON_ALPHANUMERIC);
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, contents))
}

async fn delete(
    State(db): State<Db>,
    State(files): State<Files>,
    Member(user): Member,
    Id(id): Id,
    CheckedForm(Button {}): CheckedForm<Button>,
) -> Result<Response, AppError> {
    let attachment = attachment::find(&db, id).await?.ok_or(AppError::NotFound)?;
    changeable(&db, attachment.note_id, &user).await?;
    attachment::delete(&db, id).await?;
    files::delete(&files, &attachment.object_key).await?;
    let path = format!("/notes/{}", attachment.note_id);
    Ok(flash::redirect(&path, format!("“{}” is deleted.", attachment.name)))
}
