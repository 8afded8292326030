//! Measures what many tenants cost: `load fill FILE 100000` makes them, `load read FILE` mirrors them.
//!
//! Two commands, so that what filling needed is not counted as what reading needs. Linux only, for the memory.

#![expect(clippy::print_stdout, reason = "it is a program that prints a measurement")]

use std::{error::Error, fs, sync::Arc, time::Instant};

use tenantry_core::{Catalog, Mirror, NewTenant};
use tenantry_sqlx::{FollowOptions, OpenOptions, SqliteCatalog};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", file, count] => fill(file, count.parse()?).await,
        ["read", file] => read(file).await,
        _ => Err("usage: load fill FILE COUNT | load read FILE".into()),
    }
}

async fn fill(file: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let catalog = SqliteCatalog::open(file, OpenOptions::create_if_missing()).await?;
    let start = Instant::now();
    for n in 0..count {
        let mut new = NewTenant::new(format!("customer-{n}").parse()?);
        new.aliases.push(format!("alias-of-customer-{n}").parse()?);
        catalog.create(new).await?;
    }
    let elapsed = start.elapsed();
    println!("{count} tenants in {elapsed:.1?}, {:.0} per second", f64::from(count) / elapsed.as_secs_f64());
    catalog.close().await;
    println!("file: {} bytes each", fs::metadata(file)?.len() / u64::from(count));
    Ok(())
}

async fn read(file: &str) -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(SqliteCatalog::open(file, OpenOptions::must_exist()).await?);
    catalog.page(None, 1).await?;
    let mirror = Arc::new(Mirror::new());
    let before = resident()?;
    let start = Instant::now();
    let follower = catalog.follow(Arc::clone(&mirror), FollowOptions::default()).await?;
    let elapsed = start.elapsed();
    let grown = resident()?.saturating_sub(before);
    let count = u64::try_from(mirror.len())?;
    println!("{count} tenants in {elapsed:.1?}");
    println!("memory: {} MiB more, {} bytes each", grown >> 20, grown / count.max(1));
    let start = Instant::now();
    follower.catch_up().await?;
    println!("a poll without changes: {:.1?}", start.elapsed());
    follower.stop().await;
    Ok(())
}

/// Bytes of this process that are in memory.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
