//! A server that is stopped, hangs, has no room, or is not fit for jobs.

use std::{sync::Arc, time::Duration};

use tenantry_core::{Code, Refusal};
use tenantry_resource::{
    jobs::{Broker, BrokerError, Held, JobError, JobQueue, Outcome, RedisJobs},
    redis::RedisServer,
    within,
};
use tenantry_test::resources::{
    World,
    jobs::{self, Work, eventually, work},
    redis::{OwnRedis, options},
};

use super::{
    admin, open, set,
    store::{ACME, LEASE, job},
};

const TENANTS: [&str; 2] = ["acme", "globex"];

/// Pushes jobs with these numbers for both tenants, and says which were acknowledged.
async fn push(world: &World, queue: &JobQueue<Work>, numbers: std::ops::Range<u32>) -> Vec<(String, String)> {
    let mut stored = Vec::new();
    for number in numbers {
        for tenant in TENANTS {
            let note = format!("{tenant} {number}");
            match within(world.scope(tenant), queue.enqueue(&Work::Take(2, note.clone()))).await {
                Ok(()) => stored.push((tenant.to_owned(), note)),
                Err(error) => unavailable(error),
            }
        }
    }
    stored
}

fn unavailable(error: JobError) {
    let names_place = |broker: &BrokerError| broker.place.starts_with("Redis at 127.0.0.1:");
    assert!(matches!(&error, JobError::Broker(broker) if names_place(broker)), "{error:?}");
    let said = format!("{error} {error:?}");
    assert!(said.contains("the jobs are not available") && !said.contains("redis://"), "{said}");
    let refusal = Refusal::from(error);
    assert_eq!((refusal.code(), refusal.status().as_u16()), (Code::JobsUnavailable, 503));
    assert!(!refusal.public().contains("127.0.0.1"), "{}", refusal.public());
}

