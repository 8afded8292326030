//! Failures, stops and schedules.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use apalis_core::{backend::TaskSink, task::builder::TaskBuilder};
use tenantry_core::{Code, Limits, Plan, Refusal};
use tenantry_resource::{
    jobs::{Broker, Jobs, Scheduled},
    within,
};

use super::{
    queues,
    work::{Work, eventually, work},
};
use crate::resources::World;

pub(super) async fn check(world: &World, jobs: &Jobs, broker: &dyn Broker) {
    a_failure_is_tried_again(world, jobs).await;
    what_is_of_no_use_is_given_up(world, jobs).await;
    a_stop_loses_nothing(world, jobs, broker).await;
    what_was_lost_is_said(world, jobs, broker).await;
    a_time_is_waited_for(world, jobs).await;
    a_schedule_fires_once_for_each_tenant(jobs).await;
    ticks_are_remembered(broker).await;
}

async fn a_failure_is_tried_again(world: &World, jobs: &Jobs) {
    let queue = jobs.queue::<Work>("failing");
    let scope = || world.scope("acme");
    within(scope(), queue.enqueue(&Work::Fail(3, "fails".to_owned()))).await.unwrap();
    within(scope(), queue.enqueue(&Work::Panic("panics".to_owned()))).await.unwrap();
    let workers = work(&queue);
    let mut ran = workers.wait_for(6).await;
    ran.sort_by_key(|ran| (ran.note.clone(), ran.delivery.attempt));
    let attempts: Vec<_> = ran.iter().map(|ran| (ran.note.as_str(), ran.delivery.attempt)).collect();
    assert_eq!(attempts, [("fails", 1), ("fails", 2), ("fails", 3), ("fails", 4), ("panics", 1), ("panics", 2)]);
    workers.stop().await;
    assert_eq!(within(scope(), queue.dead(10)).await.unwrap().len(), 0);
}

async fn what_is_of_no_use_is_given_up(world: &World, jobs: &Jobs) {
    let queue = jobs.queue::<Work>("hopeless");
    let scope = || world.scope("acme");
    let mut sink = queue.clone();
    let twice = TaskBuilder::new(Work::Fail(2, "twice".to_owned())).max_attempts(2).build();
    within(scope(), sink.push_task(twice)).await.unwrap();
    within(scope(), queue.enqueue(&Work::Abort("aborts".to_owned()))).await.unwrap();
    let workers = work(&queue);
    eventually("both are given up", async || within(scope(), queue.dead(10)).await.unwrap().len() == 2).await;
    assert_eq!(workers.ran().len(), 3);
    let dead = within(scope(), queue.dead(10)).await.unwrap();
    let failures: Vec<_> = dead.iter().map(|dead| (dead.attempts, dead.failure.as_str())).collect();
    assert_eq!(failures, [(2, "attempt 2 of acme"), (1, "AbortError: it is of no use")]);
    // Once it may work, it is run again from the beginning.
    assert!(within(scope(), queue.revive(&dead[0].id)).await.unwrap());
    workers.wait_for(5).await;
    eventually("it is given up again", async || within(scope(), queue.dead(10)).await.unwrap().len() == 2).await;
    assert!(within(scope(), queue.discard(&dead[1].id)).await.unwrap());
    assert_eq!(within(scope(), queue.dead(10)).await.unwrap().len(), 1);
    workers.stop().await;
}

async fn a_stop_loses_nothing(world: &World, jobs: &Jobs, broker: &dyn Broker) {
    let queue = jobs.queue::<Work>("stopping");
    let scope = world.scope("acme");
    for number in 0..30 {
        within(scope.clone(), queue.enqueue(&Work::Take(20, number.to_string()))).await.unwrap();
    }
    let first = work(&queue);
    first.wait_for(1).await;
    let mut ran = first.stop().await;
    let left = broker.counts(scope.id()).await.unwrap();
    let left = left.into_iter().find(|counts| counts.queue == "stopping");
    let left = left.map_or(0, |counts| {
        assert_eq!((counts.running, counts.dead), (0, 0), "nothing is left half-way: {} ran", ran.len());
        usize::try_from(counts.waiting).unwrap()
    });
    assert_eq!(ran.len() + left, 30);
    let second = work(&queue);
    second.wait_for(left).await;
    ran.extend(second.stop().await);
    let mut notes: Vec<_> = ran.iter().map(|ran| ran.note.parse::<u32>().unwrap()).collect();
    notes.sort_unstable();
    assert_eq!(notes, (0..30).collect::<Vec<_>>(), "each ran once");
    assert!(ran.iter().all(|ran| ran.delivery.attempt == 1));
}

