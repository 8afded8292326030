//! What a broker does with one tenant's jobs, asked without workers.

use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_resource::jobs::{Broker, Counts, Envelope, Held, NewJob, Outcome, Pushed, Taken, Tended};

/// All of it, each in a queue of its own.
pub(super) async fn check(broker: &dyn Broker) {
    a_job_survives_a_round_trip(broker).await;
    what_comes_first(broker).await;
    only_one_worker_has_it(broker).await;
    outcomes(broker).await;
    a_late_word_ends_no_newer_attempt(broker).await;
    a_job_that_was_lost_comes_again(broker).await;
    leases_are_extended(broker).await;
    a_lost_take(broker).await;
    no_two_have_the_same_key(broker).await;
    as_many_as_allowed(broker).await;
    dead_letters(broker).await;
    queues_are_apart(broker).await;
}

pub(super) const ACME: TenantId = TenantId::new(901);
pub(super) const GLOBEX: TenantId = TenantId::new(902);
pub(super) const LEASE: Duration = Duration::from_secs(60);

pub(super) fn job(id: &str) -> NewJob {
    let envelope = Envelope { payload: id.into(), metadata: "{}".to_owned(), signature: b"\0\xff".to_vec() };
    NewJob { id: id.to_owned(), delay: Duration::ZERO, priority: 0, attempts_max: 3, unique_key: None, envelope }
}

/// What was taken by this name.
pub(super) fn held(id: &str, by: &str) -> Held {
    Held { id: id.to_owned(), by: by.to_owned() }
}

pub(super) async fn push(broker: &dyn Broker, queue: &str, tenant: TenantId, jobs: &[NewJob]) {
    let added = u64::try_from(jobs.len()).unwrap();
    assert_eq!(broker.push(queue, tenant, jobs, None).await.unwrap(), Pushed::Added(added));
}

pub(super) async fn take(broker: &dyn Broker, queue: &str) -> Option<Taken> {
    broker.take(queue, "w", LEASE).await.unwrap()
}

async fn take_id(broker: &dyn Broker, queue: &str) -> Option<String> {
    take(broker, queue).await.map(|taken| taken.id)
}

async fn finish(broker: &dyn Broker, id: &str, outcome: Outcome) {
    assert!(broker.finish("w", id, &outcome).await.unwrap(), "{id} is the worker's");
}

async fn counts(broker: &dyn Broker, queue: &str) -> (u64, u64, u64) {
    let counts = broker.counts(ACME).await.unwrap();
    let found = counts.into_iter().find(|counts| counts.queue == queue);
    found.map_or((0, 0, 0), |Counts { waiting, running, dead, .. }| (waiting, running, dead))
}

async fn a_job_survives_a_round_trip(broker: &dyn Broker) {
    let mut new = job("round");
    new.envelope.payload = (0..=255).collect();
    new.envelope.metadata = "{\"a\":\"ü'\\\"\"}".to_owned();
    new.priority = i64::MAX;
    new.attempts_max = u32::MAX;
    push(broker, "round", ACME, std::slice::from_ref(&new)).await;
    assert_eq!(counts(broker, "round").await, (1, 0, 0));
    let taken = take(broker, "round").await.unwrap();
    let NewJob { id, priority, attempts_max, envelope, .. } = new;
    assert_eq!(taken, Taken { id, tenant: ACME, attempt: 1, lost: 0, attempts_max, priority, envelope });
    assert_eq!(counts(broker, "round").await, (0, 1, 0));
    finish(broker, "round", Outcome::Done).await;
    assert_eq!(counts(broker, "round").await, (0, 0, 0));
}

async fn what_comes_first(broker: &dyn Broker) {
    let urgent = NewJob { priority: 1, ..job("urgent") };
    let later = NewJob { delay: Duration::from_secs(3600), priority: 9, ..job("later") };
    push(broker, "order", ACME, &[job("first"), later, job("second"), urgent]).await;
    for expected in ["urgent", "first", "second"] {
        assert_eq!(take_id(broker, "order").await.as_deref(), Some(expected));
    }
    assert_eq!(take(broker, "order").await, None, "what is later waits");
    assert_eq!(counts(broker, "order").await, (1, 3, 0));
}

async fn only_one_worker_has_it(broker: &dyn Broker) {
    push(broker, "one", ACME, &[job("mine")]).await;
    assert!(take(broker, "one").await.is_some());
    assert_eq!(take(broker, "one").await, None);
    assert!(!broker.finish("another", "mine", &Outcome::Done).await.unwrap(), "it is not another's");
    assert_eq!(counts(broker, "one").await, (0, 1, 0));
    finish(broker, "mine", Outcome::Done).await;
    assert!(!broker.finish("w", "mine", &Outcome::Done).await.unwrap(), "it is finished once");
}

