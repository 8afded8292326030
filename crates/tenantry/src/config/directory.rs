//! `[directory]`: the local users, and how many servers are connected to.

use std::{
    num::{NonZeroU32, NonZeroU64},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tenantry_resource::directory::LocalOptions;

use super::{place::Place, value};

/// `[directory]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct DirectorySection {
    /// Where local users are stored: `path = "…"`, or `url = "…"`.
    pub place: Place,
    /// How long an operation waits for a lock that another process holds, and for an answer of a server.
    pub busy_timeout: Duration,
    /// How many local users there may be, and how dear their passwords are.
    pub local: LocalOptions,
    /// How many tenants' own servers are connected to at once.
    pub servers_max: NonZeroU32,
}

impl Default for DirectorySection {
    fn default() -> Self {
        Self {
            place: Place::File("users.db".into()),
            busy_timeout: Duration::from_secs(5),
            local: LocalOptions::default(),
            servers_max: NonZeroU32::MIN.saturating_add(999),
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
    busy_timeout: Duration,
    users_max: NonZeroU64,
    hash_memory_kib: NonZeroU32,
    hash_passes: NonZeroU32,
    hash_lanes: NonZeroU32,
    hashes_max: NonZeroU32,
    tenant_hashes_max: NonZeroU32,
    hash_waiters_max: u32,
    #[serde(with = "value::duration")]
    hash_timeout: Duration,
    servers_max: NonZeroU32,
}

impl Default for Raw {
    fn default() -> Self {
        let mut raw = Self::from(DirectorySection::default());
        // Either key may say where it is.
        raw.path = None;
        raw
    }
}

impl From<DirectorySection> for Raw {
    fn from(section: DirectorySection) -> Self {
        let DirectorySection { place, busy_timeout, local, servers_max } = section;
        let (path, url) = place.keys();
        let count = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            path,
            url,
            busy_timeout,
            users_max: NonZeroU64::new(local.users_max).unwrap_or(NonZeroU64::MIN),
            hash_memory_kib: count(local.hash_memory_kib),
            hash_passes: count(local.hash_passes),
            hash_lanes: count(local.hash_lanes),
            hashes_max: count(local.hashes_max),
            tenant_hashes_max: count(local.tenant_hashes_max),
            hash_waiters_max: local.hash_waiters_max,
            hash_timeout: local.hash_timeout,
            servers_max,
        }
    }
}

impl TryFrom<Raw> for DirectorySection {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let place = Place::of(raw.path, raw.url.as_deref(), &[])?.unwrap_or_else(|| Self::default().place);
        let mut local = LocalOptions::default();
        local.users_max = raw.users_max.get();
        local.hash_memory_kib = raw.hash_memory_kib.get();
        local.hash_passes = raw.hash_passes.get();
        local.hash_lanes = raw.hash_lanes.get();
        local.hashes_max = raw.hashes_max.get();
        local.tenant_hashes_max = raw.tenant_hashes_max.get();
        local.hash_waiters_max = raw.hash_waiters_max;
        local.hash_timeout = raw.hash_timeout;
        Ok(Self { place, busy_timeout: raw.busy_timeout, local, servers_max: raw.servers_max })
    }
}

/// Says what is wrong within the section.
pub(super) fn check(directory: &DirectorySection, unless: &mut impl FnMut(bool, &str)) {
    let can_go_there = matches!(directory.place, Place::File(_)) || cfg!(feature = "postgres");
    unless(can_go_there, "directory.url: this build has no PostgreSQL; build with the feature postgres");
    let LocalOptions { hash_memory_kib, hash_passes, hash_lanes, hash_timeout, .. } = directory.local;
    // RFC 9106 §3.1; more than that in one hash is a typing mistake, and would end the process.
    let lanes = (1..=LANES_MAX).contains(&hash_lanes);
    unless(lanes, &format!("directory.hash_lanes: it has to be from 1 to {LANES_MAX}"));
    let memory = (hash_lanes.saturating_mul(8)..=MEMORY_KIB_MAX).contains(&hash_memory_kib);
    unless(
        memory,
        &format!("directory.hash_memory_kib: it has to be at least 8 for each lane, and at most {MEMORY_KIB_MAX}"),
    );
    unless(hash_passes > 0, "directory.hash_passes: it has to be at least 1");
    unless(!hash_timeout.is_zero(), "directory.hash_timeout: it has to be longer than nothing");
}

const LANES_MAX: u32 = 255;

/// A GiB.
const MEMORY_KIB_MAX: u32 = 1 << 20;
