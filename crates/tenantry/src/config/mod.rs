//! The configuration file, `tenantry.toml`, as plain data.
//!
//! `docs/tenantry.toml` lists every key with its default and what it is for. A key that is not known is an error, so
//! that a typing mistake is not taken for a default.
//!
//! | module | what it has |
//! |---|---|
//! | `file` | [`Config`]: reading the whole |
//! | `cache` | `[cache]` |
//! | `catalog` | `[catalog]` |
//! | `server_url` | a URL that is shown without its password |
//! | `database` | `[database]` |
//! | `resolve`, `claim` | `[resolve]`, `[resolve.host]`, `[resolve.path]`, `[resolve.header]`, `[resolve.claim]` |
//! | `http` | `[proxies]`, `[cookies]`, `[html]` |
//! | `keys` | `[keys]` |
//! | `instances` | `[instances]` |
//! | `plans` | `[plans.<name>]` |
//! | `check` | what one key alone cannot say: problems between keys, all at once |
//! | `value` | durations, bytes, limits and names as text |

mod cache;
mod catalog;
mod check;
mod claim;
mod database;
mod error;
mod file;
mod http;
mod instances;
mod keys;
mod plans;
mod resolve;
mod server_url;
#[cfg(test)]
mod tests;
mod value;

pub use self::{
    cache::{CachePlace, CacheSection},
    catalog::{CatalogPlace, CatalogSection},
    claim::{ClaimSection, KeySource, TokenAlgorithm, TokenKeys},
    database::{DatabaseSection, IdsOf},
    error::ConfigError,
    file::Config,
    http::{CookiesSection, HtmlSection, ProxiesSection},
    instances::InstancesSection,
    keys::KeysSection,
    plans::PlanSection,
    resolve::{HeaderSection, HostSection, PathSection, ResolveMode, ResolveSection},
    server_url::ServerUrl,
};
