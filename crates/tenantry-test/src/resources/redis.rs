//! Redis servers for tests.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;
use tenantry_resource::redis::{KeyPrefix, RedisOptions, RedisServer};
use thiserror::Error;

/// The environment variable that names the server for tests.
const VARIABLE: &str = "TENANTRY_TEST_REDIS";

/// The server that `TENANTRY_TEST_REDIS` names, with a prefix that no other test has.
///
/// # Errors
///
/// When the variable is not set, or is no URL.
pub fn shared() -> Result<RedisServer, RedisTestError> {
    Ok(RedisServer::new(&url()?, options())?)
}

/// The URL of that server.
///
/// # Errors
///
/// When the variable is not set.
pub fn url() -> Result<String, RedisTestError> {
    env::var(VARIABLE).map_err(|_| RedisTestError::NoServer)
}

/// Options with a prefix that no other test has, and with time enough on a busy machine.
pub fn options() -> RedisOptions {
    let mut options = RedisOptions::default();
    options.prefix = prefix();
    options.connect_timeout = Duration::from_secs(30);
    options.response_timeout = Duration::from_secs(30);
    options.retry_after = Duration::from_millis(50);
    options
}

/// The process, the time and a number are nobody else's.
fn prefix() -> KeyPrefix {
    static NEXT: AtomicU32 = AtomicU32::new(0);

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    format!("test.{process}.{}.{number}", now.as_nanos()).parse().unwrap_or_default()
}

/// A server of a test's own, which it may stop, start and hold: made by `scripts/redis`, so only in Tenantry's own tree.
#[derive(Debug)]
pub struct OwnRedis {
    folder: TempDir,
    url: String,
}

impl OwnRedis {
    /// Makes a server and starts it.
    ///
    /// # Errors
    ///
    /// With what the script said, when Redis is missing for instance.
    pub fn start() -> Result<Self, RedisTestError> {
        let folder = tempfile::Builder::new().prefix("tenantry-redis.").tempdir()?;
        let url = script("start", folder.path())?;
        Ok(Self { folder, url })
    }

    /// Makes a server that writes all it is told to a file, and has it again after a restart.
    ///
    /// # Errors
    ///
    /// As for [`OwnRedis::start`].
    pub fn start_durable() -> Result<Self, RedisTestError> {
        let server = Self::start()?;
        server.stop()?;
        let config = server.folder.path().join("redis.conf");
        let text = fs::read_to_string(&config)?.replace("appendonly no", "appendonly yes");
        fs::write(&config, text)?;
        server.start_again()?;
        Ok(server)
    }

    /// Its URL. It is the same after a restart.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it, connections or not. What is in it is gone, unless it is durable.
    ///
    /// # Errors
    ///
    /// With what the script said.
    pub fn stop(&self) -> Result<(), RedisTestError> {
        script("stop", self.folder.path()).map(drop)
    }

    /// Starts it again, at the same place.
    ///
    /// # Errors
    ///
    /// With what the script said.
    pub fn start_again(&self) -> Result<(), RedisTestError> {
        script("start", self.folder.path()).map(drop)
    }

    /// Lets it hang: connections stay open, and nothing is answered.
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub fn hold(&self) -> Result<(), RedisTestError> {
        self.signal("-STOP")
    }

    /// Lets it go on after [`OwnRedis::hold`].
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub fn release(&self) -> Result<(), RedisTestError> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<(), RedisTestError> {
        let process = fs::read_to_string(self.folder.path().join("pid"))?;
        let output = Command::new("kill").arg(signal).arg(process.trim()).output()?;
        said(&output)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.release().ok();
        script("remove", self.folder.path()).ok();
    }
}

/// Runs `scripts/redis VERB FOLDER`, and returns what it printed.
fn script(verb: &str, folder: &Path) -> Result<String, RedisTestError> {
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "scripts", "redis"].iter().collect();
    let output = Command::new(script).arg(verb).arg(folder).output()?;
    said(&output)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn said(output: &std::process::Output) -> Result<(), RedisTestError> {
    if output.status.success() {
        return Ok(());
    }
    Err(RedisTestError::Script { said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

/// Why a test has no Redis. Its `Debug` is its text, since that is what a test shows that unwraps it.
#[derive(Error)]
#[non_exhaustive]
pub enum RedisTestError {
    /// No server was named.
    #[error(
        "there is no Redis server for tests; run `scripts/redis with cargo nextest run …`, or set {VARIABLE} to its URL"
    )]
    NoServer,
    /// The URL is none.
    #[error("the Redis server for tests: {0}")]
    Redis(#[from] redis::RedisError),
    /// `scripts/redis` cannot be run.
    #[error("scripts/redis cannot be run: {0}")]
    Run(#[from] io::Error),
    /// `scripts/redis` failed.
    #[error("scripts/redis failed: {said}")]
    Script {
        /// What it said.
        said: String,
    },
}

impl fmt::Debug for RedisTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
