//! What the life of a tenant takes: `life [TENANTS]` on SQLite, `scripts/postgres with cargo run --release -p tenantry-benches
//! --features postgres --bin life [TENANTS]` on PostgreSQL as well, side by side with a schema and a database for each tenant.
//!
//! The catalog is where the rows are, and the planes are those of a whole deployment: rows, uploads, jobs, settings.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{
    cell::Cell,
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use sqlx::{AssertSqlSafe, migrate::Migrator};
use tenantry::{
    NewTenant, Placement, Slug, Tenancy,
    config::Config,
    control::{Control, archive::Options},
    within,
};

/// Both databases understand it.
const SCHEMA: &str = "
    CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL);
    CREATE TABLE notes (
        id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), title text NOT NULL, body text NOT NULL,
        stars integer NOT NULL DEFAULT 0
    );
    CREATE INDEX notes_by_user ON notes (user_id);
    INSERT INTO users VALUES (1, 'admin@example.com')";

/// How often each of the slower things is done.
const TIMES: usize = 50;
/// The rows of the template.
const ROWS: u32 = 1_000;
/// The rows of small and large archives.
const ARCHIVES: [u32; 2] = [100_000, 1_000_000];
/// The rows that move, and how often they do.
const MOVED: u32 = 100_000;
const MOVES: usize = 5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tenants = std::env::args().nth(1).map_or(Ok(10_000), |tenants| tenants.parse())?;
    println!("SQLite");
    let folder = tempfile::tempdir()?;
    let tenancy = Tenancy::with(config(folder.path())?).await?;
    tenancy.sqlite().migrate(&migrator(folder.path()).await?).await?;
    Life { control: tenancy.control().await?, on: On::Sqlite, tenancy }.passes(folder.path(), tenants).await?;
    #[cfg(feature = "postgres")]
    postgres::passes(tenants).await?;
    Ok(())
}

/// With servers that hear of changes soon, and migrations in a file.
fn config(folder: &Path) -> anyhow::Result<Config> {
    let migrations = folder.join("migrations");
    std::fs::create_dir(&migrations)?;
    std::fs::write(migrations.join("1_bench.sql"), SCHEMA)?;
    let mut config = tenantry_benches::config(folder)?;
    config.catalog.poll = Duration::from_millis(10);
    config.lifecycle.settle = Duration::from_millis(500);
    config.database.migrations = Some(migrations);
    Ok(config)
}

async fn migrator(folder: &Path) -> anyhow::Result<Migrator> {
    Ok(Migrator::new(folder.join("migrations")).await?)
}

/// Where the rows are.
#[derive(Clone, Copy)]
enum On {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

struct Life {
    tenancy: Tenancy,
    control: Control,
    on: On,
}

impl Life {
    async fn passes(&self, folder: &Path, tenants: u32) -> anyhow::Result<()> {
        self.create(tenants).await?;
        self.clone_template().await?;
        for rows in ARCHIVES {
            self.archive(folder, rows).await?;
        }
        self.moves().await
    }

    async fn create(&self, tenants: u32) -> anyhow::Result<()> {
        let (mut created, mut used) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        for number in 0..tenants {
            let slug: Slug = format!("t{number}").parse()?;
            let one = Instant::now();
            self.tenancy.catalog().create(NewTenant::new(slug.clone())).await?;
            created.push(one.elapsed());
            // As soon as this process has heard of it, its first statement makes its first rows.
            self.tenancy.refresh().await?;
            self.run(&slug, "UPDATE users SET email = 'me@example.com' WHERE id = 1", 1).await?;
            used.push(one.elapsed());
        }
        println!("  {tenants} tenants created and used              {:.1} s", begun.elapsed().as_secs_f64());
        tell("registered", created);
        tell("registered, known, with a first statement", used);
        Ok(())
    }

    async fn clone_template(&self) -> anyhow::Result<()> {
        let template = self.filled("template", ROWS).await?;
        let mut times = Vec::new();
        for number in 0..TIMES {
            let new = NewTenant::new(format!("clone{number}").parse()?);
            let begun = Instant::now();
            self.control.create_from(&template, new).await?;
            times.push(begun.elapsed());
        }
        tell("a clone of 1,000 rows", times);
        Ok(())
    }

    async fn archive(&self, folder: &Path, rows: u32) -> anyhow::Result<()> {
        let tenant = self.filled(&format!("archive{rows}"), rows).await?;
        let file = folder.join(format!("{rows}.tnt"));
        let memory = Memory::begin()?;
        let begun = Instant::now();
        self.control.export(&tenant, &file, Options::default()).await?;
        let (export, exported) = (begun.elapsed(), memory.end()?);
        let memory = Memory::begin()?;
        let begun = Instant::now();
        let new = NewTenant::new(format!("import{rows}").parse()?);
        self.control.import(new, File::open(&file)?, Options::default()).await?;
        let (import, imported) = (begun.elapsed(), memory.end()?);
        let rate = |took: Duration| f64::from(rows) / took.as_secs_f64();
        println!("  {rows} rows, {} kB", file.metadata()?.len() / 1000);
        println!("    exported  {:.1} s, {:.0} rows/s, {exported} kB more", export.as_secs_f64(), rate(export));
        println!("    imported  {:.1} s, {:.0} rows/s, {imported} kB more", import.as_secs_f64(), rate(import));
        Ok(())
    }

    /// Moves a tenant to a database of its own and back, while it writes all the time.
    async fn moves(&self) -> anyhow::Result<()> {
        let tenant = self.filled("moving", MOVED).await?;
        let both = [Placement::Dedicated, Placement::Shared];
        let mut taken = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
        for _ in 0..MOVES {
            for (to, (moves, waits)) in both.iter().zip(&mut taken) {
                let (took, wait) = self.move_once(&tenant, to.clone()).await?;
                moves.push(took);
                waits.push(wait);
            }
        }
        for (to, (moves, waits)) in both.iter().zip(taken) {
            tell(&format!("a move of {MOVED} rows to {to}"), moves);
            tell("  of which a write waits", waits);
        }
        Ok(())
    }

