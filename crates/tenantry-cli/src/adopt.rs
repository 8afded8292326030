//! `tenantry adopt`: an existing instance becomes a tenant.
//!
//! | the tenant is | its rows are brought in, and then it is |
//! |---|---|
//! | not there | active; until then it is provisioning |
//! | provisioning, by a call that was cut off | active |
//! | active, and has not been used | taken out of service meanwhile, and active again |
//! | suspended or expired | as it was |
//! | deleting | refused |

use std::{
    fmt,
    ops::ControlFlow,
    time::{Duration, Instant, SystemTime},
};

use serde::Serialize;
use tenantry::{
    CatalogStore, Code, NewTenant, Placement, PlanName, Slug, Status, Tenant,
    adopt::{AdoptError, AdoptOptions, Adoption},
};

use crate::{
    deployment::Deployment,
    failure::Failure,
    instance::{Instance, Target},
    output::{Output, table},
    progress::Progress,
    tenant::{Report, check_plan, lifetime, placement},
};

/// An instance to be made a tenant.
///
/// Stop the instance before: what it writes afterwards is not brought in. It is only read. A call that was cut off is
/// continued by the same call.
#[derive(Debug, clap::Args)]
pub(crate) struct Adopt {
    /// The name of the tenant; it is created if it is not there
    slug: Slug,
    /// The SQLite database of the instance; or, where tenants' rows are on PostgreSQL, also the URL of its database as a
    /// role that may read it. Without a password in it, PGPASSWORD or ~/.pgpass has it
    #[arg(long, value_name = "FILE|URL")]
    from: Instance,
    /// For a new tenant: a plan of the configuration
    #[arg(long, default_value = "default")]
    plan: PlanName,
    /// For a new tenant: where its rows live
    #[arg(long, default_value = "shared", value_parser = placement())]
    placement: Placement,
    /// For a new tenant: when its time is up, from now: 14d, 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<Duration>,
}

/// A running server follows the catalog within this time, and then serves the tenant no more.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(1);

impl Adopt {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let target = Target::of(deployment, &self.from)?;
        let catalog = deployment.catalog_or_new().await?;
        let (tenant, is_new) = self.tenant(deployment, &catalog, &target).await?;
        let begun = Instant::now();
        let (tenant, adopted) = self.adopt(deployment, output, &catalog, &target, tenant).await?;
        let adoption = match adopted {
            Ok(adoption) => adoption,
            Err(error) => {
                let leaves_nothing = target.leaves_nothing(&error);
                if is_new && leaves_nothing {
                    forget(deployment, &catalog, &tenant).await?;
                }
                return Err(self.failed(&error, leaves_nothing));
            }
        };
        let tenant = match tenant.status {
            Status::Provisioning => set(deployment, &catalog, &tenant, Status::Active).await?,
            _ => tenant,
        };
        let from = self.from.to_string();
        let took = begun.elapsed().as_secs_f64();
        output.print(&Adopted::new(&tenant, from, took, &adoption))?;
        if adoption.took_schema {
            output.hint(
                "the shared database had no schema, and has that of the instance now; new tenants begin without rows, \
                 since it cannot be told which of these came from migrations",
            );
        }
        Ok(())
    }

    /// The tenant, and whether it was created just now.
    async fn tenant(
        &self,
        deployment: &Deployment,
        catalog: &CatalogStore,
        target: &Target,
    ) -> Result<(Tenant, bool), Failure> {
        let found = catalog.by_slug(&self.slug).await.map_err(|error| deployment.failed(error))?;
        match found {
            Some(tenant) if tenant.status == Status::Deleting => {
                Err(Failure::refused(Code::TenantDeleting, format!("{} is being deleted", tenant.slug)))
            }
            Some(tenant) => Ok((tenant, false)),
            None if self.placement == Placement::Dedicated && !target.takes_schema() => {
                let text = "an instance cannot be adopted into a PostgreSQL database of a tenant's own";
                Err(Failure::other("own_database", text).hint(format!(
                    "create the tenant first, `tenantry tenant create {slug} --placement dedicated --suspended`, and adopt \
                     again, to be told how its database is filled",
                    slug = self.slug
                )))
            }
            None => {
                check_plan(&deployment.config, &self.plan)?;
                let mut new = NewTenant::new(self.slug.clone());
                new.plan = self.plan.clone();
                new.placement = self.placement.clone();
                new.expires_at = self.expires.map(|lifetime| SystemTime::now() + lifetime);
                new.status = Status::Provisioning;
                Ok((catalog.create(new).await.map_err(|error| deployment.failed(error))?, true))
            }
        }
    }

    /// Adopts; an active tenant is taken out of service if there is anything to do.
    async fn adopt(
        &self,
        deployment: &Deployment,
        output: Output,
        catalog: &CatalogStore,
        target: &Target,
        tenant: Tenant,
    ) -> Result<(Tenant, Result<Adoption, AdoptError>), Failure> {
        let progress = Progress::new(output);
        let adopted = target.adopt(&tenant, &self.from, watched(&progress)).await;
        if !matches!(adopted, Err(AdoptError::Served(_))) {
            progress.end();
            return Ok((tenant, adopted));
        }
        let tenant = set(deployment, catalog, &tenant, Status::Provisioning).await?;
        tokio::time::sleep(FOLLOWED_WITHIN).await;
        let adopted = target.adopt(&tenant, &self.from, watched(&progress)).await;
        progress.end();
        let tenant = match &adopted {
            Err(error) if target.leaves_nothing(error) => set(deployment, catalog, &tenant, Status::Active).await?,
            _ => tenant,
        };
        Ok((tenant, adopted))
    }

    fn failed(&self, error: &AdoptError, leaves_nothing: bool) -> Failure {
        let (slug, from) = (&self.slug, &self.from);
        let code = match error {
            AdoptError::Source(_) => "source",
            #[cfg(feature = "postgres")]
            AdoptError::Server(_) => "source",
            AdoptError::Schema(_) | AdoptError::Unmigrated => "schema_differs",
            AdoptError::OwnDatabase { .. } => "own_database",
            AdoptError::Refused { .. } | AdoptError::HiddenRowId(_) => "in_the_way",
            AdoptError::Used { .. } | AdoptError::Otherwise { .. } | AdoptError::Exists { .. } => "tenant_used",
            AdoptError::Database(_) | AdoptError::File { .. } => "database",
            _ => "adoption",
        };
        let failure = Failure::other(code, error.to_string());
        match error {
            AdoptError::Source(_) => failure,
            AdoptError::Schema(_) => failure.hint(format!(
                "`tenantry plan {from}` shows the differences; usually both have to run the same migrations first"
            )),
            AdoptError::Refused { .. } | AdoptError::HiddenRowId(_) => failure.hint(format!(
                "`tenantry plan {from}` shows all that is in the way; a tenant with --placement dedicated can keep it"
            )),
            _ if leaves_nothing => failure,
            _ => failure.hint(format!("{slug} is not served; `tenantry adopt {slug} --from {from}` goes on with it")),
        }
    }
}