async fn outcomes(broker: &dyn Broker) {
    push(broker, "ends", ACME, &[job("ends")]).await;
    assert_eq!(take(broker, "ends").await.unwrap().attempt, 1);
    finish(broker, "ends", Outcome::Returned).await;
    assert_eq!(take(broker, "ends").await.unwrap().attempt, 1, "it was not run");
    let again = Outcome::Again { delay: Duration::from_millis(1), failure: "no luck".to_owned() };
    finish(broker, "ends", again).await;
    assert_eq!(take(broker, "ends").await, None, "it waits");
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(broker.tend("ends", &[], LEASE).await.unwrap(), Tended { due: 1, ..Tended::default() });
    let taken = take(broker, "ends").await.unwrap();
    assert_eq!((taken.attempt, taken.lost), (2, 0));
    finish(broker, "ends", Outcome::Dead { failure: "no luck at all".to_owned() }).await;
    assert_eq!(counts(broker, "ends").await, (0, 0, 1));
    assert_eq!(take(broker, "ends").await, None);
}

/// Whoever does not hear that a job is finished says it again. Meanwhile the same worker may have taken it anew.
async fn a_late_word_ends_no_newer_attempt(broker: &dyn Broker) {
    push(broker, "late", ACME, &[NewJob { attempts_max: 9, ..job("late") }]).await;
    let failure = || "no luck".to_owned();
    let outcomes = [
        Outcome::Returned,
        Outcome::Again { delay: Duration::from_millis(1), failure: failure() },
        Outcome::Dead { failure: failure() },
    ];
    for outcome in &outcomes {
        broker.take("late", "w-1", LEASE).await.unwrap().unwrap();
        assert!(broker.finish("w-1", "late", outcome).await.unwrap());
        tokio::time::sleep(Duration::from_millis(5)).await;
        broker.tend("late", &[], LEASE).await.unwrap();
        broker.revive("late", ACME, "late").await.unwrap();
        broker.take("late", "w-2", Duration::from_millis(1)).await.unwrap().unwrap();
        for late in outcomes.iter().chain([&Outcome::Done]) {
            assert!(!broker.finish("w-1", "late", late).await.unwrap(), "{late:?} after {outcome:?}");
        }
        assert_eq!(counts(broker, "late").await, (0, 1, 0), "it runs, after {outcome:?}");
        // Nor is the lease of the newer one extended.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let tended = broker.tend("late", &[held("late", "w-1")], LEASE).await.unwrap();
        assert_eq!(tended, Tended { lost: 1, ..Tended::default() }, "after {outcome:?}");
    }
    broker.take("late", "w-3", LEASE).await.unwrap().unwrap();
    assert!(broker.finish("w-3", "late", &Outcome::Done).await.unwrap());
}

async fn a_job_that_was_lost_comes_again(broker: &dyn Broker) {
    push(broker, "lost", ACME, &[NewJob { attempts_max: 2, ..job("lost") }]).await;
    let short = Duration::from_millis(1);
    assert!(broker.take("lost", "gone", short).await.unwrap().is_some());
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(broker.tend("lost", &[], LEASE).await.unwrap(), Tended { lost: 1, ..Tended::default() });
    assert!(!broker.finish("gone", "lost", &Outcome::Done).await.unwrap(), "it is no longer the first worker's");
    let taken = broker.take("lost", "gone too", short).await.unwrap().unwrap();
    assert_eq!((taken.attempt, taken.lost), (2, 1));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(broker.tend("lost", &[], LEASE).await.unwrap(), Tended { dead: 1, ..Tended::default() });
    let dead = broker.dead("lost", ACME, 10).await.unwrap();
    assert!(dead[0].failure.contains("ended without a word"), "{}", dead[0].failure);
}

