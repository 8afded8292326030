//! What is logged in a scope says whose it is.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tenantry_resource::{spawn, within, within_call, within_sync};
use tracing_subscriber::fmt::MakeWriter;

use crate::tenants::scope;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logging() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let format = tracing_subscriber::fmt().with_writer(log.clone()).without_time().with_target(false).with_ansi(false);
    let guard = tracing::subscriber::set_default(format.with_max_level(tracing::Level::WARN).finish());
    (log, guard)
}

#[tokio::test]
async fn everything_that_is_logged_in_a_scope_names_the_tenant() {
    let (log, _logging) = logging();
    tracing::warn!("before");
    within(scope(1), async {
        tracing::warn!("in the future");
        tokio::task::yield_now().await;
        tracing::warn_span!("inner").in_scope(|| tracing::warn!("in a span"));
        spawn(async { tracing::warn!("in a task") }).unwrap().await.unwrap();
        within(scope(1), async { tracing::warn!("in the same scope") }).await;
        within(scope(2), async { tracing::warn!("in another scope") }).await;
    })
    .await;
    within_sync(scope(3), || tracing::warn!("in a call"));
    within_call(scope(4), || {
        tracing::warn!("in a service");
        async { tracing::warn!("in its future") }
    })
    .await;
    drop(within(scope(5), Said("at the end")));
    tracing::warn!("after");
    let expected = [
        "WARN before",
        "WARN tenant{tenant.slug=t1}: in the future",
        "WARN tenant{tenant.slug=t1}:inner: in a span",
        "WARN tenant{tenant.slug=t1}: in a task",
        "WARN tenant{tenant.slug=t1}: in the same scope",
        "WARN tenant{tenant.slug=t1}:tenant{tenant.slug=t2}: in another scope",
        "WARN tenant{tenant.slug=t3}: in a call",
        "WARN tenant{tenant.slug=t4}: in a service",
        "WARN tenant{tenant.slug=t4}: in its future",
        "WARN tenant{tenant.slug=t5}: at the end",
        "WARN after",
    ];
    assert_eq!(log.lines(), expected);
}

/// Says something when it is dropped.
struct Said(&'static str);

impl Drop for Said {
    fn drop(&mut self) {
        tracing::warn!("{}", self.0);
    }
}
