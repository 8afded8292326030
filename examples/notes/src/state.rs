//! What every handler can reach.

use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;

use crate::cache::Cache;
use crate::config::Secret;
use crate::db::Db;
use crate::directory::Directory;
use crate::files::Files;
use crate::jobs::Queue;
use crate::session::Tokens;

/// The state of the application, cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) db: Db,
    pub(crate) cache: Cache,
    pub(crate) files: Files,
    pub(crate) queue: Queue,
    pub(crate) directory: Directory,
    pub(crate) cookie_key: Key,
    pub(crate) tokens: Tokens,
}

impl AppState {
    pub(crate) fn new(
        db: Db,
        cache: Cache,
        files: Files,
        queue: Queue,
        directory: Directory,
        secret: &Secret,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            db,
            cache,
            files,
            queue,
            directory,
            cookie_key: Key::derive_from(secret.as_bytes()),
            tokens: Tokens::new(secret)?,
        })
    }
}

impl FromRef<AppState> for Db {
    fn from_ref(state: &AppState) -> Self {
        state.db.clone()
    }
}

impl FromRef<AppState> for Cache {
    fn from_ref(state: &AppState) -> Self {
        state.cache.clone()
    }
}

impl FromRef<AppState> for Files {
    fn from_ref(state: &AppState) -> Self {
        state.files.clone()
    }
}

impl FromRef<AppState> for Queue {
    fn from_ref(state: &AppState) -> Self {
        state.queue.clone()
    }
}

impl FromRef<AppState> for Directory {
    fn from_ref(state: &AppState) -> Self {
        state.directory.clone()
    }
}

impl FromRef<AppState> for Key {
    fn from_ref(state: &AppState) -> Self {
        state.cookie_key.clone()
    }
}
