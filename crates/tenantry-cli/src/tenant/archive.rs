//! `tenantry tenant export`, `import` and `inspect`

use std::{
    fmt,
    fs::File,
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tenantry::{
    Passphrase, Slug,
    control::{
        DryRun, VerbError,
        archive::{self, Options, Summary},
    },
};

use super::{
    copy::Amounts,
    dry_run,
    new::New,
    report::{Report, utc},
    verb,
};
use crate::{deployment::Deployment, failure::Failure, output::Output, progress::Progress};

/// A tenant to be written into a file.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// Its name
    slug: Slug,
    /// The file, which is replaced if it is there; `-` is standard output
    file: PathBuf,
    /// Take secret settings along, encrypted with the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Export {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let progress = Progress::new(output);
        let control = deployment.control_showing(&catalog, &progress).await?;
        let how = options(deployment, self.passphrase_file.as_deref())?.on_progress(|exported| {
            progress.done(exported.rows + exported.uploads);
            ControlFlow::Continue(())
        });
        let to_stdout = self.file == Path::new("-");
        let exported = if to_stdout {
            control.export_to(&self.slug, io::stdout(), how).await.map(|(_, summary)| summary)
        } else {
            control.export(&self.slug, &self.file, how).await
        };
        progress.end();
        match exported {
            // The archive is what is printed.
            Ok(_) if to_stdout => Ok(()),
            Ok(summary) => output.print(&Archive::new("exported", &summary)),
            Err(error) => Err(verb::failed(deployment, &catalog, error).await),
        }
    }
}

/// A file that is to become a tenant.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The file; `-` is standard input
    file: PathBuf,
    /// The new tenant's name
    slug: Slug,
    #[command(flatten)]
    new: New,
    /// What secret settings are encrypted with: the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Say what would be done, and do nothing: all of the file is looked at
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let new = self.new.tenant(self.slug, &deployment.config)?;
        let progress = Progress::new(output);
        let from = match self.file.to_str() {
            Some("-") => progress.reading(io::stdin(), None),
            _ => {
                let file = open(&self.file)?;
                let bytes = file.metadata()?.len();
                progress.reading(file, Some(bytes))
            }
        };
        let how = options(deployment, self.passphrase_file.as_deref())?.on_progress(|imported| {
            progress.say(|| format!("{} rows, {} uploads", imported.rows, imported.uploads));
            ControlFlow::Continue(())
        });
        if self.dry_run {
            progress.begin("check");
            let verb = async |dry_run: DryRun<'_>| {
                let foreseen = dry_run.import(new, from, how).await;
                progress.end();
                foreseen.map(|(foreseen, _)| foreseen)
            };
            return dry_run::run(deployment, output, "import", verb).await;
        }
        let catalog = deployment.catalog_or_new().await?;
        let control = deployment.control_showing(&catalog, &progress).await?;
        let imported = control.import(new, from, how).await;
        progress.end();
        let (ended, summary) = match imported {
            Ok(imported) => imported,
            Err(error @ VerbError::Undone { .. }) => return Err(verb::refused(&error).hint(INSPECT)),
            Err(error) => return Err(verb::failed(deployment, &catalog, error).await),
        };
        let amounts = Amounts::of(&ended.operation);
        let tenant = ended.tenant.as_ref().map(Report::new);
        output.print(&Imported { operation: ended.operation.id.get(), imported: amounts, tenant })?;
        for hint in summary.iter().flat_map(notes) {
            output.hint(&hint);
        }
        Ok(())
    }
}

/// A file to look into.
#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The file
    file: PathBuf,
}

impl Inspect {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let (file, limits) = (open(&self.file)?, deployment.config.archive.limits());
        let bytes = file.metadata()?.len();
        let progress = Progress::new(output);
        progress.begin("read");
        let file = progress.reading(file, Some(bytes));
        #[expect(clippy::disallowed_methods, reason = "a file is looked at, for no tenant")]
        let read = tokio::task::spawn_blocking(move || archive::inspect(file, &limits));
        let summary = read.await.map_err(io::Error::other)?;
        progress.end();
        let summary = summary.map_err(|error| verb::refused(&VerbError::Archive(error)))?;
        output.print(&Archive::new("whole:", &summary))?;
        for hint in notes(&summary) {
            output.hint(&hint);
        }
        Ok(())
    }
}

/// How an archive is written or read.
fn options<'a>(deployment: &Deployment, passphrase: Option<&Path>) -> Result<Options<'a>, Failure> {
    let mut how = Options::default();
    how.limits = deployment.config.archive.limits();
    if let Some(file) = passphrase {
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(Failure::misused(format!("the first line of {} is empty", file.display())));
        }
        how.secrets = Some(Passphrase::new(line));
    }
    Ok(how)
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    Failure::other("io", format!("{} cannot be read: {error}", file.display()))
}

/// What is worth knowing of an archive before it is used, or after.
fn notes(summary: &Summary) -> Vec<String> {
    let header = &summary.header;
    let mut notes = Vec::new();
    if header.product != env!("CARGO_PKG_VERSION") {
        notes.push(format!("it was made by tenantry {}, and this is {}", header.product, env!("CARGO_PKG_VERSION")));
    }
    if !header.secrets_left_out.is_empty() {
        let paths: Vec<_> = header.secrets_left_out.iter().map(ToString::to_string).collect();
        notes.push(format!("secret settings are not in it, and have to be set again: {}", paths.join(", ")));
    }
    notes
}

/// What is in an archive.
#[derive(Serialize)]
struct Archive {
    #[serde(skip)]
    what: &'static str,
    tenant: String,
    plan: String,
    made_by: String,
    made_at: Option<String>,
    tables: Vec<Table>,
    rows: u64,
    uploads: u64,
    upload_bytes: u64,
    unpacked_bytes: u64,
    secrets_left_out: Vec<String>,
}

#[derive(Serialize)]
struct Table {
    name: String,
    rows: u64,
}

impl Archive {
    fn new(what: &'static str, summary: &Summary) -> Self {
        let header = &summary.header;
        let tables = header.schema.tables.iter().zip(&summary.rows);
        Self {
            what,
            tenant: header.tenant.slug.to_string(),
            plan: header.tenant.plan.to_string(),
            made_by: header.product.clone(),
            made_at: utc(header.made_at),
            tables: tables.map(|(table, rows)| Table { name: table.name.clone(), rows: *rows }).collect(),
            rows: summary.rows.iter().sum(),
            uploads: summary.uploads,
            upload_bytes: summary.upload_bytes,
            unpacked_bytes: summary.unpacked_bytes,
            secrets_left_out: header.secrets_left_out.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, tenant, rows, tables, uploads, .. } = self;
        write!(f, "{what} {tenant} with {rows} rows of {} tables and {uploads} uploads", tables.len())
    }
}

#[derive(Serialize)]
struct Imported {
    operation: i64,
    imported: Amounts,
    tenant: Option<Report>,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slug = self.tenant.as_ref().map_or("", |tenant| &tenant.slug);
        write!(f, "created {slug} with {}", self.imported)
    }
}

const INSPECT: &str = "`tenantry tenant inspect <file>` looks at all of an archive, and changes nothing";
