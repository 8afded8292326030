//! What is on the server, and what a lost answer does.

use std::{collections::BTreeMap, time::Duration};

use redis::AsyncCommands;
use tenantry_core::TenantId;
use tenantry_resource::jobs::{Broker, Envelope, Held, NewJob, Outcome, Pushed, Tended};
use tenantry_test::resources::redis::{OwnRedis, options};

use super::{admin, open};

pub(super) const ACME: TenantId = TenantId::new(1);
pub(super) const GLOBEX: TenantId = TenantId::new(2);
pub(super) const LEASE: Duration = Duration::from_secs(60);

pub(super) fn job(id: &str) -> NewJob {
    let envelope = Envelope { payload: id.into(), metadata: "{}".to_owned(), signature: Vec::new() };
    NewJob { id: id.to_owned(), delay: Duration::ZERO, priority: 0, attempts_max: 3, unique_key: None, envelope }
}

pub(super) fn many(prefix: &str, count: u32) -> Vec<NewJob> {
    (0..count).map(|number| job(&format!("{prefix}{number}"))).collect()
}

/// The keys of jobs under a prefix.
async fn keys(redis: &mut redis::aio::MultiplexedConnection, prefix: &str) -> Vec<String> {
    let mut keys: Vec<String> = redis.keys(format!("{prefix}*")).await.unwrap();
    keys.sort();
    keys
}

#[tokio::test]
async fn all_keys_are_in_one_slot_and_a_tenant_that_is_forgotten_leaves_none() {
    let (server, options) = (OwnRedis::start().unwrap(), options());
    let (mut redis, broker) = (admin(&server).await, open(server.url(), options.clone()).await);
    let queue = "}{ :1:*\0";
    let unique = |id: &str, key: &str| NewJob { unique_key: Some(key.to_owned()), ..job(id) };
    for (tenant, name) in [(ACME, "acme"), (GLOBEX, "globex")] {
        let mut jobs = many(name, 6);
        jobs.push(NewJob { delay: LEASE, ..job(&format!("{name}}}later")) });
        jobs.push(unique(&format!("{name} keyed"), ""));
        broker.push(queue, tenant, &jobs, None).await.unwrap();
        broker
            .tick(queue, tenant, "}s", std::time::SystemTime::now(), Some(&job(&format!("{name} tick"))))
            .await
            .unwrap();
        broker.park("another", tenant, LEASE).await.unwrap();
    }
    // Each tenant has one of both.
    let (done, dead) = (Outcome::Done, Outcome::Dead { failure: "why".to_owned() });
    for outcome in [&done, &done, &dead, &dead] {
        let taken = broker.take(queue, "w", LEASE).await.unwrap().unwrap();
        assert!(broker.finish("w", &taken.id, outcome).await.unwrap());
    }
    for _ in 0..2 {
        broker.take(queue, "w", LEASE).await.unwrap().unwrap();
    }
    broker.park(queue, ACME, LEASE).await.unwrap();
    let slot = format!("{{{}:jobs}}:", options.prefix);
    let all = keys(&mut redis, "").await;
    assert!(all.len() > 30 && all.iter().all(|key| key.starts_with(&slot)), "{all:?}");

    // One of nine is done.
    assert_eq!(broker.forget(ACME).await.unwrap(), 8);
    let counts = broker.counts(GLOBEX).await.unwrap();
    assert_eq!((counts[0].waiting, counts[0].running, counts[0].dead), (6, 1, 1), "another tenant's are untouched");
    assert_eq!(broker.forget(GLOBEX).await.unwrap(), 8);
    assert_eq!(broker.tend(queue, &[], LEASE).await.unwrap(), Tended::default());
    let left: Vec<_> = keys(&mut redis, "").await.into_iter().filter(|key| !key.contains(":done:")).collect();
    assert_eq!(left, [format!("{slot}clock:{queue}"), format!("{slot}layout"), format!("{slot}number")]);
    for done in keys(&mut redis, "").await.into_iter().filter(|key| key.contains(":done:")) {
        assert!(redis.pttl::<_, i64>(&done).await.unwrap() > 0, "it goes by itself");
    }
}

