//! Worker processes: one that is killed in the middle of its work, and two side by side.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use apalis_core::{task::data::Data, worker::builder::WorkerBuilder};
use tenantry_resource::{
    current,
    jobs::{Broker, Delivery, JobOptions, JobQueue, Jobs},
    within,
};
use tenantry_test::resources::{World, jobs::eventually};

/// How many jobs each tenant has.
const JOBS: u32 = 60;

/// How long a worker that was killed keeps its jobs.
const LEASE: Duration = Duration::from_millis(600);

/// Runs this test once more, as a worker in a process of its own, and kills it.
///
/// `test` is the name of the test that calls this; `place` says where the jobs are, and `open` opens them there.
pub(crate) async fn loses_nothing<P, O>(test: &str, place: P, open: O)
where
    P: Fn(&World) -> String,
    O: AsyncFn(String) -> Arc<dyn Broker>,
{
    if is_worker(LEASE, &open).await {
        return;
    }
    let world = World::new().await;
    let place = place(&world);
    let queue = queue(&world, open(place.clone()).await, LEASE);
    for number in 0..JOBS {
        for tenant in ["acme", "globex"] {
            within(world.scope(tenant), queue.enqueue(&number)).await.unwrap();
        }
    }
    for round in 1..=2 {
        let mut process = spawn(test, &world, &place);
        eventually("the worker works", async || log(&world).len() >= 20 * round).await;
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let ran_before = log(&world).len();
    assert!(ran_before < 2 * usize::try_from(JOBS).unwrap(), "it was killed too late: {ran_before}");
    let counts = async |tenant: &str| -> usize {
        let counts = queue_counts(&world, &queue, tenant).await;
        usize::try_from(counts).unwrap()
    };
    let rest = worker(&world, &queue);
    let done = eventually("all jobs are done", async || counts("acme").await + counts("globex").await == 0);
    tokio::select! {
        () = rest => unreachable!("a worker goes on"),
        () = done => {}
    }
    check(&log(&world));
}

/// Runs this test twice more, as workers in processes of their own, until both have run jobs and none is left: each ran in one
/// of them, and once.
pub(crate) async fn side_by_side<P, O>(test: &str, place: P, open: O)
where
    P: Fn(&World) -> String,
    O: AsyncFn(String) -> Arc<dyn Broker>,
{
    // However busy the machine is, no lease ends.
    let lease = Duration::from_secs(600);
    if is_worker(lease, &open).await {
        return;
    }
    let world = World::new().await;
    let place = place(&world);
    let queue = queue(&world, open(place.clone()).await, lease);
    let mut workers = [(); 2].map(|()| spawn(test, &world, &place));
    let mut pushed = 0;
    let both_work =
        |log: &[Ran]| workers.iter().all(|worker| log.iter().filter(|ran| ran.process == worker.id()).count() >= 20);
    while !both_work(&log(&world)) {
        for tenant in ["acme", "globex"] {
            within(world.scope(tenant), queue.enqueue(&pushed)).await.unwrap();
            pushed += 1;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    eventually("all jobs are done", async || {
        queue_counts(&world, &queue, "acme").await + queue_counts(&world, &queue, "globex").await == 0
    })
    .await;
    for worker in &mut workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    let ran = log(&world);
    let mut numbers: Vec<_> = ran.iter().map(|ran| ran.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..pushed).collect::<Vec<_>>(), "each ran, and once");
    assert!(ran.iter().all(|ran| ran.lost == 0));
}

/// In a process that was started to be a worker, works until it is killed.
async fn is_worker<O>(lease: Duration, open: &O) -> bool
where
    O: AsyncFn(String) -> Arc<dyn Broker>,
{
    let (Ok(folder), Ok(place)) = (env::var("TENANTRY_TEST_WORLD"), env::var("TENANTRY_TEST_JOBS")) else {
        return false;
    };
    let world = World::elsewhere(Path::new(&folder)).await;
    worker(&world, &queue(&world, open(place).await, lease)).await;
    true
}

/// Every job ran, and none ran again without being told.
fn check(log: &[Ran]) {
    let mut again = 0;
    for tenant in ["acme", "globex"] {
        for number in 0..JOBS {
            let ran: Vec<_> = log.iter().filter(|ran| ran.tenant == tenant && ran.number == number).collect();
            assert!(!ran.is_empty(), "job {number} of {tenant} is lost");
            for (before, ran) in ran.iter().enumerate() {
                let told = usize::try_from(ran.lost).unwrap();
                assert!(told >= before, "job {number} of {tenant} ran again and was not told so");
            }
            again += ran.len() - 1;
        }
    }
    assert!(again > 0, "the workers were killed while no job ran: this has tested nothing");
}

/// A line of the log.
struct Ran {
    tenant: String,
    number: u32,
    lost: u32,
    process: u32,
}

fn log(world: &World) -> Vec<Ran> {
    let text = fs::read_to_string(world.folder().join("log")).unwrap_or_default();
    let read = |line: &str| {
        let [tenant, at, lost, process] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let number = |text: &str| text.parse().unwrap();
        Ran { tenant: tenant.to_owned(), number: number(at), lost: number(lost), process: number(process) }
    };
    text.lines().map(read).collect()
}

fn queue(world: &World, broker: Arc<dyn Broker>, lease: Duration) -> JobQueue<u32> {
    let mut options = JobOptions::default();
    options.lease = lease;
    options.poll = Duration::from_millis(50);
    options.concurrency_max = 4;
    let admission = Arc::clone(world.admission());
    Jobs::new(broker, admission, world.catalog(), world.keys().clone(), options).queue("killed")
}

async fn queue_counts(world: &World, queue: &JobQueue<u32>, tenant: &str) -> u64 {
    within(world.scope(tenant), async { queue.counts().await.unwrap().map_or(0, |it| it.waiting + it.running) }).await
}

fn spawn(test: &str, world: &World, place: &str) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("TENANTRY_TEST_WORLD", world.folder()).env("TENANTRY_TEST_JOBS", place).spawn().unwrap()
}

/// Works until it is killed.
async fn worker(world: &World, queue: &JobQueue<u32>) {
    let log = Data::new(world.folder().join("log"));
    let worker = WorkerBuilder::new("worker").backend(queue.clone()).data(log.0).build(job);
    worker.run().await.unwrap();
}

/// Notes that it begins, and takes a while.
async fn job(number: u32, log: Data<PathBuf>, delivery: Data<Delivery>) -> Result<(), std::io::Error> {
    let tenant = current().map_err(std::io::Error::other)?.slug().to_string();
    let line = format!("{tenant} {number} {} {}\n", delivery.lost, process::id());
    fs::OpenOptions::new().append(true).create(true).open(&*log)?.write_all(line.as_bytes())?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}