async fn set(deployment: &Deployment, catalog: &CatalogStore, tenant: &Tenant, to: Status) -> Result<Tenant, Failure> {
    catalog.set_status(tenant.id, to).await.map_err(|error| deployment.failed(error))
}

/// Takes back a tenant that was made for nothing.
async fn forget(deployment: &Deployment, catalog: &CatalogStore, tenant: &Tenant) -> Result<(), Failure> {
    set(deployment, catalog, tenant, Status::Deleting).await?;
    catalog.remove(tenant.id).await.map_err(|error| deployment.failed(error))
}

fn watched(progress: &Progress) -> AdoptOptions<'_> {
    let mut table = String::new();
    AdoptOptions::default().on_progress(move |adopted| {
        if table != adopted.table {
            adopted.table.clone_into(&mut table);
            progress.begin(&table);
        }
        progress.at(adopted.rows, adopted.total);
        ControlFlow::Continue(())
    })
}

#[derive(Serialize)]
struct Adopted {
    from: String,
    already: bool,
    resumed: bool,
    took_schema: bool,
    seconds: f64,
    rows: u64,
    tables: Vec<AdoptedTable>,
    tenant: Report,
}

#[derive(Serialize)]
struct AdoptedTable {
    name: String,
    rows: u64,
    checksum: String,
    global: bool,
}

impl Adopted {
    fn new(tenant: &Tenant, from: String, seconds: f64, adoption: &Adoption) -> Self {
        let tables = adoption.tables.iter().map(|table| AdoptedTable {
            name: table.name.clone(),
            rows: table.rows,
            checksum: table.checksum.clone(),
            global: table.is_global,
        });
        Self {
            from,
            already: adoption.already,
            resumed: adoption.resumed,
            took_schema: adoption.took_schema,
            seconds,
            rows: adoption.tables.iter().map(|table| table.rows).sum(),
            tables: tables.collect(),
            tenant: Report::new(tenant),
        }
    }
}

impl fmt::Display for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { slug, status, .. } = &self.tenant;
        let had = if self.already { "had" } else { "has" };
        writeln!(f, "{slug} {had} the {} rows of {}, and is {status}", self.rows, self.from)?;
        let rows: Vec<_> = self
            .tables
            .iter()
            .map(|table| [table.name.clone(), table.rows.to_string(), table.checksum.clone()])
            .collect();
        write!(f, "{}", table(["TABLE", "ROWS", "CHECKSUM"], &rows))
    }
}