/// What the server is asked for must not grow with the number of jobs.
#[tokio::test]
async fn a_call_does_the_same_however_many_jobs_there_are() {
    let server = OwnRedis::start().unwrap();
    let (mut redis, broker) = (admin(&server).await, open(server.url(), options()).await);
    let mut counted = BTreeMap::<_, Vec<_>>::new();
    for (round, count) in [10, 3_000].into_iter().enumerate() {
        let queue = format!("q{round}");
        let later: Vec<_> = many("later", count)
            .into_iter()
            .map(|job| NewJob { id: format!("{round}{}", job.id), delay: LEASE, ..job })
            .collect();
        broker.push(&queue, ACME, &later, None).await.unwrap();
        for tenant in 1..=20 {
            let jobs = many(&format!("{round}-{tenant}-"), count / 10);
            broker.push(&queue, TenantId::new(tenant), &jobs, None).await.unwrap();
        }
        // The scripts are there, and a job is the worker's and another one dead.
        for outcome in [Outcome::Dead { failure: String::new() }, Outcome::Returned, Outcome::Returned] {
            let taken = broker.take(&queue, "w", LEASE).await.unwrap().unwrap();
            broker.finish("w", &taken.id, &outcome).await.unwrap();
        }
        broker.tend(&queue, &[], LEASE).await.unwrap();
        let mut count = async |what: &'static str, redis: &mut redis::aio::MultiplexedConnection| {
            let info: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.unwrap();
            let calls =
                info.lines().filter_map(|line| line.split_once(":calls=")?.1.split(',').next()?.parse::<u64>().ok());
            counted.entry(what).or_default().push(calls.sum::<u64>());
            let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(redis).await.unwrap();
        };
        count("before", &mut redis).await;
        broker.push(&queue, ACME, &[job(&format!("one more {round}"))], None).await.unwrap();
        count("push", &mut redis).await;
        let taken = broker.take(&queue, "w", LEASE).await.unwrap().unwrap();
        count("take", &mut redis).await;
        broker.tend(&queue, &[Held { id: taken.id.clone(), by: "w".to_owned() }], LEASE).await.unwrap();
        count("tend", &mut redis).await;
        broker.finish("w", &taken.id, &Outcome::Done).await.unwrap();
        count("finish", &mut redis).await;
    }
    counted.remove("before");
    for (what, calls) in counted {
        assert!(calls[0] > 0 && calls[0] == calls[1], "{what}: {calls:?}");
    }
}

