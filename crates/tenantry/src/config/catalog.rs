//! `[catalog]`: where the tenants are registered.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_sqlx::{FollowOptions, OpenOptions};

use super::{place::Place, value};

/// `[catalog]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct CatalogSection {
    /// Where it is: `path = "…"`, or `url = "…"`.
    pub place: Place,
    /// How often it is asked for changes that other processes made.
    pub poll: Duration,
    /// How long an operation waits for a lock that another process holds, and for an answer of a server.
    pub busy_timeout: Duration,
}

impl Default for CatalogSection {
    fn default() -> Self {
        Self {
            place: Place::File("tenantry.db".into()),
            poll: FollowOptions::POLL,
            busy_timeout: OpenOptions::BUSY_TIMEOUT,
        }
    }
}

/// The keys as they are written.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(with = "value::duration")]
    poll: Duration,
    #[serde(with = "value::duration")]
    busy_timeout: Duration,
}

impl Default for Raw {
    fn default() -> Self {
        let CatalogSection { poll, busy_timeout, .. } = CatalogSection::default();
        Self { path: None, url: None, poll, busy_timeout }
    }
}

impl From<CatalogSection> for Raw {
    fn from(section: CatalogSection) -> Self {
        let (path, url) = section.place.keys();
        Self { path, url, poll: section.poll, busy_timeout: section.busy_timeout }
    }
}

impl TryFrom<Raw> for CatalogSection {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let place = Place::of(raw.path, raw.url.as_deref(), &[])?.unwrap_or_else(|| Self::default().place);
        Ok(Self { place, poll: raw.poll, busy_timeout: raw.busy_timeout })
    }
}
