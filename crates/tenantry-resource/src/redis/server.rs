//! One connection for all tenants.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use redis::{
    Client, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use super::{KeyPrefix, away::Away};

/// How a Redis server is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisOptions {
    /// What all keys begin with.
    pub prefix: KeyPrefix,
    /// How long connecting may take. Default 1 second. Knobs `cache.connect_timeout` and `jobs.busy_timeout`.
    pub connect_timeout: Duration,
    /// How long an answer may take. Default 500 milliseconds. Knobs `cache.response_timeout` and `jobs.busy_timeout`.
    pub response_timeout: Duration,
    /// How long a server that did not answer is left alone. Default 1 second. Knobs `cache.retry_after` and `jobs.poll`.
    pub retry_after: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            prefix: KeyPrefix::default(),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_millis(500),
            retry_after: Duration::from_secs(1),
        }
    }
}

/// A Redis server, version 6.2 or newer. It is connected to at the first command, and again when the connection is lost.
///
/// Commands of all tenants go over one connection, each with its tenant in its keys; none leaves anything on the connection
/// that another could notice. Cloning is cheap, and clones are the same connection.
#[derive(Clone)]
pub struct RedisServer {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    options: RedisOptions,
    connection: OnceLock<ConnectionManager>,
    away: Away,
}

/// Whether a command may be sent again when the connection was lost, since nobody knows whether it was run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is the same as once.
    Harmless,
    /// Only if it certainly was not run.
    Never,
}

impl RedisServer {
    /// The server at a URL like `redis://user:password@host:6379/0`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the URL is none. The error does not repeat it.
    pub fn new(url: &str, options: RedisOptions) -> RedisResult<Self> {
        #[cfg(feature = "redis-tls")]
        provide_encryption();
        let (client, away) = (Client::open(url)?, Away::new(options.retry_after));
        Ok(Self { shared: Arc::new(Shared { client, options, connection: OnceLock::new(), away }) })
    }

    pub(crate) fn prefix(&self) -> &KeyPrefix {
        &self.shared.options.prefix
    }

    /// Where it is, without passwords.
    #[cfg(feature = "jobs")]
    pub(crate) fn place(&self) -> String {
        let info = self.shared.client.get_connection_info();
        format!("Redis at {}, database {}", info.addr(), info.redis_settings().db())
    }

    /// How much time can pass at most between the first time that something is run and the second, when it is sent again: until
    /// the first is given up, and the second has a connection and its answer.
    #[cfg(feature = "jobs")]
    pub(crate) fn patience(&self) -> Duration {
        let RedisOptions { connect_timeout, response_timeout, .. } = self.shared.options;
        connect_timeout.saturating_add(response_timeout).saturating_mul(2)
    }

    /// The number of the database that keys are in.
    pub(super) fn database(&self) -> i64 {
        self.shared.client.get_connection_info().redis_settings().db()
    }

    /// Runs commands on the connection: `send` is called with it, twice when that may help.
    pub(crate) async fn run<T, Fut>(&self, repeat: Repeat, send: impl Fn(ConnectionManager) -> Fut) -> RedisResult<T>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        let Shared { away, options, .. } = &*self.shared;
        if !away.may_ask() {
            return Err(left_alone(options.retry_after));
        }
        let connection = self.connection()?;
        let mut sent = send(connection.clone()).await;
        if let Err(error) = &sent
            && error.is_connection_dropped()
            // A refused connection is news of the past: the manager keeps it until somebody asks again.
            && (repeat == Repeat::Harmless || error.is_connection_refusal())
        {
            sent = send(connection).await;
        }
        match &sent {
            Err(error) if is_away(error) => {
                if away.failed() {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "Redis is away; asked again every {:?}",
                        options.retry_after
                    );
                }
            }
            _ => {
                if away.answered() {
                    tracing::info!("Redis is back");
                }
            }
        }
        sent
    }

    /// The connection, which is made when it is first used. There has to be a runtime then, which may not yet be so when the
    /// server is named.
    fn connection(&self) -> RedisResult<ConnectionManager> {
        if let Some(connection) = self.shared.connection.get() {
            return Ok(connection.clone());
        }
        let Shared { client, options, connection, .. } = &*self.shared;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(Some(options.response_timeout))
            // When to try again is decided by `Away`.
            .set_number_of_retries(0);
        let made = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(connection.get_or_init(|| made).clone())
    }
}

/// Redis's client takes the process's provider of encryption, and panics where there is none. One that the application has
/// chosen stays.
#[cfg(feature = "redis-tls")]
fn provide_encryption() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

fn left_alone(retry_after: Duration) -> RedisError {
    let when = format!("it is asked again within {retry_after:?}");
    (ErrorKind::Io, "the server did not answer a moment ago", when).into()
}

/// Whether an error says that the server is of no use to anybody right now.
fn is_away(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown};

    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::Io => true,
        ErrorKind::Server(kind) => matches!(kind, BusyLoading | ClusterDown | MasterDown),
        _ => false,
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