#[tokio::test]
async fn what_is_due_becomes_ready_in_steps() {
    let broker = super::broker().await;
    let short = Duration::from_millis(1);
    let jobs: Vec<_> = many("due", 2_500).into_iter().map(|job| NewJob { delay: short, ..job }).collect();
    broker.push("steps", ACME, &jobs, None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    for due in [1000, 1000, 500, 0] {
        assert_eq!(broker.tend("steps", &[], LEASE).await.unwrap(), Tended { due, ..Tended::default() });
    }
    assert_eq!(broker.forget(ACME).await.unwrap(), 2_500);
}

/// A push that is sent again, since the connection was lost before the answer came.
#[tokio::test]
async fn a_push_that_is_sent_again_adds_nothing() {
    let broker = super::broker().await;
    let jobs = many("twice", 3);
    for _ in 0..2 {
        assert_eq!(broker.push("again", ACME, &jobs, Some(3)).await.unwrap(), Pushed::Added(3));
    }
    for _ in 0..3 {
        let taken = broker.take("again", "w", LEASE).await.unwrap().unwrap();
        assert_eq!(broker.push("again", ACME, &jobs, None).await.unwrap(), Pushed::Added(3), "some run");
        assert!(broker.finish("w", &taken.id, &Outcome::Done).await.unwrap());
    }
    assert_eq!(broker.push("again", ACME, &jobs, None).await.unwrap(), Pushed::Added(3), "they are done");
    assert_eq!(broker.take("again", "w", LEASE).await.unwrap(), None);
    assert_eq!(broker.push("again", GLOBEX, &jobs[..1], None).await.unwrap(), Pushed::Added(1), "another tenant's");
    assert_eq!(broker.push("again", ACME, &jobs[..1], None).await.unwrap(), Pushed::Added(0), "the name is not free");
    broker.forget(GLOBEX).await.unwrap();
}

/// The process that forgets a tenant ends after the first step.
#[tokio::test]
async fn a_tenant_is_forgotten_at_once_and_what_is_left_goes_later() {
    let (server, options) = (OwnRedis::start().unwrap(), options());
    let (mut redis, broker) = (admin(&server).await, open(server.url(), options.clone()).await);
    let slot = format!("{{{}:jobs}}:", options.prefix);
    let short = Duration::from_millis(1);
    for (tenant, name) in [(ACME, "a"), (GLOBEX, "g")] {
        let mut jobs = many(name, 150);
        jobs.extend(many(&format!("{name} later"), 150).into_iter().map(|job| NewJob { delay: short, ..job }));
        broker.push("left", tenant, &jobs, None).await.unwrap();
    }
    let mut taken = Vec::new();
    for outcome in [None, None, None, None, Some(Outcome::Dead { failure: String::new() }), None] {
        let job = broker.take("left", "w", short).await.unwrap().unwrap();
        match outcome {
            Some(outcome) => assert!(broker.finish("w", &job.id, &outcome).await.unwrap()),
            None => taken.push(job),
        }
    }
    let before = keys(&mut redis, "").await.len();
    let forget = concat!(
        include_str!("../../../../../../tenantry-resource/src/jobs/on_redis/lua/prelude.lua"),
        include_str!("../../../../../../tenantry-resource/src/jobs/on_redis/lua/forget.lua"),
    );
    let forget = redis::Script::new(forget);
    let dropped: u64 = forget.key(format!("{slot}layout")).arg(ACME.get()).invoke_async(&mut redis).await.unwrap();
    assert_eq!(dropped, 300);
    assert_eq!(broker.counts(ACME).await.unwrap(), []);
    assert_eq!(broker.dead("left", ACME, 10).await.unwrap().len(), 0);
    assert!(keys(&mut redis, "").await.len() + 20 > before, "nearly everything is still there");
    for job in taken.iter().filter(|job| job.tenant == ACME) {
        assert!(!broker.finish("w", &job.id, &Outcome::Done).await.unwrap(), "there is no such job any more");
    }
    // New jobs of the same tenant are not mixed up with what is left.
    broker.push("left", ACME, &many("new", 3), None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (mut due, mut lost) = (0, 0);
    for _ in 0..20 {
        let Tended { due: now, lost: ended, dead } = broker.tend("left", &[], LEASE).await.unwrap();
        assert_eq!(dead, 0);
        (due, lost) = (due + now, lost + ended);
    }
    assert_eq!(
        (due, lost),
        (150, u64::try_from(taken.iter().filter(|job| job.tenant == GLOBEX).count()).unwrap()),
        "of the other one"
    );
    let counts = broker.counts(ACME).await.unwrap().remove(0);
    assert_eq!((counts.waiting, counts.running, counts.dead), (3, 0, 0));
    assert_eq!(broker.forget(ACME).await.unwrap(), 3);
    broker.forget(GLOBEX).await.unwrap();
    let left: Vec<_> = keys(&mut redis, "").await.into_iter().filter(|key| !key.contains(":done:")).collect();
    assert_eq!(left, [format!("{slot}clock:left"), format!("{slot}layout"), format!("{slot}number")]);
}