    /// How long a move takes, and how long the tenant's own writes were kept waiting meanwhile at most.
    async fn move_once(&self, tenant: &Slug, to: Placement) -> anyhow::Result<(Duration, Duration)> {
        let done = Cell::new(false);
        let moving = async {
            let begun = Instant::now();
            let moved = self.control.move_to(tenant, to).await;
            done.set(true);
            moved.map(|_| begun.elapsed())
        };
        let writing = async {
            let mut longest = Duration::ZERO;
            while !done.get() {
                let begun = Instant::now();
                self.run(tenant, "UPDATE notes SET stars = stars + 1 WHERE id = 7", 1).await?;
                longest = longest.max(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            anyhow::Ok(longest)
        };
        let (took, wait) = tokio::join!(moving, writing);
        Ok((took?, wait?))
    }

    /// A tenant with so many rows.
    async fn filled(&self, slug: &str, rows: u32) -> anyhow::Result<Slug> {
        let slug: Slug = slug.parse()?;
        self.tenancy.catalog().create(NewTenant::new(slug.clone())).await?;
        self.tenancy.refresh().await?;
        let notes = rows - 1;
        let text = format!(
            "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {notes})
             INSERT INTO notes (id, user_id, title, body) SELECT id, 1, 'note ' || id, 'body of ' || id FROM n"
        );
        self.run(&slug, &text, notes.into()).await?;
        Ok(slug)
    }

    /// Runs a statement for a tenant.
    async fn run(&self, slug: &Slug, text: &str, rows: u64) -> anyhow::Result<()> {
        let tenant = self.tenancy.catalog().by_slug(slug).await?.context("the tenant")?;
        let scope = self.tenancy.admission().admit_id(tenant.id).map_err(anyhow::Error::msg)?;
        let query = AssertSqlSafe(text);
        let changed = match self.on {
            On::Sqlite => within(scope, sqlx::query(query).execute(&self.tenancy.sqlite())).await?.rows_affected(),
            #[cfg(feature = "postgres")]
            On::Postgres => within(scope, sqlx::query(query).execute(&self.tenancy.postgres())).await?.rows_affected(),
        };
        anyhow::ensure!(changed == rows, "{changed} rows instead of {rows}");
        Ok(())
    }
}

/// How much more memory this process has had at most since it was asked.
struct Memory {
    before: u64,
}

impl Memory {
    fn begin() -> anyhow::Result<Self> {
        // From now on the peak is counted anew (proc(5)).
        std::fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self { before: peak()? })
    }

    fn end(self) -> anyhow::Result<u64> {
        Ok(peak()?.saturating_sub(self.before))
    }
}

fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    let (median, late, longest) = (at(50), at(95), at(100));
    println!("  {what:<45} median {median:.2} ms, 95th percentile {late:.2} ms, longest {longest:.1} ms");
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::{path::Path, time::Instant};

    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
    use tenantry::{
        Tenancy,
        config::{Place, ServerUrl},
    };
    use tenantry_test::server::TestDatabase;

    use super::{Config, Life, On, SCHEMA, TIMES, migrator, tell};

    pub(super) async fn passes(tenants: u32) -> anyhow::Result<()> {
        println!("PostgreSQL");
        let mut database = TestDatabase::new().await?;
        let role = database.role("app").await?;
        let mut admin = PgConnection::connect(&database.admin_url()).await?;
        // For the database of its own.
        let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
        admin.execute(AssertSqlSafe(grants)).await?;
        let folder = tempfile::tempdir()?;
        let config = config(folder.path(), database.url(), &role.url)?;
        let tenancy = Tenancy::with(config).await?;
        tenancy.postgres().migrate(&migrator(folder.path()).await?).await?;
        let control = tenancy.control().await?;
        Life { tenancy, control, on: On::Postgres }.passes(folder.path(), tenants).await?;
        others(&database, admin).await
    }

    fn config(folder: &Path, owner: &str, application: &str) -> anyhow::Result<Config> {
        let url = |url: &str| ServerUrl::try_from(url.to_owned()).map_err(anyhow::Error::msg);
        let mut config = super::config(folder)?;
        config.catalog.place = Place::Server(url(owner)?);
        config.database.url = Some(url(owner)?);
        config.database.application_url = Some(url(application)?);
        Ok(config)
    }

    /// What others do for a new tenant.
    async fn others(database: &TestDatabase, mut admin: PgConnection) -> anyhow::Result<()> {
        let mut times = Vec::new();
        for id in 0..TIMES {
            let text = format!("BEGIN; CREATE SCHEMA s{id}; SET LOCAL search_path = s{id}; {SCHEMA}; COMMIT");
            let begun = Instant::now();
            admin.execute(AssertSqlSafe(text)).await?;
            times.push(begun.elapsed());
        }
        tell("a schema of its own", times);
        let mut times = Vec::new();
        for id in 0..TIMES {
            let other = format!("{}_{id}", database.name());
            let begun = Instant::now();
            admin.execute(AssertSqlSafe(format!("CREATE DATABASE {other}"))).await?;
            let url = database.admin_url().replace(database.name(), &other);
            let mut own = PgConnection::connect(&url).await?;
            own.execute(SCHEMA).await?;
            times.push(begun.elapsed());
            own.close().await?;
            admin.execute(AssertSqlSafe(format!("DROP DATABASE {other}"))).await?;
        }
        tell("a database of its own", times);
        Ok(())
    }
}
