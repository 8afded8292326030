//! Where tenants' rows are on PostgreSQL.

use std::{collections::BTreeMap, fmt, time::Duration};

use sqlx::postgres::PgConnectOptions;
use tenantry_resource::Bounds;
use tenantry_sql::{Limits, Name};

use super::Ids;

/// Where tenants' rows are on PostgreSQL, and how much of what is used for them.
///
/// Two roles log in. The *owner* has the schema: it migrates, and makes what a new tenant begins with. The *application*
/// serves requests: it owns nothing, so that row-level security holds for it.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// The database that tenants share, as the role that serves requests.
    pub application: PgConnectOptions,
    /// The same database, as the role that owns its schema.
    pub owner: PgConnectOptions,
    /// Tables that all tenants read and none may change.
    pub global: Vec<Name>,
    /// Where the ids of tables' rows come from, by the tables' names; `*` is for all others, whose ids come from a shared
    /// sequence if it is not there. When it changes, the next start makes the tables follow.
    pub numbering: BTreeMap<String, Ids>,
    /// Connections of the application's role, for all tenants together and whichever database they are to; 20 by default.
    pub connections_max: usize,
    /// How many statements may wait for one of them; 1024 by default.
    pub waiters_max: usize,
    /// How long a statement waits for one of them; 10 seconds by default.
    pub acquire_timeout: Duration,
    /// How long a statement that changes rows waits while these are on their way to another place.
    pub move_wait_max: Duration,
    /// How long nothing may have been heard of the catalog before the server itself is asked, for each lease, whether a
    /// tenant's rows are still in the shared tables; 1.5 seconds by default. It must be less than what a move waits for
    /// servers to hear of it.
    pub silence_max: Duration,
    /// How long one stays open that nobody uses; 10 minutes by default.
    pub idle_timeout: Duration,
    /// How often it is looked whether another process has changed the schema; 250 milliseconds by default.
    pub poll: Duration,
    /// How often the server is asked whether row-level security still holds; 30 seconds by default.
    pub walls_check: Duration,
    /// Bounds on statements.
    pub limits: Limits,
    /// Bounds on the databases that tenants have of their own.
    pub bounds: Bounds,
}

impl PostgresOptions {
    /// With these roles on the database that tenants share, and the default for everything else.
    pub fn new(application: PgConnectOptions, owner: PgConnectOptions) -> Self {
        Self {
            application,
            owner,
            global: Vec::new(),
            numbering: BTreeMap::new(),
            connections_max: 20,
            waiters_max: 1024,
            acquire_timeout: Duration::from_secs(10),
            move_wait_max: Duration::from_secs(5),
            silence_max: Duration::from_millis(1500),
            idle_timeout: Duration::from_mins(10),
            poll: Duration::from_millis(250),
            walls_check: Duration::from_secs(30),
            limits: Limits::default(),
            bounds: Bounds::default(),
        }
    }
}

/// Without the passwords.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("host", &self.application.get_host())
            .field("port", &self.application.get_port())
            .field("database", &self.application.get_database())
            .field("application", &self.application.get_username())
            .field("owner", &self.owner.get_username())
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}
