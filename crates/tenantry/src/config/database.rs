//! `[database]`: where the tenants' rows are.

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ServerUrl, value};

/// `[database]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DatabaseSection {
    /// The SQLite file with the tables that tenants share.
    pub shared: PathBuf,
    /// The folder with a SQLite file for each tenant that has a database of its own.
    pub dedicated: PathBuf,
    /// The PostgreSQL database with the tables that tenants share, as the role that owns its schema; for
    /// `Tenancy::postgres`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<ServerUrl>,
    /// The same database, as the role that serves requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_url: Option<ServerUrl>,
    /// Tables that all tenants read and none may change.
    pub global: Vec<String>,
    /// Connections to the shared database, for all tenants together.
    pub connections_max: NonZeroU32,
    /// How long a statement waits for one of them.
    #[serde(with = "value::duration")]
    pub acquire_timeout: Duration,
    /// The folder with the application's migrations, which `tenantry migrate` runs; and by which a database of a tenant's own on
    /// PostgreSQL is made when rows come into it before the application has opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrations: Option<PathBuf>,
    /// How long a statement that changes rows waits while these are on their way to another place.
    #[serde(with = "value::duration")]
    pub move_wait_max: Duration,
    /// How many statements may wait for one of them, on PostgreSQL.
    pub waiters_max: NonZeroU32,
    /// How long a connection to PostgreSQL stays open that nobody uses.
    #[serde(with = "value::duration")]
    pub idle_timeout: Duration,
    /// How often PostgreSQL is asked whether row-level security still holds.
    #[serde(with = "value::duration")]
    pub walls_check: Duration,
    /// How long a statement waits for a lock that another connection holds.
    #[serde(with = "value::duration")]
    pub busy_timeout: Duration,
    /// The longest statement.
    #[serde(with = "value::bytes")]
    pub statement_bytes_max: u64,
    /// How deep parentheses may nest in a statement.
    pub nesting_max: NonZeroU32,
    /// How deep views may be built on views.
    pub view_depth_max: NonZeroU32,
    /// What kept plans of statements may take in memory.
    #[serde(with = "value::bytes")]
    pub plan_bytes_max: u64,
    /// Where the ids of tables' rows come from on PostgreSQL, by the tables' names; `*` is for all others.
    pub numbering: BTreeMap<String, IdsOf>,
}

/// Where the ids of a table's rows come from, on PostgreSQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IdsOf {
    /// From one sequence for all tenants.
    #[default]
    Shared,
    /// From a sequence of the tenant's own.
    PerTenant,
    /// From a counter of the tenant's own, which counts within the transaction.
    Gapless,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            shared: "shared.db".into(),
            dedicated: "tenants".into(),
            url: None,
            application_url: None,
            global: Vec::new(),
            connections_max: NonZeroU32::MIN.saturating_add(9),
            acquire_timeout: Duration::from_secs(10),
            migrations: None,
            move_wait_max: Duration::from_secs(5),
            waiters_max: NonZeroU32::MIN.saturating_add(1023),
            idle_timeout: Duration::from_mins(10),
            walls_check: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            statement_bytes_max: 1_000_000,
            nesting_max: NonZeroU32::MIN.saturating_add(99),
            view_depth_max: NonZeroU32::MIN.saturating_add(15),
            plan_bytes_max: 16 << 20,
            numbering: BTreeMap::from([("*".to_owned(), IdsOf::Shared)]),
        }
    }
}
