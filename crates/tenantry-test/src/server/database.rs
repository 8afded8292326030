//! A database for one test.

use std::{
    env, process,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgDatabaseError},
};

use super::{ServerError, TestServer};

/// A database with a name of its own, which ends with the test. It belongs to a role of its own that is no superuser.
#[derive(Debug)]
pub struct TestDatabase {
    admin: PgConnectOptions,
    name: String,
    url: String,
    roles: Vec<String>,
}

impl TestDatabase {
    /// A new database on the server that `TENANTRY_TEST_POSTGRES` names.
    ///
    /// # Errors
    ///
    /// [`ServerError::NoServer`] when it names none, with what to run; others when the server declines.
    pub async fn new() -> Result<Self, ServerError> {
        let url = env::var(VARIABLE).map_err(|_| ServerError::NoServer)?;
        Self::create(PgConnectOptions::from_str(&url)?).await
    }

    /// A new database on a server of the test's own.
    ///
    /// # Errors
    ///
    /// A [`ServerError`] when the server declines.
    pub async fn on(server: &TestServer) -> Result<Self, ServerError> {
        Self::create(PgConnectOptions::from_str(server.url())?).await
    }

    async fn create(admin: PgConnectOptions) -> Result<Self, ServerError> {
        let name = unique_name();
        let mut database = Self { admin, name: name.clone(), url: String::new(), roles: Vec::new() };
        let owner = database.role("owner").await?;
        let text = format!("CREATE DATABASE {name} OWNER {}", owner.name);
        execute(&database.admin, &text).await?;
        database.url = owner.url;
        Ok(database)
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the database's owner.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL with which the server's own administrator, who may do anything, reaches the database.
    pub fn admin_url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().into()
    }

    /// A new role that may log in, and nothing else. Its name is of the database and `what`; its password is no other's.
    ///
    /// # Errors
    ///
    /// A [`ServerError`] when the server declines.
    pub async fn role(&mut self, what: &str) -> Result<TestRole, ServerError> {
        let name = format!("{}_{what}", self.name);
        let password = format!("secret{}", name.replace('_', ""));
        let text = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'");
        execute(&self.admin, &text).await?;
        self.roles.push(name.clone());
        let options = self.admin.clone().username(&name).password(&password).database(&self.name);
        Ok(TestRole { name, password, url: options.to_url_lossy().into() })
    }

    /// Drops the database and its roles now, and says whether that went well.
    ///
    /// # Errors
    ///
    /// A [`ServerError`] when the server declines, or is away.
    pub async fn close(mut self) -> Result<(), ServerError> {
        let (name, roles) = (std::mem::take(&mut self.name), std::mem::take(&mut self.roles));
        drop_all(&self.admin, &name, &roles).await
    }
}

impl Drop for TestDatabase {
    /// Waits for it, so that a process that ends with the test leaves nothing behind.
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        let (admin, name, roles) = (self.admin.clone(), self.name.clone(), self.roles.clone());
        #[expect(clippy::disallowed_methods, reason = "it works for no tenant")]
        // A thread, since a runtime cannot be waited for within another one.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // A server that was stopped by its test takes the database along.
            runtime.map(|runtime| runtime.block_on(drop_all(&admin, &name, &roles)).ok()).ok()
        });
        dropping.join().ok();
    }
}

/// A role of a [`TestDatabase`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestRole {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// The URL with which it reaches the database.
    pub url: String,
}

/// Drops a database, those that were made beside it, and the roles that were made for it.
async fn drop_all(admin: &PgConnectOptions, name: &str, roles: &[String]) -> Result<(), ServerError> {
    let mut connection = admin.connect().await?;
    let beside =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname = $1 OR datname LIKE $1 || '\\_%'");
    let databases: Vec<String> = beside.bind(name).fetch_all(&mut connection).await?;
    connection.close().await?;
    for database in databases {
        execute(admin, &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await?;
    }
    for role in roles {
        execute(admin, &format!("DROP ROLE IF EXISTS {role}")).await?;
    }
    Ok(())
}

/// Runs a statement that is made of names of our own.
async fn execute(admin: &PgConnectOptions, text: &str) -> Result<(), ServerError> {
    let mut connection = admin.connect().await?;
    for _ in 0..BUSY_RETRIES {
        match sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(BUSY_WAIT).await,
            outcome => {
                outcome?;
                break;
            }
        }
    }
    connection.close().await?;
    Ok(())
}

/// Whether another test is copying the template, or changing the catalog of roles, just now.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    code.is_some_and(|error| error.code() == OBJECT_IN_USE || error.message().contains("tuple concurrently updated"))
}

/// A name that no other test has, on this machine or another.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("t{nanos:x}_{:x}_{:x}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Names the server: the URL of a role that may create databases and roles.
pub(super) const VARIABLE: &str = "TENANTRY_TEST_POSTGRES";

const OBJECT_IN_USE: &str = "55006";
const BUSY_RETRIES: u32 = 100;
const BUSY_WAIT: std::time::Duration = std::time::Duration::from_millis(50);
