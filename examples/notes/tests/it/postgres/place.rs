//! Where a test's database is: on the PostgreSQL server for tests.

use std::env;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::Postgres;
use sqlx::migrate::MigrateDatabase;
use url::Url;

/// Names the server: the URL of a role that may create databases.
const VARIABLE: &str = "NOTES_TEST_SERVER";

/// A database without anything in it, which ends with the test.
pub(crate) struct Place(String);

impl Place {
    pub(crate) async fn new() -> Self {
        let server = env::var(VARIABLE)
            .map_err(|_| format!("set {VARIABLE} to the URL of a PostgreSQL role that may create databases"))
            .unwrap();
        let mut url: Url = server.parse().unwrap();
        url.set_path(&unique_name());
        Postgres::create_database(url.as_str()).await.unwrap();
        Self(url.into())
    }

    pub(crate) fn url(&self) -> String {
        self.0.clone()
    }
}

impl Drop for Place {
    /// Waits for the end of the database, since the process may end with the
    /// test.
    fn drop(&mut self) {
        let url = self.0.clone();
        // A thread, since a runtime cannot be waited for within another one.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Postgres::force_drop_database(&url)).unwrap();
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || thread::panicking(), "{} is left", self.0);
    }
}

/// A name that no other test has, now or later.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("notes_{now:x}_{:x}_{:x}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