#[tokio::test]
async fn a_restarted_server_has_lost_nothing_and_workers_go_on() {
    let server = OwnRedis::start_durable().unwrap();
    let world = World::new().await;
    let queue = jobs::quick(&world, open(server.url(), options()).await).queue::<Work>("restart");
    let workers = work(&queue);
    let mut stored = push(&world, &queue, 0..30).await;
    for round in 1..=2 {
        workers.wait_for(10 * round).await;
        server.stop().unwrap();
        let refused = push(&world, &queue, 1_000..1_003).await;
        assert_eq!(refused, [], "nothing is acknowledged while it is away");
        let error = within(world.scope("acme"), queue.counts()).await.unwrap_err();
        unavailable(error);
        server.start_again().unwrap();
        eventually("the server is back", async || within(world.scope("acme"), queue.counts()).await.is_ok()).await;
        let base = u32::try_from(round).unwrap() * 100;
        stored.extend(push(&world, &queue, base..base + 30).await);
    }
    assert_eq!(stored.len(), 2 * 3 * 30);
    eventually("all that was acknowledged has run", async || {
        let ran = workers.notes();
        stored.iter().all(|stored| ran.contains(stored))
    })
    .await;
    let ran = workers.stop().await;
    for stored in &stored {
        let of_it: Vec<_> = ran.iter().filter(|ran| ran.note == stored.1).collect();
        assert!(of_it.iter().all(|ran| ran.tenant == stored.0));
        for (before, ran) in of_it.iter().enumerate() {
            assert!(usize::try_from(ran.delivery.lost).unwrap() >= before, "{stored:?} ran again and was not told so");
        }
    }
    assert!(ran.iter().all(|ran| stored.iter().any(|stored| ran.note == stored.1)), "what was refused never runs");
    for tenant in TENANTS {
        let counts = within(world.scope(tenant), queue.counts()).await.unwrap();
        assert!(counts.is_none_or(|counts| counts.waiting + counts.running + counts.dead == 0), "{tenant}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_an_error_and_workers_go_on() {
    let server = OwnRedis::start().unwrap();
    let world = World::new().await;
    let mut options = options();
    options.response_timeout = Duration::from_millis(200);
    let broker = eventually_open(&server, options).await;
    let queue = jobs::quick(&world, broker).queue::<Work>("hangs");
    let workers = work(&queue);
    server.hold().unwrap();
    let error = within(world.scope("acme"), queue.enqueue(&Work::Note("held".to_owned()))).await.unwrap_err();
    unavailable(error);
    server.release().unwrap();
    eventually("it is back", async || {
        within(world.scope("globex"), queue.enqueue(&Work::Note("free".to_owned()))).await.is_ok()
    })
    .await;
    eventually("it runs", async || workers.notes().contains(&("globex".to_owned(), "free".to_owned()))).await;
    workers.stop().await;
}

/// A busy machine may take longer than the time-out.
async fn eventually_open(server: &OwnRedis, options: tenantry_resource::redis::RedisOptions) -> Arc<RedisJobs> {
    loop {
        if let Ok(jobs) = RedisJobs::open(RedisServer::new(server.url(), options.clone()).unwrap()).await {
            return Arc::new(jobs);
        }
    }
}

#[tokio::test]
async fn a_server_without_room_refuses_jobs_and_lets_workers_go_on() {
    let server = OwnRedis::start().unwrap();
    let options = options();
    let (mut admin, broker) = (admin(&server).await, open(server.url(), options.clone()).await);
    let later = tenantry_resource::jobs::NewJob { delay: Duration::from_millis(1), ..job("later") };
    broker.push("full", ACME, &[job("1"), job("2"), job("3"), later], None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    set(&mut admin, "maxmemory", "1").await;

    let error = broker.push("full", ACME, &[job("4"), job("5")], None).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("OOM") && source.contains("maxmemory"), "{source}");
    let tick = std::time::SystemTime::now();
    broker.tick("full", ACME, "s", tick, Some(&job("tick"))).await.unwrap_err();
    assert_eq!(broker.last_tick("full", ACME, "s").await.unwrap(), None, "its job was not added, so it is not over");
    assert_eq!(broker.counts(ACME).await.unwrap()[0].waiting, 4, "nothing was added");

    // Another process can come, and whatever makes room in the end goes on.
    let broker = open(server.url(), options).await;
    assert_eq!(broker.tend("full", &[], LEASE).await.unwrap().due, 1);
    let mut outcomes = [
        Outcome::Dead { failure: "why".to_owned() },
        Outcome::Again { delay: LEASE, failure: "why".to_owned() },
        Outcome::Returned,
        Outcome::Done,
        Outcome::Done,
    ]
    .into_iter();
    while let Some(taken) = broker.take("full", "w", LEASE).await.unwrap() {
        let held = Held { id: taken.id.clone(), by: "w".to_owned() };
        broker.tend("full", &[held], Duration::from_secs(600)).await.unwrap();
        assert!(broker.finish("w", &taken.id, &outcomes.next().unwrap()).await.unwrap());
    }
    assert_eq!(outcomes.next(), None);
    broker.park("full", ACME, LEASE).await.unwrap();
    let counts = broker.counts(ACME).await.unwrap().remove(0);
    assert_eq!((counts.waiting, counts.running, counts.dead), (1, 0, 1));
    broker.revive("full", ACME, "1").await.unwrap_err();
    assert!(broker.discard("full", ACME, "1").await.unwrap());
    assert_eq!(broker.forget(ACME).await.unwrap(), 1);

    set(&mut admin, "maxmemory", "0").await;
    broker.push("full", ACME, &[job("4")], None).await.unwrap();
    assert_eq!(broker.take("full", "w", LEASE).await.unwrap().unwrap().id, "4");
}

#[tokio::test]
async fn a_server_that_may_drop_jobs_is_refused() {
    let server = OwnRedis::start().unwrap();
    let mut admin = admin(&server).await;
    let options = options();
    let refused = async || {
        let error = RedisJobs::open(RedisServer::new(server.url(), options.clone()).unwrap()).await.unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    for policy in ["allkeys-lru", "volatile-ttl"] {
        set(&mut admin, "maxmemory-policy", policy).await;
        let said = refused().await;
        assert!(said.contains(policy) && said.contains("set maxmemory-policy noeviction"), "{said}");
    }
    set(&mut admin, "maxmemory-policy", "noeviction").await;
    open(server.url(), options.clone()).await;
    let layout = format!("{{{}:jobs}}:layout", options.prefix);
    let () = redis::cmd("SET").arg(layout).arg("2").query_async(&mut admin).await.unwrap();
    assert!(refused().await.contains("another version of Tenantry"), "{}", refused().await);
    server.stop().unwrap();
    assert!(!refused().await.is_empty());
}

#[tokio::test]
async fn scripts_that_the_server_has_forgotten_are_loaded_again() {
    let server = OwnRedis::start().unwrap();
    let (mut admin, broker) = (admin(&server).await, open(server.url(), options()).await);
    broker.push("q", ACME, &[job("1")], None).await.unwrap();
    let () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut admin).await.unwrap();
    broker.push("q", ACME, &[job("2")], None).await.unwrap();
    assert_eq!(broker.counts(ACME).await.unwrap()[0].waiting, 2);
}
