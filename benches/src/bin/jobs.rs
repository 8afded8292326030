//! What a job costs, and how long one tenant's job waits for another's: `cargo run --release -p tenantry-benches --bin jobs
//! [ROUNDS]`.
//!
//! The peer is apalis' own storage in SQLite, with a batch of one, on the same settings of the database, in the same run. With
//! `--features redis`, ours on the server that TENANTRY_TEST_REDIS names is compared with ours in SQLite (`scripts/redis with`).

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "workers have no scope")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use apalis_core::{backend::TaskSink, task::data::Data, worker::builder::WorkerBuilder};
use apalis_sqlite::SqliteStorage;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tenantry::{
    Candidate, Scope, Tenancy,
    config::{Config, Place},
    current, within,
};
use tower::limit::ConcurrencyLimitLayer;

/// Jobs of a round.
const JOBS: usize = 3_000;
/// Jobs that a busy tenant has queued.
const MANY: usize = 100_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(7), |rounds| rounds.parse())?;
    for concurrency in [1, 16] {
        let mut peers = Compared::new("apalis", "tenantry");
        #[cfg(feature = "redis")]
        let mut stores = Compared::new("SQLite", "Redis");
        for _ in 0..rounds {
            let theirs = theirs(concurrency).await?;
            let sqlite = ours(concurrency, None).await?;
            peers.add(theirs, sqlite);
            #[cfg(feature = "redis")]
            stores.add(sqlite, ours(concurrency, Some(&std::env::var("TENANTRY_TEST_REDIS")?)).await?);
        }
        println!("\n{concurrency} at once, {rounds} rounds of {JOBS} jobs, time of one job");
        peers.report();
        #[cfg(feature = "redis")]
        stores.report();
    }
    fair().await
}

/// What two did in the same rounds.
struct Compared {
    names: [&'static str; 2],
    push: Vec<(f64, f64)>,
    run: Vec<(f64, f64)>,
}

impl Compared {
    fn new(one: &'static str, other: &'static str) -> Self {
        Self { names: [one, other], push: Vec::new(), run: Vec::new() }
    }

    fn add(&mut self, one: Times, other: Times) {
        self.push.push((one.0, other.0));
        self.run.push((one.1, other.1));
    }

