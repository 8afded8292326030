//! How long a tenant's writes wait while its rows move, and how long that takes: `scripts/postgres with cargo run --release
//! -p tenantry-benches --features postgres --bin moves [ROUNDS]`.
//!
//! The tenant writes all the time. What is refused while the rows are marked and the catalog is not switched is tried again.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, postgres::PgConnectOptions};
use tenantry::{
    Admission, Change, Mirror, MovableRows, Moving, PgRows, Placement, Plans, PostgresOptions, Revision, ScopeError,
    ScopedPool, Tenant, TenantId, within,
};
use tenantry_benches::{postgres::SCHEMA, tables::migrator};
use tenantry_test::server::{TestDatabase, TestRole};

/// The tenant that moves, and how many rows it has.
const MOVING: i64 = 1;
const ROWS: i64 = 100_000;
/// Others, and how many rows each of them has.
const OTHERS: i64 = 200;
const ROWS_OF_OTHERS: i64 = 1_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(5), |rounds| rounds.parse())?;
    let bench = Arc::new(Bench::new().await?);
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        there.push(bench.measure(Placement::Shared, Placement::Dedicated).await?);
        back.push(bench.measure(Placement::Dedicated, Placement::Shared).await?);
    }
    println!("{ROWS} rows, {OTHERS} other tenants with {ROWS_OF_OTHERS} each; medians of {rounds}, and the longest");
    tell("into a database of its own", &there);
    tell("into the shared tables", &back);
    Ok(())
}

struct Bench {
    pool: ScopedPool<Postgres>,
    rows: PgRows,
    mirror: Arc<Mirror>,
    admission: Arc<Admission>,
    _role: TestRole,
    // Dropped after the pool.
    _database: TestDatabase,
}

/// What a move took.
#[derive(Clone, Copy)]
struct Took {
    /// The copy.
    copy: Duration,
    /// The fence, with what it catches up before.
    fence: Duration,
    /// From the last write before to the first one after it.
    writes: Duration,
}

impl Bench {
    async fn new() -> anyhow::Result<Self> {
        let mut database = TestDatabase::new().await?;
        let role = database.role("app").await?;
        let mut admin = PgConnection::connect(&database.admin_url()).await?;
        let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
        admin.execute(AssertSqlSafe(grants)).await?;
        let [application, owner] = [role.url.as_str(), database.url()].map(PgConnectOptions::from_str);
        let options = PostgresOptions::new(application?, owner?);
        let tenants = (MOVING..=MOVING + OTHERS).map(|id| tenant(id, 1, Placement::Shared));
        let mirror: Arc<Mirror> = Arc::new(tenants.collect::<anyhow::Result<Vec<_>>>()?.into_iter().collect());
        let admission = Arc::new(Admission::new(Arc::<Mirror>::clone(&mirror), Plans::default()));
        let pool = ScopedPool::postgres(options.clone(), Some(Arc::clone(&admission)));
        pool.migrate(&migrator(&[SCHEMA])).await?;
        let rows = PgRows::new(options).migrated_by(&migrator(&[SCHEMA]));
        let bench = Self { pool, rows, mirror, admission, _role: role, _database: database };
        for id in MOVING..=MOVING + OTHERS {
            bench.fill(id, if id == MOVING { ROWS } else { ROWS_OF_OTHERS }).await?;
        }
        admin.execute("VACUUM ANALYZE").await?;
        Ok(bench)
    }

    async fn fill(&self, id: i64, rows: i64) -> anyhow::Result<()> {
        for text in [
            "INSERT INTO users (id, email) SELECT n, 'user' || n || '@example.com' FROM generate_series(1, 100) n"
                .to_owned(),
            format!(
                "INSERT INTO notes (id, user_id, title, body) SELECT n, n % 100 + 1, 'note ' || n, 'body of ' || n \
                 FROM generate_series(1, {}) n",
                rows - 100
            ),
        ] {
            within(self.scope(id)?, sqlx::query(AssertSqlSafe(text)).execute(&self.pool)).await?;
        }
        Ok(())
    }

    fn scope(&self, id: i64) -> anyhow::Result<tenantry::Scope> {
        self.admission.admit_id(TenantId::new(id)).map_err(anyhow::Error::msg)
    }

    async fn measure(self: &Arc<Self>, from: Placement, to: Placement) -> anyhow::Result<Took> {
        let revision = self.scope(MOVING)?.tenant().revision.get();
        let moving = Moving::new(&tenant(MOVING, revision, from.clone())?, from, to.clone());
        self.rows.prepare(&moving).await?;
        let begun = Instant::now();
        MovableRows::copy(&self.rows, &moving).await?;
        let copy = begun.elapsed();
        let stop = Arc::new(AtomicBool::new(false));
        let (bench, stopped) = (Arc::clone(self), Arc::clone(&stop));
        #[expect(clippy::disallowed_methods, reason = "it enters scopes by itself")]
        let writing = tokio::spawn(async move { bench.write(&stopped).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        while self.rows.catch_up(&moving).await? > 1_000 {}
        let begun = Instant::now();
        self.rows.fence(&moving).await?;
        let fence = begun.elapsed();
        self.mirror.apply(Change::Upserted(tenant(MOVING, revision + 1, to)?));
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.store(true, Ordering::Relaxed);
        let writes = writing.await??;
        self.rows.clean_up(&moving).await?;
        Ok(Took { copy, fence, writes })
    }

    /// Writes until it is stopped, and says how long it had to wait once at most.
    async fn write(&self, stopped: &AtomicBool) -> anyhow::Result<Duration> {
        let (mut longest, mut last) = (Duration::ZERO, Instant::now());
        while !stopped.load(Ordering::Relaxed) {
            let update = sqlx::query("UPDATE notes SET stars = stars + 1 WHERE id = $1").bind(7_i64);
            match within(self.scope(MOVING)?, update.execute(&self.pool)).await {
                Ok(done) => {
                    anyhow::ensure!(done.rows_affected() == 1, "the row is not there");
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                }
                Err(error) if matches!(ScopeError::of(&error), Some(ScopeError::Moved)) => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Nothing was written since, so that it is not known how long that takes.
        anyhow::ensure!(
            last.elapsed() < Duration::from_millis(150),
            "no write after the move for {:?}",
            last.elapsed()
        );
        Ok(longest)
    }
}

fn tenant(id: i64, revision: i64, placement: Placement) -> anyhow::Result<Tenant> {
    let mut tenant = Tenant::new(TenantId::new(id), format!("tenant-{id}").parse()?);
    tenant.revision = Revision::new(revision);
    tenant.placement = placement;
    Ok(tenant)
}

fn tell(what: &str, took: &[Took]) {
    let of = |kind: fn(&Took) -> Duration| {
        let mut all: Vec<_> = took.iter().map(kind).collect();
        all.sort();
        let [median, longest] = [all.get(all.len() / 2), all.last()].map(|took| took.copied().unwrap_or_default());
        format!("{:6.0} ms, {:6.0} ms", median.as_secs_f64() * 1e3, longest.as_secs_f64() * 1e3)
    };
    println!("{what}");
    println!("  the copy               {}", of(|took| took.copy));
    println!("  catching up and fence  {}", of(|took| took.fence));
    println!("  writes wait            {}", of(|took| took.writes));
}
