//! Jobs are their tenant's, run in its scope, and only while it is served.

use std::time::Duration;

use apalis_core::{backend::TaskSink, task::builder::TaskBuilder};
use tenantry_core::{Code, Refusal, Status, Unscoped};
use tenantry_resource::{
    jobs::{Broker, Delivery, JobError, JobQueue, Jobs},
    within,
};

use super::{
    queues::LEASE,
    work::{Work, eventually, work},
};
use crate::resources::World;

pub(super) async fn check(world: &World, jobs: &Jobs, broker: &dyn Broker) {
    without_a_scope_nothing_is_queued(jobs).await;
    each_runs_in_its_own_scope(world, jobs).await;
    a_suspended_tenants_jobs_wait(world, jobs).await;
    a_deleted_tenants_jobs_are_dropped(world, jobs).await;
    a_new_tenants_jobs_are_not_dropped(world, jobs).await;
    what_was_tampered_with_is_refused(world, jobs, broker).await;
    what_cannot_be_read_is_kept(world, jobs).await;
}

fn note(text: &str) -> Work {
    Work::Note(text.to_owned())
}

async fn enqueue(world: &World, queue: &JobQueue<Work>, tenant: &str, job: &Work) {
    within(world.scope(tenant), queue.enqueue(job)).await.unwrap();
}

async fn without_a_scope_nothing_is_queued(jobs: &Jobs) {
    let mut queue = jobs.queue::<Work>("scopeless");
    let refused = queue.enqueue(&note("nobody's")).await.unwrap_err();
    assert!(matches!(refused, JobError::NoScope(_)), "{refused}");
    assert_eq!(Refusal::from(refused).code(), Code::NoScope);
    assert!(queue.push(note("nobody's")).await.is_err());
    assert!(queue.dead(1).await.is_err() && queue.revive("x").await.is_err() && queue.discard("x").await.is_err());
    assert!(jobs.counts().await.is_err());
}

async fn each_runs_in_its_own_scope(world: &World, jobs: &Jobs) {
    let queue = jobs.queue::<Work>("scopes");
    for tenant in ["acme", "globex"] {
        for job in [note("same"), Work::NoteInTask("task".to_owned()), Work::Fail(1, "twice".to_owned())] {
            enqueue(world, &queue, tenant, &job).await;
        }
        let mut sink = queue.clone();
        let pushed = TaskBuilder::new(note("pushed")).priority(7).max_attempts(2).build();
        within(world.scope(tenant), sink.push_task(pushed)).await.unwrap();
        let bulk = sink.push_bulk(vec![note("bulk 1"), note("bulk 2")]);
        within(world.scope(tenant), bulk).await.unwrap();
    }
    let counts = within(world.scope("acme"), jobs.counts()).await.unwrap();
    assert_eq!(counts.iter().find(|counts| counts.queue == "scopes").unwrap().waiting, 6);
    let workers = work(&queue);
    workers.wait_for(14).await;
    let mut ran = workers.stop().await;
    assert_eq!(ran.len(), 14);
    assert_eq!((ran[0].note.as_str(), ran[1].note.as_str()), ("pushed", "pushed"), "they have priority");
    ran.sort_by_key(|ran| (ran.tenant.clone(), ran.note.clone(), ran.delivery.attempt));
    for (tenant, ran) in ["acme", "globex"].into_iter().zip(ran.chunks(7)) {
        let notes: Vec<_> = ran.iter().map(|ran| ran.note.as_str()).collect();
        assert_eq!(notes, ["bulk 1", "bulk 2", "pushed", "same", "task", "twice", "twice"]);
        assert!(ran.iter().all(|ran| ran.tenant == tenant && ran.delivery.lost == 0), "{ran:?}");
        assert_eq!(ran[6].delivery.attempt, 2);
    }
}

async fn a_suspended_tenants_jobs_wait(world: &World, jobs: &Jobs) {
    let queue = jobs.queue::<Work>("suspended");
    for tenant in ["acme", "globex"] {
        enqueue(world, &queue, tenant, &note("waits")).await;
    }
    world.set_status("acme", Status::Suspended).await;
    let workers = work(&queue);
    workers.wait_for(1).await;
    // It is looked at again and again meanwhile.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(workers.notes(), [("globex".to_owned(), "waits".to_owned())]);
    world.set_status("acme", Status::Active).await;
    let ran = workers.wait_for(2).await;
    assert_eq!((ran[1].tenant.as_str(), ran[1].delivery.attempt), ("acme", 1), "it has not been run before");
    workers.stop().await;
}