    fn report(&mut self) {
        report("pushed", self.names, &mut self.push);
        report("run", self.names, &mut self.run);
    }
}

fn report(what: &str, [one, other]: [&str; 2], times: &mut [(f64, f64)]) {
    times.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let ratio = |at: usize| times[at].1 / times[at].0;
    let median = times[times.len() / 2];
    println!(
        "  {what:6}  {one} {:7.1} µs  {other} {:7.1} µs  ratio {:.2} ({:.2}–{:.2})",
        median.0 * 1e6,
        median.1 * 1e6,
        ratio(times.len() / 2),
        ratio(0),
        ratio(times.len() - 1)
    );
}

/// Seconds that a job takes to be pushed, and to be run.
type Times = (f64, f64);

async fn theirs(concurrency: usize) -> anyhow::Result<Times> {
    let folder = tempfile::tempdir()?;
    let pool = pool(&folder.path().join("jobs.db")).await?;
    SqliteStorage::setup(&pool).await?;
    // The setup has switched it off.
    sqlx::query("PRAGMA synchronous = NORMAL").execute(&pool).await?;
    let config = apalis_sqlite::Config::default().queue("bench").batch_size(1);
    let mut storage = SqliteStorage::<u64>::new(&pool).with_config(config);
    let begun = Instant::now();
    for number in 0..JOBS as u64 {
        storage.push(number).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let pushed = begun.elapsed();
    let done = Done::default();
    let worker = WorkerBuilder::new("bench").backend(storage).data(done.clone());
    let worker = worker.layer(ConcurrencyLimitLayer::new(concurrency)).build(job);
    let begun = Instant::now();
    worker.run_until(done.reached(JOBS)).await?;
    Ok(per_job(pushed, begun.elapsed()))
}

/// In SQLite, or on the Redis server at this URL.
async fn ours(concurrency: usize, redis: Option<&str>) -> anyhow::Result<Times> {
    let folder = tempfile::tempdir()?;
    let tenancy = tenancy(folder.path(), concurrency, redis).await?;
    let queue = tenancy.jobs().await?.queue::<u64>("bench");
    let scope = scope(&tenancy, "t1")?;
    let mut sink = queue.clone();
    let begun = Instant::now();
    within(scope, async {
        for number in 0..JOBS as u64 {
            sink.push(number).await.map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        Ok::<_, anyhow::Error>(())
    })
    .await?;
    let pushed = begun.elapsed();
    let done = Done::default();
    let worker = WorkerBuilder::new("bench").backend(queue).data(done.clone());
    let worker = worker.layer(ConcurrencyLimitLayer::new(concurrency)).build(job);
    let begun = Instant::now();
    worker.run_until(done.reached(JOBS)).await?;
    Ok(per_job(pushed, begun.elapsed()))
}

fn per_job(pushed: Duration, run: Duration) -> Times {
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let jobs = JOBS as f64;
    (pushed.as_secs_f64() / jobs, run.as_secs_f64() / jobs)
}

async fn job(_: u64, done: Data<Done>) -> Result<(), std::io::Error> {
    done.0.0.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// How many jobs are done.
#[derive(Clone, Default)]
struct Done(Arc<AtomicUsize>);

impl Done {
    fn reached(&self, count: usize) -> impl Future<Output = Result<(), std::io::Error>> + Send + 'static {
        let done = self.clone();
        async move {
            while done.0.load(Ordering::Relaxed) < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        }
    }
}

async fn pool(path: &Path) -> anyhow::Result<SqlitePool> {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    Ok(SqlitePoolOptions::new().max_connections(1).connect_with(connect).await?)
}

async fn tenancy(folder: &Path, concurrency: usize, redis: Option<&str>) -> anyhow::Result<Tenancy> {
    let mut config = tenantry_benches::config(folder)?;
    match redis {
        None => config.jobs.place = Place::File(folder.join("jobs.db")).into(),
        Some(url) => config.jobs = Config::parse(&format!("jobs.url = {url:?}"), folder)?.jobs,
    }
    // A round begins with nothing.
    config.jobs.prefix =
        format!("bench:{}", folder.file_name().and_then(|name| name.to_str()).unwrap_or("1").trim_matches('.'));
    config.jobs.options.concurrency_max = concurrency;
    let tenancy = Tenancy::with(config).await?;
    for slug in ["t1", "t2"] {
        tenancy.catalog().create(tenantry::NewTenant::new(slug.parse()?)).await?;
    }
    tenancy.refresh().await?;
    Ok(tenancy)
}

fn scope(tenancy: &Tenancy, slug: &str) -> anyhow::Result<Scope> {
    Ok(tenancy.admission().admit(&Candidate::new(slug.parse()?))?)
}

/// One tenant has queued many jobs, and another one now and then queues a single one.
async fn fair() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let tenancy = tenancy(folder.path(), 1, None).await?;
    let queue = tenancy.jobs().await?.queue::<u64>("fair");
    let (busy, quiet) = (scope(&tenancy, "t1")?, scope(&tenancy, "t2")?);
    let begun = Instant::now();
    within(busy, queue.clone().push_bulk((0..MANY as u64).collect())).await?;
    println!("\n{MANY} jobs of one tenant, queued in {:.1} s", begun.elapsed().as_secs_f64());
    let ran = Ran::default();
    let worker = WorkerBuilder::new("fair").backend(queue.clone()).data(ran.clone()).build(note);
    let worker = tokio::spawn(worker.run());
    let (mut before, mut waited) = (Vec::new(), Vec::new());
    for number in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let already = ran.busy.load(Ordering::SeqCst);
        let asked = Instant::now();
        within(quiet.clone(), queue.enqueue(&number)).await?;
        while ran.quiet.load(Ordering::SeqCst) <= usize::try_from(number)? {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        waited.push(asked.elapsed());
        before.push(ran.before.load(Ordering::SeqCst) - already);
    }
    worker.abort();
    before.sort_unstable();
    waited.sort_unstable();
    println!(
        "  jobs of the busy tenant (2 ms each) that began between push and run of the other's: median {}, most {}",
        before[50], before[99]
    );
    println!("  from push to the end of the other's: median {:.1?}, most {:.1?}", waited[50], waited[99]);
    Ok(())
}

#[derive(Clone, Default)]
struct Ran {
    busy: Arc<AtomicUsize>,
    quiet: Arc<AtomicUsize>,
    /// How many of the busy tenant's had begun when the quiet one's last did.
    before: Arc<AtomicUsize>,
}

async fn note(_: u64, ran: Data<Ran>) -> Result<(), tenantry::NoScope> {
    if current()?.slug().as_str() == "t1" {
        ran.busy.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(2)).await;
    } else {
        ran.before.store(ran.busy.load(Ordering::SeqCst), Ordering::SeqCst);
        ran.quiet.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}
