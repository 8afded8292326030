//! What tenants cost on shared tables, which `benches/shared` runs: to create, in memory, and when the schema changes.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::time::{Duration, Instant};

use tenantry::{TenantId, within};
use tenantry_benches::tables;

const NOTES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE);
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER REFERENCES users (id), title TEXT NOT NULL);
    CREATE INDEX notes_by_user ON notes (user_id);
    CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), title TEXT NOT NULL);
    INSERT INTO settings VALUES (1, 'Notes');
";
const MORE: &str = "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    for tenants in [1, 10_000] {
        let folder = tempfile::tempdir()?;
        let pool = tables::pool(folder.path());
        pool.migrate(&tables::migrator(&[NOTES])).await?;
        let admission = tables::admission(tenants);
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        for id in 1..=tenants {
            let scope = admission.admit_id(TenantId::new(id)).map_err(anyhow::Error::msg)?;
            let one = Instant::now();
            // The first statement brings the tenant's first rows along.
            let title: String =
                within(scope, sqlx::query_scalar("SELECT title FROM settings").fetch_one(&pool)).await?;
            anyhow::ensure!(title == "Notes");
            slowest = slowest.max(one.elapsed());
        }
        let each = begun.elapsed() / u32::try_from(tenants)?;
        println!("{tenants} tenants: created with a first statement in {each:?} each, the slowest in {slowest:?}");
        println!("{tenants} tenants: {} MiB resident", resident_mib()?);
        let begun = Instant::now();
        pool.migrate(&tables::migrator(&[NOTES, MORE])).await?;
        println!("{tenants} tenants: a column added in {:?}", begun.elapsed());
    }
    Ok(())
}

fn resident_mib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? / 1024)
}