async fn leases_are_extended(broker: &dyn Broker) {
    push(broker, "kept", ACME, &[job("kept")]).await;
    broker.take("kept", "keeps", Duration::from_millis(500)).await.unwrap().unwrap();
    broker.tend("kept", &[held("kept", "keeps")], LEASE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(broker.tend("kept", &[], LEASE).await.unwrap(), Tended::default());
    assert!(broker.finish("keeps", "kept", &Outcome::Done).await.unwrap());
}

/// The broker says that the worker has a job, and the worker does not know, since the answer was lost.
async fn a_lost_take(broker: &dyn Broker) {
    push(broker, "astray", ACME, &[job("known"), job("astray")]).await;
    let short = Duration::from_millis(1);
    for id in ["known", "astray"] {
        assert_eq!(broker.take("astray", "w", short).await.unwrap().unwrap().id, id);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    let tended = broker.tend("astray", &[held("known", "w")], LEASE).await.unwrap();
    assert_eq!(tended, Tended { lost: 1, ..Tended::default() }, "while the worker lives");
    let again = take(broker, "astray").await.unwrap();
    assert_eq!((again.id.as_str(), again.attempt, again.lost), ("astray", 2, 1));
    finish(broker, "known", Outcome::Done).await;
    finish(broker, "astray", Outcome::Done).await;
}

async fn no_two_have_the_same_key(broker: &dyn Broker) {
    let keyed = |id| NewJob { unique_key: Some("daily".to_owned()), ..job(id) };
    push(broker, "keys", ACME, &[keyed("k1")]).await;
    let again = broker.push("keys", ACME, &[keyed("k2"), job("k3")], None).await.unwrap();
    assert_eq!(again, Pushed::Added(1));
    assert_eq!(broker.push("keys", ACME, &[keyed("k2")], None).await.unwrap(), Pushed::Added(0));
    push(broker, "keys", GLOBEX, &[keyed("k4")]).await;
    push(broker, "other keys", ACME, &[keyed("k5")]).await;
    broker.forget(GLOBEX).await.unwrap();
    assert_eq!(take_id(broker, "keys").await.as_deref(), Some("k1"));
    assert_eq!(broker.push("keys", ACME, &[keyed("k6")], None).await.unwrap(), Pushed::Added(0), "it runs");
    finish(broker, "k1", Outcome::Dead { failure: String::new() }).await;
    push(broker, "keys", ACME, &[keyed("k7")]).await;
    assert!(!broker.revive("keys", ACME, "k1").await.unwrap(), "another one has its key");
    assert_eq!(take_id(broker, "keys").await.as_deref(), Some("k3"));
    assert_eq!(take_id(broker, "keys").await.as_deref(), Some("k7"));
    finish(broker, "k7", Outcome::Done).await;
    assert!(broker.revive("keys", ACME, "k1").await.unwrap());
}

async fn as_many_as_allowed(broker: &dyn Broker) {
    let push = async |id: &str, max| broker.push("full", ACME, &[job(id)], Some(max)).await.unwrap();
    assert_eq!(push("f0", 0).await, Pushed::Full);
    assert_eq!(push("f1", 2).await, Pushed::Added(1));
    let two = [job("f2"), job("f3")];
    assert_eq!(broker.push("full", ACME, &two, Some(2)).await.unwrap(), Pushed::Full, "all of them or none");
    assert_eq!(counts(broker, "full").await, (1, 0, 0));
    assert_eq!(push("f2", 2).await, Pushed::Added(1));
    assert_eq!(take_id(broker, "full").await.as_deref(), Some("f1"));
    assert_eq!(push("f4", 2).await, Pushed::Full, "what runs counts");
    finish(broker, "f1", Outcome::Done).await;
    assert_eq!(push("f4", 2).await, Pushed::Added(1));
    assert_eq!(broker.push("full", GLOBEX, &[job("f5")], Some(2)).await.unwrap(), Pushed::Added(1));
    broker.forget(GLOBEX).await.unwrap();
}

async fn dead_letters(broker: &dyn Broker) {
    push(broker, "dead", ACME, &[job("d1"), job("d2")]).await;
    push(broker, "dead", GLOBEX, &[job("d3")]).await;
    for _ in 0..3 {
        let taken = take(broker, "dead").await.unwrap();
        finish(broker, &taken.id, Outcome::Dead { failure: format!("why {}", taken.id) }).await;
    }
    let of = async |tenant, limit| {
        let dead = broker.dead("dead", tenant, limit).await.unwrap();
        dead.into_iter().map(|dead| (dead.id, dead.attempts, dead.failure)).collect::<Vec<_>>()
    };
    let expected = |id: &str| (id.to_owned(), 1, format!("why {id}"));
    assert_eq!(of(ACME, 10).await, [expected("d1"), expected("d2")]);
    assert_eq!(of(ACME, 1).await, [expected("d1")]);
    assert_eq!(of(GLOBEX, 10).await, [expected("d3")]);
    assert!(!broker.revive("dead", ACME, "d3").await.unwrap(), "it is another tenant's");
    assert!(!broker.discard("dead", ACME, "d3").await.unwrap(), "it is another tenant's");
    assert!(broker.discard("dead", ACME, "d2").await.unwrap());
    assert!(broker.revive("dead", ACME, "d1").await.unwrap());
    let taken = take(broker, "dead").await.unwrap();
    assert_eq!((taken.id.as_str(), taken.attempt), ("d1", 1), "as if it were new");
    assert!(!broker.discard("dead", ACME, "d1").await.unwrap(), "it runs");
    assert_eq!(broker.forget(GLOBEX).await.unwrap(), 1);
    assert_eq!(of(GLOBEX, 10).await, []);
}

async fn queues_are_apart(broker: &dyn Broker) {
    push(broker, "left", ACME, &[job("q1")]).await;
    assert_eq!(take(broker, "right").await, None);
    assert!(!broker.revive("right", ACME, "q1").await.unwrap());
    assert_eq!(take_id(broker, "left").await.as_deref(), Some("q1"));
    let dropped = broker.forget(ACME).await.unwrap();
    assert!(dropped > 1, "all queues of the tenant: {dropped}");
    assert_eq!(broker.counts(ACME).await.unwrap(), []);
}