/// A worker is gone without a word.
async fn what_was_lost_is_said(world: &World, jobs: &Jobs, broker: &dyn Broker) {
    let queue = jobs.queue::<Work>("killed");
    within(world.scope("acme"), queue.enqueue(&Work::Note("runs twice".to_owned()))).await.unwrap();
    broker.take("killed", "gone", Duration::from_millis(1)).await.unwrap().unwrap();
    let workers = work(&queue);
    let ran = workers.wait_for(1).await;
    assert_eq!((ran[0].delivery.attempt, ran[0].delivery.lost), (2, 1));
    workers.stop().await;
}

async fn a_time_is_waited_for(world: &World, jobs: &Jobs) {
    let mut queue = jobs.queue::<Work>("delayed");
    let scope = world.scope("acme");
    let later = TaskBuilder::new(Work::Note("later".to_owned())).run_in_seconds(2).build();
    within(scope.clone(), queue.push_task(later)).await.unwrap();
    let once = || TaskBuilder::new(Work::Note("once".to_owned())).idempotency_key("k").run_in_seconds(3600).build();
    within(scope.clone(), queue.push_task(once())).await.unwrap();
    within(scope.clone(), queue.push_task(once())).await.unwrap();
    within(scope.clone(), queue.enqueue(&Work::Note("now".to_owned()))).await.unwrap();
    let workers = work(&queue);
    assert_eq!(workers.wait_for(1).await[0].note, "now");
    assert_eq!(workers.wait_for(2).await[1].note, "later");
    workers.stop().await;
    let counts = within(scope, jobs.counts()).await.unwrap();
    assert_eq!(counts.iter().find(|counts| counts.queue == "delayed").unwrap().waiting, 1);
}

async fn a_schedule_fires_once_for_each_tenant(jobs: &Jobs) {
    let queue = jobs.queue::<Work>("scheduled");
    let every = |name: &'static str| {
        let queue = queue.clone();
        async move {
            let plan = |scope: &tenantry_core::Scope| {
                // A tenant may have none.
                let schedule = (scope.slug().as_str() != "hooli").then(|| "* * * * * *".parse().unwrap())?;
                let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
                Some(Scheduled { schedule, job: Work::Note(format!("{name} {seconds}")) })
            };
            tokio::time::timeout(Duration::from_secs(4), queue.every("ticks", plan)).await.unwrap_err();
        }
    };
    let workers = work(&queue);
    // Two processes.
    tokio::join!(every("a"), every("b"));
    let ran = workers.stop().await;
    for tenant in ["acme", "globex"] {
        let count = ran.iter().filter(|ran| ran.tenant == tenant).count();
        // Four seconds have three to five beginnings, and the first is only remembered.
        assert!((1..=5).contains(&count), "{count} of {tenant}");
    }
    assert!(ran.iter().all(|ran| ran.tenant != "hooli"));
}

async fn ticks_are_remembered(broker: &dyn Broker) {
    let at = |secs| SystemTime::UNIX_EPOCH + Duration::from_secs(secs);
    let (acme, job) = (queues::ACME, queues::job("ticked"));
    assert_eq!(broker.last_tick("ticked", acme, "s").await.unwrap(), None);
    assert!(broker.tick("ticked", acme, "s", at(100), None).await.unwrap());
    assert_eq!(broker.last_tick("ticked", acme, "s").await.unwrap(), Some(at(100)));
    assert!(broker.tick("ticked", acme, "s", at(200), Some(&job)).await.unwrap());
    for late in [100, 200] {
        assert!(!broker.tick("ticked", acme, "s", at(late), Some(&queues::job("late"))).await.unwrap());
    }
    assert!(broker.tick("ticked", queues::GLOBEX, "s", at(200), None).await.unwrap(), "each tenant has its own");
    assert_eq!(queues::take(broker, "ticked").await.unwrap().id, "ticked");
    assert_eq!(queues::take(broker, "ticked").await, None);
    for tenant in [acme, queues::GLOBEX] {
        broker.forget(tenant).await.unwrap();
        assert_eq!(broker.last_tick("ticked", tenant, "s").await.unwrap(), None);
    }
}

/// Limits of a plan and of a job.
pub async fn limits(broker: Arc<dyn Broker>) {
    let mut limits = Limits::NONE;
    limits.jobs_max = Some(2);
    let world = World::on(Plan::new("default".parse().unwrap(), limits)).await;
    let jobs = super::quick(&world, broker);
    let queue = jobs.queue::<Work>("limited");
    let push =
        async |tenant: &str, text: &str| within(world.scope(tenant), queue.enqueue(&Work::Note(text.to_owned()))).await;
    push("acme", "1").await.unwrap();
    push("acme", "2").await.unwrap();
    let full = push("acme", "3").await.unwrap_err();
    assert_eq!(
        full.to_string(),
        "tenant acme has as many jobs in the queue limited as plans.<name>.jobs_max allows, 2"
    );
    assert_eq!(Refusal::from(full).code(), Code::JobsFull);
    push("globex", "1").await.unwrap();
    let large = push("globex", &"x".repeat(300_000)).await.unwrap_err();
    assert!(large.to_string().contains("jobs.payload_bytes_max is 262144"), "{large}");
}
