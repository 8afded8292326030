//! The configuration file, `tenantry.toml`, as plain data.
//!
//! `docs/tenantry.toml` lists every key with its default and what it is for. A key that is not known is an error, so
//! that a typing mistake is not taken for a default.
//!
//! | module | what it has |
//! |---|---|
//! | `file` | [`Config`]: reading the whole |
//! | `archive` | `[archive]` |
//! | `audit` | `[audit]` |
//! | `cache` | `[cache]` |
//! | `catalog` | `[catalog]` |
//! | `server_url` | a URL that is shown without its password |
//! | `database` | `[database]` |
//! | `directory` | `[directory]` |
//! | `resolve`, `claim` | `[resolve]`, `[resolve.host]`, `[resolve.path]`, `[resolve.header]`, `[resolve.claim]` |
//! | `http` | `[proxies]`, `[cookies]`, `[html]` |
//! | `entrance` | `[entrance]` |
//! | `place` | where a store is: a file, or a server |
//! | `jobs` | `[jobs]` |
//! | `keys` | `[keys]` |
//! | `instances` | `[instances]` |
//! | `lifecycle` | `[lifecycle]` |
//! | `metrics` | `[metrics]` |
//! | `migrate` | `[migrate]` |
//! | `trial` | `[trial]` |
//! | `uploads` | `[uploads]` |
//! | `usage` | `[usage]` |
//! | `plans` | `[plans.<name>]` |
//! | `check` | what one key alone cannot say: problems between keys, all at once |
//! | `value` | durations, bytes, limits and names as text |
//! | `error` | why a configuration cannot be used |

mod archive;
mod audit;
mod cache;
mod catalog;
mod check;
mod claim;
mod database;
mod directory;
mod entrance;
mod error;
mod file;
mod http;
mod instances;
mod jobs;
mod keys;
mod lifecycle;
mod metrics;
mod migrate;
mod place;
mod plans;
mod resolve;
mod server_url;
#[cfg(test)]
mod tests;
mod trial;
mod uploads;
mod usage;
mod value;

#[cfg(feature = "postgres")]
pub(crate) use self::server_url::connect_options;
pub use self::{
    archive::ArchiveSection,
    audit::AuditSection,
    cache::{CachePlace, CacheSection},
    catalog::CatalogSection,
    claim::{ClaimSection, KeySource, TokenAlgorithm, TokenKeys},
    database::{DatabaseSection, IdsOf},
    directory::DirectorySection,
    entrance::EntranceSection,
    error::ConfigError,
    file::Config,
    http::{ClientHeader, CookiesSection, HtmlSection, ProxiesSection},
    instances::InstancesSection,
    jobs::{JobsPlace, JobsSection},
    keys::KeysSection,
    lifecycle::LifecycleSection,
    metrics::MetricsSection,
    migrate::MigrateSection,
    place::Place,
    plans::PlanSection,
    resolve::{HeaderSection, HostSection, PathSection, ResolveMode, ResolveSection},
    server_url::ServerUrl,
    trial::TrialSection,
    uploads::{UploadsPlace, UploadsSection},
    usage::UsageSection,
};
