//! What a tenant's cache costs: `scripts/redis with cargo run --release -p tenantry-benches --features redis --bin cache
//! [ROUNDS]`.
//!
//! The peers are a bare cache of moka, and a bare `ConnectionManager` of redis, in turns with ours in the same run.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use redis::{AsyncCommands, aio::ConnectionManager};
use tenantry::{NewTenant, Scope, Tenancy, cache::Cache, config::Config, within};

/// Keys that are there, of a hundred bytes each.
const KEYS: usize = 1000;
const HOUR: Duration = Duration::from_secs(3600);
/// Calls of one round in memory, and on a server.
const MEMORY_CALLS: usize = 200_000;
const SERVER_CALLS: usize = 4_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(15), |rounds| rounds.parse())?;
    let keys: Vec<String> = (0..KEYS).map(|number| format!("key:{number}")).collect();
    let folder = tempfile::tempdir()?;
    let (tenancy, scope) = open(folder.path(), "").await?;
    within(scope, in_memory(&tenancy.cache(), &keys, rounds)).await?;

    let url = std::env::var("TENANTRY_TEST_REDIS")?;
    let folder = tempfile::tempdir()?;
    let (tenancy, scope) = open(folder.path(), &format!("cache.url = \"{url}\"")).await?;
    let bare = ConnectionManager::new(redis::Client::open(url)?).await?;
    within(scope, on_redis(&tenancy, bare, &keys, rounds)).await
}

async fn open(folder: &Path, text: &str) -> anyhow::Result<(Tenancy, Scope)> {
    let tenancy = Tenancy::with(Config::parse(text, folder)?).await?;
    let tenant = tenancy.catalog().create(NewTenant::new("acme".parse()?)).await?;
    tenancy.refresh().await?;
    let scope = tenancy.admission().admit_id(tenant.id)?;
    Ok((tenancy, scope))
}

async fn in_memory(cache: &Cache, keys: &[String], rounds: usize) -> anyhow::Result<()> {
    let value = bytes::Bytes::from(vec![b'x'; 100]);
    let bare: moka::sync::Cache<String, bytes::Bytes> = moka::sync::Cache::builder()
        .max_capacity(8 << 20)
        .weigher(|key: &String, value: &bytes::Bytes| u32::try_from(key.len() + value.len() + 256).unwrap_or(u32::MAX))
        .time_to_live(HOUR)
        .build();
    for key in keys {
        bare.insert(key.clone(), value.clone());
        cache.set_bytes(key, value.clone(), HOUR).await?;
    }
    let (mut get, mut set) = (Pair::default(), Pair::default());
    for _ in 0..rounds {
        let start = Instant::now();
        for key in keys.iter().cycle().take(MEMORY_CALLS) {
            black_box(bare.get(key));
        }
        get.bare.push(start.elapsed() / 200_000);
        let start = Instant::now();
        for key in keys.iter().cycle().take(MEMORY_CALLS) {
            black_box(cache.get_bytes(key).await?);
        }
        get.ours.push(start.elapsed() / 200_000);
        let start = Instant::now();
        for key in keys.iter().cycle().take(MEMORY_CALLS) {
            bare.insert(key.clone(), value.clone());
        }
        set.bare.push(start.elapsed() / 200_000);
        let start = Instant::now();
        for key in keys.iter().cycle().take(MEMORY_CALLS) {
            cache.set_bytes(key, value.clone(), HOUR).await?;
        }
        set.ours.push(start.elapsed() / 200_000);
    }
    get.print("in memory, get");
    set.print("in memory, set");
    Ok(())
}

async fn on_redis(
    tenancy: &Tenancy,
    mut bare: ConnectionManager,
    keys: &[String],
    rounds: usize,
) -> anyhow::Result<()> {
    let (cache, mut raw) = (tenancy.cache(), tenancy.redis()?);
    let value = vec![b'x'; 100];
    for key in keys {
        let () = bare.set_ex(key, &value, 3600).await?;
        cache.set_bytes(key, value.clone(), HOUR).await?;
        let () = raw.set_ex(key, &value, 3600).await?;
    }
    let [mut get, mut set, mut increment, mut raw_get] = [(); 4].map(|()| Pair::default());
    for _ in 0..rounds {
        let some = || keys.iter().cycle().take(SERVER_CALLS);
        let start = Instant::now();
        for key in some() {
            black_box(bare.get::<_, Option<Vec<u8>>>(key).await?);
        }
        let bare_get = start.elapsed() / 4_000;
        get.bare.push(bare_get);
        raw_get.bare.push(bare_get);
        let start = Instant::now();
        for key in some() {
            black_box(cache.get_bytes(key).await?);
        }
        get.ours.push(start.elapsed() / 4_000);
        let start = Instant::now();
        for key in some() {
            black_box(raw.get::<_, Option<Vec<u8>>>(key).await?);
        }
        raw_get.ours.push(start.elapsed() / 4_000);
        let start = Instant::now();
        for key in some() {
            let () = bare.set_ex(key, &value, 3600).await?;
        }
        set.bare.push(start.elapsed() / 4_000);
        let start = Instant::now();
        for key in some() {
            cache.set_bytes(key, value.clone(), HOUR).await?;
        }
        set.ours.push(start.elapsed() / 4_000);
        let start = Instant::now();
        for _ in 0..SERVER_CALLS {
            black_box(bare.incr::<_, _, i64>("counter", 1).await?);
        }
        increment.bare.push(start.elapsed() / 4_000);
        let start = Instant::now();
        for _ in 0..SERVER_CALLS {
            black_box(cache.increment("counter", 1, HOUR).await?);
        }
        increment.ours.push(start.elapsed() / 4_000);
    }
    get.print("on Redis, get");
    set.print("on Redis, set");
    increment.print("on Redis, increment");
    raw_get.print("ScopedRedis, GET");
    Ok(())
}

/// Times of a call, ours and the peer's, one of each round.
#[derive(Default)]
struct Pair {
    bare: Vec<Duration>,
    ours: Vec<Duration>,
}

impl Pair {
    /// Medians, and the median of the rounds' ratios.
    fn print(&self, name: &str) {
        let rounds = self.bare.iter().zip(&self.ours);
        let mut ratios: Vec<f64> = rounds.map(|(bare, ours)| ours.as_secs_f64() / bare.as_secs_f64()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let middle = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or_default()
        };
        let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
        println!("{name:20} bare {:>9?}  ours {:>9?}  ratio {ratio:.2}", middle(&self.bare), middle(&self.ours));
    }
}
