//! What a verb would do, as it is shown.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tenantry::{
    CatalogStore, Tenant,
    control::{DryRun, Foreseen, VerbError},
};

use super::{copy::Amounts, report::utc, verb};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Asks what `verb` would do, and prints it.
pub(super) async fn run(
    deployment: &Deployment,
    output: Output,
    name: &'static str,
    verb: impl AsyncFnOnce(DryRun<'_>) -> Result<Foreseen, VerbError>,
) -> Result<(), Failure> {
    let catalog = deployment.catalog().await?;
    run_on(deployment, output, &catalog, name, verb).await
}

/// The same where the catalog is open already.
pub(super) async fn run_on(
    deployment: &Deployment,
    output: Output,
    catalog: &CatalogStore,
    name: &'static str,
    verb: impl AsyncFnOnce(DryRun<'_>) -> Result<Foreseen, VerbError>,
) -> Result<(), Failure> {
    let control = deployment.control_for_dry_run(catalog).await?;
    match verb(control.dry_run()).await {
        Ok(foreseen) => output.print(&WouldDo::new(name, &foreseen)),
        Err(error) => Err(verb::failed(deployment, catalog, error).await),
    }
}

/// What a verb would do.
#[derive(Serialize)]
struct WouldDo {
    dry_run: bool,
    verb: &'static str,
    tenant: String,
    /// The fields of the record that would be others, each with what it is and what it would be.
    changes: Map<String, Value>,
    copied: Amounts,
    removed: Amounts,
    steps: Vec<String>,
    /// The operation that was abandoned and would be gone on with first.
    unfinished: Option<i64>,
}

impl WouldDo {
    fn new(verb: &'static str, foreseen: &Foreseen) -> Self {
        let Foreseen { before, after, unfinished, steps, copied, removed, .. } = foreseen;
        let tenant = before.as_ref().or(after.as_ref());
        Self {
            dry_run: true,
            verb,
            tenant: tenant.map(|tenant| tenant.slug.to_string()).unwrap_or_default(),
            changes: changes(before.as_ref(), after.as_ref()),
            copied: Amounts::counted(copied),
            removed: Amounts::counted(removed),
            steps: steps.clone(),
            unfinished: unfinished.as_ref().map(|operation| operation.id.get()),
        }
    }
}

impl fmt::Display for WouldDo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, tenant, changes, copied, removed, steps, unfinished, .. } = self;
        writeln!(f, "{verb} of {tenant} would do this, and nothing is done:")?;
        if let Some(operation) = unfinished {
            writeln!(f, "  go on with operation {operation}, which was abandoned")?;
        }
        if !removed.is_empty() {
            writeln!(f, "  remove {removed}")?;
        }
        if !copied.is_empty() {
            writeln!(f, "  copy {copied}")?;
        }
        for (field, change) in changes {
            let said = |at| match change.get(at) {
                None | Some(Value::Null) => "none".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            writeln!(f, "  {field}: {} -> {}", said(0), said(1))?;
        }
        if !steps.is_empty() {
            writeln!(f, "  in these steps: {}", steps.join(", "))?;
        } else if changes.is_empty() {
            writeln!(f, "  nothing: it is so already")?;
        }
        Ok(())
    }
}

fn changes(before: Option<&Tenant>, after: Option<&Tenant>) -> Map<String, Value> {
    let (before, after) = (fields(before), fields(after));
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let both = names.map(|name| (name, before.get(name), after.get(name)));
    both.filter(|(_, was, is)| was != is).map(|(name, was, is)| (name.clone(), json!([was, is]))).collect()
}

/// A record as it is said. Values of settings are not: there may be secrets among them.
fn fields(tenant: Option<&Tenant>) -> Map<String, Value> {
    let Some(tenant) = tenant else { return Map::new() };
    let names = |names: &mut dyn Iterator<Item = String>| {
        let names: Vec<_> = names.collect();
        if names.is_empty() { Value::Null } else { json!(names) }
    };
    let fields = [
        ("slug", json!(tenant.slug.as_str())),
        ("aliases", names(&mut tenant.aliases.iter().map(ToString::to_string))),
        ("status", json!(tenant.status.as_str())),
        ("plan", json!(tenant.plan.as_str())),
        ("placement", json!(tenant.placement.as_str())),
        ("expires_at", json!(tenant.expires_at.and_then(utc))),
        ("erase_at", json!(tenant.erase_at.and_then(utc))),
        ("settings", names(&mut tenant.settings.iter().map(|(path, _)| path.to_string()))),
        ("epoch", if tenant.epoch == 0 { Value::Null } else { json!(tenant.epoch) }),
        ("trial", if tenant.trial { Value::Bool(true) } else { Value::Null }),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).filter(|(_, value)| !value.is_null()).collect()
}
