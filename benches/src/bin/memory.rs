//! What tenants cost in memory, in four commands that `benches/memory` runs:
//!
//! * `memory fill FOLDER COUNT` registers tenants in a new catalog;
//! * `memory idle FOLDER` opens it, in a process where nothing else has left its traces, and builds nothing;
//! * `memory handles FOLDER COUNT` uses settings, cache, keys and uploads for each tenant, one after the other;
//! * `memory live FOLDER COUNT` builds instances of the notes application, and serves a page from each.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use axum::{body::Body, http::Request};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tenantry::{Purpose, Tenancy, Tenant, within};
use tower::ServiceExt;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["fill", folder, count] => fill(Path::new(folder), count.parse()?).await,
        ["idle", folder] => idle(Path::new(folder)).await,
        ["handles", folder, count] => handles(Path::new(folder), count.parse()?).await,
        ["live", folder, count] => live(Path::new(folder), count.parse()?).await,
        _ => bail!("memory fill FOLDER COUNT | idle FOLDER | handles FOLDER COUNT | live FOLDER COUNT"),
    }
}

async fn fill(folder: &Path, count: u32) -> anyhow::Result<()> {
    let begun = Instant::now();
    tenantry_benches::tenancy(folder, count).await?;
    println!("{count} tenants registered one by one in {:?}", begun.elapsed());
    Ok(())
}

async fn idle(folder: &Path) -> anyhow::Result<()> {
    let before = resident_bytes()?;
    let begun = Instant::now();
    let tenancy = Tenancy::with(tenantry_benches::config(folder)?).await?;
    let elapsed = begun.elapsed();
    let registered = u64::try_from(tenancy.admission().mirror().len())?;
    let grown = resident_bytes()? - before;
    println!("{registered} registered, idle: {} bytes each, opened in {elapsed:?}", grown / registered.max(1));
    Ok(())
}

const BENCH: Purpose = Purpose::new("bench");

/// What an application would have for its settings.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    title: String,
    page_size: u32,
}

async fn handles(folder: &Path, count: u32) -> anyhow::Result<()> {
    let tenancy = Tenancy::with(tenantry_benches::config(folder)?).await?;
    let tenants = tenancy.catalog().page(None, count).await?;
    let admit = |tenant: &Tenant| tenancy.admission().admit_id(tenant.id).map_err(anyhow::Error::msg);
    let scopes = tenants.iter().map(admit).collect::<anyhow::Result<Vec<_>>>()?;
    let (settings, cache) = (tenancy.settings::<Own>().await?, tenancy.cache());
    let (keys, uploads) = (tenancy.keys(), tenancy.uploads());
    let hour = Duration::from_secs(3600);

    let each = Each::of("settings read", scopes.len())?;
    for scope in &scopes {
        within(scope.clone(), async { settings.current().map(drop) }).await?;
    }
    each.print()?;
    let each = Each::of("a token signed", scopes.len())?;
    for scope in &scopes {
        within(scope.clone(), async { keys.sign(BENCH, b"user 7", hour).map(drop) }).await?;
    }
    each.print()?;
    let each = Each::of("a value of 100 bytes cached", scopes.len())?;
    for scope in &scopes {
        within(scope.clone(), cache.set_bytes("key", vec![b'x'; 100], hour)).await?;
    }
    each.print()?;
    let each = Each::of("a file uploaded", scopes.len())?;
    for scope in &scopes {
        let content = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"content"))]);
        let name = "file".parse()?;
        within(scope.clone(), async { uploads.put(&name, None, content).await }).await?;
    }
    each.print()
}

/// What is in memory more than before, for each.
struct Each {
    what: &'static str,
    count: usize,
    before: u64,
}

impl Each {
    fn of(what: &'static str, count: usize) -> anyhow::Result<Self> {
        Ok(Self { what, count, before: resident_bytes()? })
    }

    fn print(self) -> anyhow::Result<()> {
        let grown = resident_bytes()?.saturating_sub(self.before);
        println!("{} tenants, {}: {} bytes each", self.count, self.what, grown / u64::try_from(self.count.max(1))?);
        Ok(())
    }
}

async fn live(folder: &Path, count: u32) -> anyhow::Result<()> {
    let mut config = tenantry_benches::config(folder)?;
    config.instances.live_max = count.try_into().context("at least one")?;
    let tenancy = Tenancy::with(config).await?;
    let databases = folder.to_owned();
    let front = tenancy.dispatch(move |scope| {
        let folder = databases.join(scope.id().to_string());
        async move {
            let mut config = notes::Config::new(notes::Secret::new("one secret for all of the instances")?);
            config.database_url = format!("sqlite://{}", folder.with_extension("db").display());
            config.jobs_url = format!("sqlite://{}", folder.with_extension("jobs.db").display());
            config.files = folder;
            // Its worker ends with the process.
            let (router, _) = notes::app(config).await?;
            anyhow::Ok(router)
        }
    });
    let before = resident_bytes()?;
    let begun = Instant::now();
    for number in 1..=count {
        let request = Request::get("/login").header("host", format!("t{number}.localhost")).body(Body::empty())?;
        let Ok(response) = front.clone().oneshot(request).await;
        ensure!(response.status() == 200, "t{number} answers {}", response.status());
    }
    let grown = resident_bytes()? - before;
    println!(
        "{count} live notes instances: {} KiB each, {} MiB in all, built in {:?}",
        grown / 1024 / u64::from(count),
        resident_bytes()? / 1024 / 1024,
        begun.elapsed()
    );
    Ok(())
}

/// What this process has in memory, from Linux.
fn resident_bytes() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
