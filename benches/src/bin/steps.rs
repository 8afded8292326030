//! SQLite alone, for `benches/steps`, which counts instructions: `steps fill FOLDER`, then `steps run FOLDER WHICH COUNT`.

use std::{hint::black_box, path::Path};

use anyhow::Context;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tenantry_benches::{
    step::Prepared,
    tables::{self, TENANTS},
};

const READ: &str = "SELECT title, body FROM notes WHERE id = ?";
const BY_HAND: &str = "SELECT title, body FROM by_hand WHERE tenant_id = ?2 AND id = ?1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["fill", folder] => fill(Path::new(folder)).await,
        ["run", folder, which, count] => run(Path::new(folder), which, count.parse()?).await,
        _ => anyhow::bail!("usage: steps fill FOLDER | steps run FOLDER (by-hand|scoped|private)[-prepared] COUNT"),
    }
}

async fn fill(folder: &Path) -> anyhow::Result<()> {
    let (pool, _) = tables::shared(folder).await?;
    std::fs::write(folder.join("scoped.sql"), pool.plan(READ).await?.text.as_bytes())?;
    tables::private(&folder.join("private.db")).await?.close().await?;
    Ok(())
}

async fn run(folder: &Path, which: &str, count: u32) -> anyhow::Result<()> {
    let kind = which.trim_end_matches("-prepared");
    let scoped = std::fs::read_to_string(folder.join("scoped.sql"))?;
    let (file, text) = match kind {
        "by-hand" => ("shared.db", BY_HAND),
        "scoped" => ("shared.db", scoped.as_str()),
        _ => ("private.db", READ),
    };
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(folder.join(file))).await?;
    let mut locked = connection.lock_handle().await?;
    if kind == which {
        for _ in 0..count {
            black_box(Prepared::new(&mut locked, text).context("a statement")?.step(&[7, TENANTS / 2]));
        }
    } else {
        let mut prepared = Prepared::new(&mut locked, text).context("a statement")?;
        for _ in 0..count {
            black_box(prepared.step(&[7, TENANTS / 2]));
        }
    }
    Ok(())
}
