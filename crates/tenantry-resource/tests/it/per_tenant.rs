//! Resources are built once, bounded, closed when idle, and drained before they are dropped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tenantry_core::{Code, Refusal, Revision, Scope, TenantId};
use tenantry_resource::{Bounds, BoxError, BuildError, MakeResource, PerTenant, Unavailable, current, make_fn, within};

use crate::tenants::{scope, scope_at};

/// Makes the tenant's number, and counts.
#[derive(Clone, Default)]
struct Numbers {
    made: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

impl MakeResource for Numbers {
    type Resource = i64;

    async fn make(&self, scope: Scope) -> Result<i64, BoxError> {
        assert_eq!(current().unwrap(), scope, "a build runs in its scope");
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.made.fetch_add(1, SeqCst);
        Ok(scope.id().get())
    }

    async fn close(&self, _: &i64) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.closed.fetch_add(1, SeqCst);
    }
}

impl Numbers {
    fn counts(&self) -> (usize, usize) {
        (self.made.load(SeqCst), self.closed.load(SeqCst))
    }
}

fn bounds(change: impl FnOnce(&mut Bounds)) -> Bounds {
    let mut bounds = Bounds::default();
    change(&mut bounds);
    bounds
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_first_calls_build_once() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), Bounds::default());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let resources = resources.clone();
        calls.spawn(async move { *resources.of(&scope(1)).await.unwrap() });
    }
    assert_eq!(calls.join_all().await, vec![1; 64]);
    assert_eq!(numbers.counts(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_tenant_gets_its_own_and_nobody_gets_one_without_a_scope() {
    let resources = PerTenant::new(Numbers::default(), Bounds::default());
    for id in [1, 2, 1] {
        assert_eq!(*within(scope(id), resources.current()).await.unwrap(), id);
    }
    assert_eq!(resources.len(), 2);
    let refusal: Refusal = resources.current().await.unwrap_err().into();
    assert_eq!(refusal.code(), Code::NoScope);
}

#[tokio::test(start_paused = true)]
async fn a_build_survives_the_request_that_began_it() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), Bounds::default());
    let gone = tokio::time::timeout(Duration::from_millis(1), resources.of(&scope(1))).await;
    assert!(gone.is_err());
    pass(Duration::from_millis(20)).await;
    assert!(resources.ready(&scope(1)).is_some());
    assert_eq!(numbers.counts(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_idle_is_closed_and_what_is_in_use_is_not() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), bounds(|bounds| bounds.idle = Duration::from_secs(60)));
    let held = resources.of(&scope(1)).await.unwrap();
    drop(resources.of(&scope(2)).await.unwrap());
    pass(Duration::from_secs(80)).await;
    assert_eq!((resources.len(), numbers.counts()), (1, (2, 1)));
    // The clock starts when the last user is done, not when it began.
    drop(held);
    pass(Duration::from_secs(40)).await;
    assert_eq!(resources.len(), 1);
    pass(Duration::from_secs(40)).await;
    assert_eq!((resources.len(), numbers.counts()), (0, (2, 2)));
}

