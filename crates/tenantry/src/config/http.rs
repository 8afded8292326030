//! `[proxies]`, `[cookies]`, `[html]`: what happens to requests and answers.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tenantry_tower::ToldBy;

use super::value;

/// `[proxies]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ProxiesSection {
    /// The networks of proxies whose headers are believed.
    pub trusted: Vec<IpNet>,
    /// In which header they say whom a request is from.
    pub client: ClientHeader,
}

/// In which header trusted proxies say whom a request is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientHeader {
    /// `Forwarded`
    Forwarded,
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
}

impl From<ClientHeader> for ToldBy {
    fn from(header: ClientHeader) -> Self {
        match header {
            ClientHeader::Forwarded => Self::Forwarded,
            ClientHeader::XForwardedFor => Self::XForwardedFor,
        }
    }
}

/// `[cookies]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CookiesSection {
    /// Whether the application's cookies are bound to the tenant they were set for.
    pub seal: bool,
    /// Names of cookies that are left as they are, since scripts read them.
    pub unsealed: Vec<String>,
    /// Sealed cookies of one request that are looked at; more are dropped.
    pub cookies_max: u32,
}

impl Default for CookiesSection {
    fn default() -> Self {
        Self { seal: true, unsealed: Vec::new(), cookies_max: 64 }
    }
}

/// `[html]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HtmlSection {
    /// Whether links in pages get the prefix that the tenant is mounted under.
    pub rewrite: bool,
    /// Bytes that one page may take in memory meanwhile; what comes after passes unchanged.
    #[serde(with = "value::bytes_limit")]
    pub memory_max: Option<u64>,
}

impl Default for HtmlSection {
    fn default() -> Self {
        Self { rewrite: true, memory_max: Some(4 * 1024 * 1024) }
    }
}
