//! `[resolve]`: how a request names its tenant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenantry_core::Slug;

use super::{ClaimSection, value};

/// `[resolve]`. Only the ways that are listed are used; where none is, `acme.localhost` and `/t/acme` are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Raw")]
#[non_exhaustive]
pub struct ResolveSection {
    /// What happens where several ways are in use.
    pub mode: ResolveMode,
    /// By host.
    pub host: Option<HostSection>,
    /// By the start of the path.
    pub path: Option<PathSection>,
    /// By a header that a trusted proxy sets.
    pub header: Option<HeaderSection>,
    /// By a claim of a token.
    pub claim: Option<ClaimSection>,
}

impl Default for ResolveSection {
    fn default() -> Self {
        Raw::default().into()
    }
}

/// What happens where several ways are in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ResolveMode {
    /// Every way that the request uses has to name the same tenant.
    AllAgree,
    /// The first way that the request uses counts, in the order claim, header, host, path.
    #[default]
    FirstOf,
}

/// `[resolve.host]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HostSection {
    /// The domains whose subdomains are tenants: with `example.com`, `acme.example.com` is `acme`.
    pub suffixes: Vec<String>,
    /// Tenants with a domain of their own.
    #[serde(with = "value::to_slug")]
    pub exact: BTreeMap<String, Slug>,
}

/// `[resolve.path]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PathSection {
    /// The folders whose subfolders are tenants: with `/t`, `/t/acme/…` is `acme`.
    pub under: Vec<String>,
    /// Tenants with a folder of their own.
    #[serde(with = "value::to_slug")]
    pub exact: BTreeMap<String, Slug>,
}

/// `[resolve.header]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HeaderSection {
    /// The header's name, in lower case.
    pub name: String,
}

impl Default for HeaderSection {
    fn default() -> Self {
        Self { name: "x-tenant".to_owned() }
    }
}

/// The keys as they are written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    mode: ResolveMode,
    host: Option<HostSection>,
    path: Option<PathSection>,
    header: Option<HeaderSection>,
    claim: Option<ClaimSection>,
}

impl From<Raw> for ResolveSection {
    fn from(Raw { mode, host, path, header, claim }: Raw) -> Self {
        if host.is_some() || path.is_some() || header.is_some() || claim.is_some() {
            return Self { mode, host, path, header, claim };
        }
        let host = HostSection { suffixes: vec!["localhost".to_owned()], ..HostSection::default() };
        let path = PathSection { under: vec!["/t".to_owned()], ..PathSection::default() };
        Self { mode, host: Some(host), path: Some(path), header, claim }
    }
}
