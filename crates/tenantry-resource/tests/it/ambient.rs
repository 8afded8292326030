//! The scope is kept where it should be, and lost, not guessed, everywhere else.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame};
use tenantry_core::TenantId;
use tenantry_resource::{NoScope, current, spawn, spawn_blocking, within, within_sync};

use crate::tenants::scope;

fn id() -> Result<i64, NoScope> {
    current().map(|scope| scope.id().get())
}

#[tokio::test]
async fn a_scope_lasts_as_long_as_its_future() {
    assert!(id().is_err());
    let seen = within(scope(1), async {
        tokio::task::yield_now().await;
        let inner = within(scope(2), async { id() }).await;
        (inner, id())
    });
    assert_eq!(seen.await, (Ok(2), Ok(1)));
    assert!(id().is_err());
    assert_eq!(within_sync(scope(3), id), Ok(3));
}

#[tokio::test]
async fn tasks_keep_it_only_when_asked_to() {
    within(scope(1), async {
        assert_eq!(spawn(async { id() }).unwrap().await.unwrap(), Ok(1));
        assert_eq!(spawn_blocking(id).unwrap().await.unwrap(), Ok(1));
        #[expect(clippy::disallowed_methods, reason = "this is what must not find a scope")]
        let plain = tokio::spawn(async { id() });
        assert!(plain.await.unwrap().is_err());
    })
    .await;
    assert!(spawn(async {}).is_err(), "no scope, no task");
    assert!(spawn_blocking(|| ()).is_err());
}

#[tokio::test]
async fn a_thousand_tasks_on_one_thread_do_not_mix() {
    let tasks: Vec<_> = (0..1000)
        .map(|tenant| {
            within(scope(tenant), async move {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                    assert_eq!(id(), Ok(tenant));
                }
            })
        })
        .collect();
    let mut set = tokio::task::JoinSet::new();
    tasks.into_iter().for_each(|task| drop(set.spawn(task)));
    set.join_all().await;
}

/// A body that names the scope it is polled in, and records the one it is dropped in.
struct Witness<'a>(&'a std::sync::Mutex<Option<TenantId>>);

impl Body for Witness<'_> {
    type Data = std::collections::VecDeque<u8>;
    type Error = NoScope;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, NoScope>>> {
        Poll::Ready(Some(current().map(|scope| Frame::data(scope.slug().as_str().bytes().collect()))))
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = current().ok().map(|scope| scope.id());
    }
}

#[tokio::test]
async fn a_body_is_polled_and_dropped_in_its_scope() {
    let dropped_in = std::sync::Mutex::new(None);
    let mut body = Box::pin(within(scope(7), Witness(&dropped_in)));
    let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), b"t7".to_vec());
    drop(body);
    assert_eq!(*dropped_in.lock().unwrap(), Some(TenantId::new(7)));
}