#[tokio::test(start_paused = true)]
async fn the_idlest_makes_room_and_none_in_use_does() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), bounds(|bounds| bounds.live_max = 2));
    drop(resources.of(&scope(1)).await.unwrap());
    pass(Duration::from_secs(1)).await;
    let second = resources.of(&scope(2)).await.unwrap();
    let third = resources.of(&scope(3)).await.unwrap();
    assert!(resources.ready(&scope(1)).is_none(), "the first made room");

    let refusal: Refusal = resources.of(&scope(4)).await.unwrap_err().into();
    assert_eq!(refusal.code(), Code::InstancesFull);
    assert!(refusal.to_string().contains("live_max"), "{refusal}");

    drop(second);
    assert_eq!(*resources.of(&scope(4)).await.unwrap(), 4);
    assert_eq!(*third, 3);
    assert_eq!(resources.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_evicted_resource_is_closed_after_its_last_use() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), Bounds::default());
    let held = resources.of(&scope(1)).await.unwrap();
    resources.evict(TenantId::new(1));
    assert_eq!(resources.len(), 0);
    pass(Duration::from_secs(5)).await;
    assert_eq!((*held, numbers.counts()), (1, (1, 0)));
    drop(held);
    pass(Duration::from_millis(20)).await;
    assert_eq!(numbers.counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_evicted_while_it_is_built_is_closed_and_given_to_nobody() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), Bounds::default());
    let waiting = async { resources.of(&scope_at(1, 1)).await };
    let evicting = async {
        tokio::task::yield_now().await;
        resources.evict_before(TenantId::new(1), Revision::new(2));
    };
    let (refused, ()) = tokio::join!(waiting, evicting);
    let refusal: Refusal = refused.unwrap_err().into();
    assert_eq!(refusal.code(), Code::InstanceFailed);
    pass(Duration::from_millis(20)).await;
    assert_eq!((resources.len(), numbers.counts()), (0, (1, 1)));

    drop(resources.of(&scope_at(1, 2)).await.unwrap());
    resources.evict_before(TenantId::new(1), Revision::new(2));
    assert_eq!(resources.len(), 1, "it was built for that very record");
}

#[tokio::test(start_paused = true)]
async fn a_corrected_record_is_tried_at_once() {
    let make = make_fn(|scope: Scope| {
        let wrong = scope.tenant().revision == Revision::new(1);
        async move { if wrong { Err(BoxError::from("no such database")) } else { Ok(()) } }
    });
    let resources = PerTenant::new(make, Bounds::default());
    assert!(resources.of(&scope_at(1, 1)).await.is_err());
    assert!(resources.of(&scope_at(1, 2)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_changed_tenant_gets_a_new_one() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), Bounds::default());
    drop(resources.of(&scope_at(1, 1)).await.unwrap());
    drop(resources.of(&scope_at(1, 2)).await.unwrap());
    pass(Duration::from_millis(20)).await;
    assert_eq!(numbers.counts(), (2, 1));
    drop(resources.of(&scope_at(1, 1)).await.unwrap());
    assert_eq!(numbers.counts(), (2, 1), "a request admitted before the change does not turn it back");
}

