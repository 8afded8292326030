//! The files that are attached to notes: where their contents are kept.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::body::Body;
use axum::extract::multipart::Field;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{Error, ObjectStoreExt, WriteMultipart};

use crate::error::AppError;

/// The contents of all files, by keys such as `7/0123456789abcdef`.
pub(crate) type Files = Arc<LocalFileSystem>;

/// How many pieces of a file may wait for the disk.
const WAITING: usize = 4;

/// The files in a folder, which is made if need be.
pub(crate) fn open(folder: &Path) -> anyhow::Result<Files> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(folder)?))
}

/// Stores what is being sent, and tells how many bytes that were.
pub(crate) async fn put(files: &Files, key: &str, sent: &mut Field<'_>) -> Result<u64, AppError> {
    // Nothing is left of it unless it is finished.
    let mut file = WriteMultipart::new(files.put_multipart(&name(key)?).await?);
    let mut size = 0;
    while let Some(piece) = sent.chunk().await? {
        size += piece.len() as u64;
        file.wait_for_capacity(WAITING).await?;
        file.put(piece);
    }
    file.finish().await?;
    Ok(size)
}

/// The contents of a file, if it is there.
pub(crate) async fn get(files: &Files, key: &str) -> Result<Option<Body>, AppError> {
    match files.get(&name(key)?).await {
        Ok(found) => Ok(Some(Body::from_stream(found.into_stream()))),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a file, if it is there.
pub(crate) async fn delete(files: &Files, key: &str) -> Result<(), AppError> {
    match files.delete(&name(key)?).await {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn name(key: &str) -> Result<Name, Error> {
    Ok(Name::parse(key)?)
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Internal(error.into())
    }
}