async fn a_deleted_tenants_jobs_are_dropped(world: &World, jobs: &Jobs) {
    let queue = jobs.queue::<Work>("deleted");
    let gone = world.create("initech").await;
    for number in 0..5 {
        enqueue(world, &queue, "initech", &note(&number.to_string())).await;
    }
    enqueue(world, &queue, "acme", &note("stays")).await;
    world.remove("initech").await;
    let workers = work(&queue);
    workers.wait_for(1).await;
    let left = async || jobs.forget(gone.id, Unscoped::because("a test")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(workers.stop().await.len(), 1);
    assert_eq!(left().await, 0, "they were dropped already");
}

async fn a_new_tenants_jobs_are_not_dropped(world: &World, jobs: &Jobs) {
    let queue = jobs.queue::<Work>("new");
    let workers = work(&queue);
    world.create("hooli").await;
    enqueue(world, &queue, "hooli", &note("kept")).await;
    assert_eq!(workers.wait_for(1).await[0].tenant, "hooli");
    workers.stop().await;
}

async fn what_was_tampered_with_is_refused(world: &World, jobs: &Jobs, broker: &dyn Broker) {
    let queue = jobs.queue::<Work>("signed");
    let (acme, globex) = (world.scope("acme").id(), world.scope("globex").id());
    enqueue(world, &queue, "acme", &note("acme's secret")).await;
    let taken = broker.take("signed", "thief", LEASE).await.unwrap().unwrap();
    assert_eq!(taken.tenant, acme);
    let stolen = |id: &str| super::queues::job(id);
    let mut replayed = stolen(&taken.id);
    replayed.envelope = taken.envelope.clone();
    // The same job in the name of another tenant, under its own id and under another.
    broker.finish("thief", &taken.id, &tenantry_resource::jobs::Outcome::Done).await.unwrap();
    broker.push("signed", globex, &[replayed.clone()], None).await.unwrap();
    let mut renamed = stolen("renamed");
    renamed.envelope = taken.envelope.clone();
    broker.push("signed", acme, &[renamed], None).await.unwrap();
    let mut changed = stolen("changed");
    changed.envelope = taken.envelope.clone();
    changed.envelope.payload = br#"{"Note":"forged"}"#.to_vec();
    broker.push("signed", acme, &[changed], None).await.unwrap();
    let mut moved = stolen("moved");
    moved.envelope = taken.envelope;
    broker.push("elsewhere", acme, &[moved], None).await.unwrap();
    enqueue(world, &queue, "globex", &note("real")).await;
    let (workers, elsewhere) = (work(&queue), work(&jobs.queue::<Work>("elsewhere")));
    let dead = async |queue: &str, tenant| broker.dead(queue, tenant, 10).await.unwrap();
    eventually("forged jobs are put aside", async || {
        dead("signed", acme).await.len() == 2 && dead("elsewhere", acme).await.len() == 1
    })
    .await;
    workers.wait_for(1).await;
    assert_eq!(workers.stop().await.len(), 1, "only what is real runs");
    assert_eq!(elsewhere.stop().await, []);
    let failure = &dead("signed", globex).await[0].failure;
    assert!(failure.starts_with("the signature is not the tenant's"), "{failure}");
    assert!(!failure.contains("acme") && !failure.contains("secret"), "{failure}");
}

/// The application has changed what a job is.
async fn what_cannot_be_read_is_kept(world: &World, jobs: &Jobs) {
    let before = jobs.queue::<(String, u32)>("shape");
    within(world.scope("acme"), before.enqueue(&("hush".to_owned(), 1))).await.unwrap();
    let queue = jobs.queue::<Work>("shape");
    enqueue(world, &queue, "acme", &note("new")).await;
    let workers = work(&queue);
    assert_eq!(workers.wait_for(1).await[0].delivery, Delivery::clone(&workers.ran()[0].delivery));
    workers.stop().await;
    let dead = within(world.scope("acme"), queue.dead(10)).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].failure.starts_with("it is not what the handler takes"), "{}", dead[0].failure);
    assert!(!dead[0].failure.contains("hush"));
    assert_eq!(within(world.scope("globex"), queue.dead(10)).await.unwrap().len(), 0);
}
