//! The files that are attached to notes: where their contents are kept.

use axum::body::Body;
use axum::extract::multipart::Field;
use tenantry::uploads::{ObjectName as Name, UploadError as Error};

use crate::error::AppError;

/// The contents of all files, by keys such as `7/0123456789abcdef`.
pub(crate) type Files = tenantry::uploads::Uploads;

/// Stores what is being sent, and tells how many bytes that were.
pub(crate) async fn put(files: &Files, key: &str, sent: &mut Field<'_>) -> Result<u64, AppError> {
    Ok(files.put(&name(key)?, None, sent).await?.bytes)
}

/// The contents of a file, if it is there.
pub(crate) async fn get(files: &Files, key: &str) -> Result<Option<Body>, AppError> {
    Ok(files.get(&name(key)?).await?.map(Body::from_stream))
}

/// Deletes a file, if it is there.
pub(crate) async fn delete(files: &Files, key: &str) -> Result<(), AppError> {
    files.delete(&name(key)?).await?;
    Ok(())
}

fn name(key: &str) -> Result<Name, Error> {
    Ok(key.parse()?)
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        let refusal = tenantry::Refusal::from(error);
        tracing::warn!("{refusal}");
        Self::Malformed { status: refusal.status(), message: refusal.public().into_owned() }
    }
}