#[tokio::test(start_paused = true)]
async fn a_failing_build_backs_off_for_that_tenant_alone() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let make = make_fn(move |scope: Scope| {
        let tries = Arc::clone(&counted);
        async move {
            if scope.id().get() != 1 {
                return Ok(());
            }
            match tries.fetch_add(1, SeqCst) {
                0 => Err(BoxError::from("the disk is full")),
                1 => panic!("out of luck"),
                _ => Ok(()),
            }
        }
    });
    let resources = PerTenant::new(make, Bounds::default());

    for _ in 0..10 {
        let refusal: Refusal = resources.of(&scope(1)).await.unwrap_err().into();
        assert_eq!(refusal.code(), Code::InstanceFailed);
        assert_eq!(refusal.retry_after_secs(), Some(1));
        assert!(refusal.to_string().contains("the disk is full"), "{refusal}");
    }
    assert_eq!(tries.load(SeqCst), 1, "nothing is tried while it backs off");
    resources.of(&scope(2)).await.unwrap();

    pass(Duration::from_secs(1)).await;
    let error = resources.of(&scope(1)).await.unwrap_err();
    assert!(
        matches!(&error, Unavailable::Build { error: BuildError::Panicked { message }, .. } if &**message == "out of luck"),
        "{error:?}"
    );
    pass(Duration::from_secs(1)).await;
    assert!(resources.of(&scope(1)).await.is_err(), "the wait has doubled");
    pass(Duration::from_secs(1)).await;
    resources.of(&scope(1)).await.unwrap();
    assert_eq!(tries.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_build_that_hangs_is_given_up() {
    let make = make_fn(|_| std::future::pending::<Result<(), BoxError>>());
    let resources = PerTenant::new(make, Bounds::default());
    let refusal: Refusal = resources.of(&scope(1)).await.unwrap_err().into();
    assert_eq!(refusal.code(), Code::InstanceTimeout);
    assert!(refusal.to_string().contains("build_timeout"), "{refusal}");
    assert_eq!(resources.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_blocks_its_thread_is_given_up_as_well() {
    let make = make_fn(|_| async {
        std::thread::sleep(Duration::from_millis(400));
        Ok::<_, BoxError>(())
    });
    let resources = PerTenant::new(make, bounds(|bounds| bounds.build_timeout = Duration::from_millis(20)));
    let refusal: Refusal = resources.of(&scope(1)).await.unwrap_err().into();
    assert_eq!(refusal.code(), Code::InstanceTimeout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_too_late_is_closed() {
    /// Blocks its thread for longer than is allowed.
    #[derive(Clone, Default)]
    struct Late(Numbers);

    impl MakeResource for Late {
        type Resource = i64;

        async fn make(&self, scope: Scope) -> Result<i64, BoxError> {
            std::thread::sleep(Duration::from_millis(200));
            self.0.made.fetch_add(1, SeqCst);
            Ok(scope.id().get())
        }

        async fn close(&self, number: &i64) {
            self.0.close(number).await;
        }
    }

    let late = Late::default();
    let resources = PerTenant::new(late.clone(), bounds(|bounds| bounds.build_timeout = Duration::from_millis(20)));
    assert!(resources.of(&scope(1)).await.is_err());
    resources.shut_down().await;
    assert_eq!(late.0.counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_wait_for_one_build() {
    let resources = PerTenant::new(Numbers::default(), bounds(|bounds| bounds.waiters_max = 3));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let resources = resources.clone();
        calls.spawn(async move { resources.of(&scope(1)).await.map(|held| *held).map_err(Refusal::from) });
    }
    let answers = calls.join_all().await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).map(Refusal::code).collect();
    assert_eq!(refused, [Code::WaitersFull; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_shut_down_waits_for_those_in_use_and_refuses_newcomers() {
    let numbers = Numbers::default();
    let resources = PerTenant::new(numbers.clone(), Bounds::default());
    let held = resources.of(&scope(1)).await.unwrap();
    drop(resources.of(&scope(2)).await.unwrap());
    let begun = tokio::time::timeout(Duration::from_millis(1), resources.of(&scope(3))).await;
    assert!(begun.is_err(), "the third is still building");

    let waited = tokio::time::timeout(Duration::from_secs(60), resources.shut_down()).await;
    assert!(waited.is_err(), "one is in use");
    assert_eq!(numbers.counts(), (3, 2));
    let refusal: Refusal = resources.of(&scope(4)).await.unwrap_err().into();
    assert_eq!(refusal.code(), Code::ShuttingDown);
    drop(held);
    resources.shut_down().await;
    assert_eq!(numbers.counts(), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_churn_every_resource_is_right_and_closed_once() {
    let numbers = Numbers::default();
    let tight = bounds(|bounds| {
        bounds.live_max = 8;
        bounds.idle = Duration::from_millis(20);
    });
    let resources = PerTenant::new(numbers.clone(), tight);
    let mut calls = tokio::task::JoinSet::new();
    for worker in 0..32_i64 {
        let resources = resources.clone();
        calls.spawn(async move {
            for round in 0..50_i64 {
                let id = (worker * 7 + round * 3) % 12;
                if round % 11 == 0 {
                    resources.evict(TenantId::new(id));
                }
                match resources.of(&scope(id)).await {
                    Ok(held) => assert_eq!(*held, id),
                    Err(Unavailable::Evicted | Unavailable::Full { .. }) => {
                        tokio::time::sleep(Duration::from_millis(1)).await
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
    }
    calls.join_all().await;
    assert!(resources.len() <= 8);
    resources.shut_down().await;
    let (made, closed) = numbers.counts();
    assert_eq!(made, closed);
}
