//! Connections of the application's role.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor, PgConnection, Row, postgres::PgConnectOptions};
use tenantry_core::Revision;

use crate::scoped::ScopeError;

/// How long an idle connection is trusted without being asked.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long an idle connection may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// What a statement means depends on these. A server or a role may have other defaults, and no statement can set them.
///
/// `pg_catalog` is searched before `public`, without being named; named, it would be what `current_schema()` answers.
///
/// There is no tenant but in a transaction, whatever a role may have been set to.
const PINNED: [(&str, &str); 4] =
    [("search_path", "public"), ("standard_conforming_strings", "on"), ("row_security", "on"), ("tenantry.tenant", "")];

/// A connection, and how many others were lost before it was made.
pub(super) struct Connection {
    pub(super) postgres: PgConnection,
    made_after: u64,
    /// The record by which it was last used, where the database is one tenant's.
    pub(super) record: Option<Revision>,
    /// How long its statements may run, if that was said for all of them.
    time_max: Option<Duration>,
}

/// How many connections were lost: a server that ends one may have ended all.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses(Arc<AtomicU64>);

impl Losses {
    /// One was lost.
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Connection {
    /// Connects to the database that tenants share, and sees to it that statements mean there what they are taken for.
    pub(super) async fn to_shared(options: &PgConnectOptions, losses: &Losses) -> Result<Self, sqlx::Error> {
        let mut connection = Self::to(&pinned(options), losses).await?;
        check_pinned(&mut connection.postgres).await?;
        Ok(connection)
    }

    /// Connects.
    pub(super) async fn to(options: &PgConnectOptions, losses: &Losses) -> Result<Self, sqlx::Error> {
        let made_after = losses.now();
        let postgres = options.connect().await.inspect_err(|_| losses.count())?;
        Ok(Self { postgres, made_after, record: None, time_max: None })
    }

    /// Says how long statements may run from now on.
    pub(super) async fn limit_time(&mut self, time_max: Option<Duration>) -> Result<(), sqlx::Error> {
        if self.time_max == time_max {
            return Ok(());
        }
        let text = match time_max {
            Some(max) => format!("SET statement_timeout = {}", millis(max)),
            None => "SET statement_timeout TO DEFAULT".to_owned(),
        };
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut self.postgres).await?;
        self.time_max = time_max;
        Ok(())
    }

    /// Whether it can be used after it has been idle. It is asked when that is in doubt, as after each change of the record: the
    /// tenant may have moved, and its database may be another one of the same name.
    pub(super) async fn is_alive(&mut self, idle: Duration, losses: &Losses, record: Option<Revision>) -> bool {
        if idle < TRUSTED && self.made_after == losses.now() && self.record == record {
            return true;
        }
        let losses_before = losses.now();
        let alive = tokio::time::timeout(ANSWER, self.postgres.ping()).await.is_ok_and(|pinged| pinged.is_ok());
        if alive {
            (self.made_after, self.record) = (losses_before, record);
        }
        alive
    }
}

/// A time as the server takes it. Nothing would be no limit to it.
pub(super) fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// With the settings that statements depend on.
pub(super) fn pinned(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options(PINNED)
}

/// The server says what is in effect: what is between may drop what a connection asks for at its start.
async fn check_pinned(postgres: &mut PgConnection) -> Result<(), sqlx::Error> {
    let row = postgres
        .fetch_one(
            "SELECT current_setting('search_path'), current_setting('standard_conforming_strings'), \
             current_setting('row_security'), current_setting('tenantry.tenant'), current_setting('client_encoding')",
        )
        .await?;
    let pinned = PINNED.into_iter().chain([("client_encoding", "UTF8")]);
    for (at, (setting, wanted)) in pinned.enumerate() {
        let found: String = row.try_get(at)?;
        if found != wanted {
            let breach = format!("{setting} is {found:?} on a new connection, and has to be {wanted:?}");
            return Err(ScopeError::SecondWall(breach.into()).into());
        }
    }
    Ok(())
}
