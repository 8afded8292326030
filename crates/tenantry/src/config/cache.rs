//! `[cache]`: where tenants cache, and how much.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use tenantry_resource::cache::CacheLimits;

use super::{ServerUrl, value};

/// `[cache]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheSection {
    /// Where values are.
    pub url: CachePlace,
    /// What all keys on a server begin with.
    pub prefix: String,
    /// The longest key.
    #[serde(with = "value::bytes")]
    pub key_bytes_max: u64,
    /// The longest value, as it is stored.
    #[serde(with = "value::bytes")]
    pub value_bytes_max: u64,
    /// How long a value may live.
    #[serde(with = "value::duration")]
    pub ttl_max: Duration,
    /// Tenants that have a cache in memory at once.
    pub tenants_max: NonZeroU32,
    /// How long a cache in memory stays that nobody uses.
    #[serde(with = "value::duration")]
    pub idle: Duration,
    /// How long connecting to a server may take.
    #[serde(with = "value::duration")]
    pub connect_timeout: Duration,
    /// How long an answer of a server may take.
    #[serde(with = "value::duration")]
    pub response_timeout: Duration,
    /// How long a server that did not answer is left alone.
    #[serde(with = "value::duration")]
    pub retry_after: Duration,
}

/// Where cached values are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CachePlace {
    /// In the memory of each process: `memory:`.
    #[default]
    Memory,
    /// On a Redis server: `redis://…`, or by TLS `rediss://…`.
    Redis(ServerUrl),
}

impl CachePlace {
    /// The feature of the build that is missing, if one is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        match self {
            Self::Redis(url) => missing(url),
            Self::Memory => None,
        }
    }
}

/// The feature without which there is no Redis server at this URL, if it is missing.
pub(super) fn missing(url: &ServerUrl) -> Option<&'static str> {
    match url.expose().starts_with("rediss:") {
        true => (!cfg!(feature = "redis-tls")).then_some("redis-tls"),
        false => (!cfg!(feature = "redis")).then_some("redis"),
    }
}

/// Says when a prefix of keys cannot be one.
pub(super) fn check_prefix(key: &str, prefix: &str, unless: &mut impl FnMut(bool, &str)) {
    let plain = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    let fits = matches!(prefix.len(), 1..=63);
    unless(plain && fits, &format!("{key}: it has 1 to 63 letters, digits, hyphens, underscores, dots and colons"));
}

impl TryFrom<String> for CachePlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("redis" | "rediss", _)) => ServerUrl::parse_like(&text, LIKE).map(Self::Redis),
            // Without what follows the scheme: there may be a password.
            _ => Err(format!("url is neither memory: nor like {LIKE}")),
        }
    }
}

pub(super) const LIKE: &str = "redis://user:password@host:6379/0";

impl From<CachePlace> for String {
    fn from(place: CachePlace) -> Self {
        match place {
            CachePlace::Memory => "memory:".to_owned(),
            CachePlace::Redis(url) => url.to_string(),
        }
    }
}

impl Default for CacheSection {
    fn default() -> Self {
        Self {
            url: CachePlace::Memory,
            prefix: "tenantry".to_owned(),
            key_bytes_max: 1 << 10,
            value_bytes_max: 1 << 20,
            ttl_max: Duration::from_hours(30 * 24),
            tenants_max: NonZeroU32::MIN.saturating_add(999),
            idle: Duration::from_mins(15),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_millis(500),
            retry_after: Duration::from_secs(1),
        }
    }
}

/// Says what is wrong within the section.
pub(super) fn check(cache: &CacheSection, unless: &mut impl FnMut(bool, &str)) {
    if let Some(feature) = cache.url.missing() {
        unless(false, &format!("cache.url: this build cannot go there; build with the feature {feature}"));
    }
    check_prefix("cache.prefix", &cache.prefix, unless);
    unless(cache.key_bytes_max > 0, "cache.key_bytes_max: it has to be at least 1");
    unless(cache.value_bytes_max > 0, "cache.value_bytes_max: it has to be at least 1");
    let server_max = 512 << 20;
    unless(
        cache.value_bytes_max < server_max,
        "cache.value_bytes_max: it has to be below 512MiB, which is what Redis takes",
    );
    unless(cache.ttl_max <= CacheLimits::TTL_CEILING, "cache.ttl_max: it has to be at most 3650d");
    for (key, time) in [
        ("ttl_max", cache.ttl_max),
        ("idle", cache.idle),
        ("connect_timeout", cache.connect_timeout),
        ("response_timeout", cache.response_timeout),
        ("retry_after", cache.retry_after),
    ] {
        unless(!time.is_zero(), &format!("cache.{key}: it has to be longer than nothing"));
    }
}
