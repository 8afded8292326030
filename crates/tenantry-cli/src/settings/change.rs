//! `tenantry settings set` and `unset`

use std::{
    fmt,
    io::{self, Read},
};

use serde::Serialize;
use serde_json::Value;
use tenantry::{
    Amendment, Code, Slug,
    settings::{SettingChange, SettingPath, Sourced},
};

use super::known::Known;
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// A setting, and what it is to be.
#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The tenant
    slug: Slug,
    /// The setting, as mail.smtp.port
    path: SettingPath,
    /// The value, in JSON; what is no JSON is a text [default: standard input, for secrets]
    value: Option<String>,
}

/// A setting that is no longer to be set.
#[derive(Debug, clap::Args)]
pub(crate) struct Unset {
    /// The tenant
    slug: Slug,
    /// The setting, as mail.smtp.port
    path: SettingPath,
}

impl Set {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let text = match self.value {
            Some(text) => text,
            None => {
                let mut text = String::new();
                io::stdin().lock().read_to_string(&mut text)?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        change(deployment, output, &self.slug, self.path, Some(text)).await
    }
}

impl Unset {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        change(deployment, output, &self.slug, self.path, None).await
    }
}

async fn change(
    deployment: &Deployment,
    output: Output,
    slug: &Slug,
    path: SettingPath,
    text: Option<String>,
) -> Result<(), Failure> {
    let known = Known::open(deployment).await?;
    let tenant = known.tenant(slug).await?.tenant;
    let value = text.map(|text| value(&text, known.described.is_text(&path)));
    let change = known.described.accept(&known.keys()?, tenant.id, SettingChange { path: path.clone(), value });
    let change = change.map_err(|refused| Failure::refused(Code::SettingRefused, refused.to_string()))?;
    // What was looked at is what is changed.
    let amendment = Amendment { settings: vec![change], ..Amendment::default() };
    let changed = known.catalog.amend(tenant.id, &amendment, Some(tenant.revision)).await;
    let changed = known.layered(changed.map_err(|error| deployment.failed(error))?).await?;
    let now = known.sourced(&changed, Some(&path));
    output.print(&Changed { tenant: tenant.slug.to_string(), now })
}

/// The value that was typed. A text needs no quotation marks where nothing but a text can be.
fn value(text: &str, is_text: bool) -> Value {
    if is_text { text.into() } else { serde_json::from_str(text).unwrap_or_else(|_| text.into()) }
}

#[derive(Serialize)]
struct Changed {
    tenant: String,
    now: Vec<Sourced>,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.now.iter().map(|shown| format!("{} is {} ({})", shown.path, shown.value, shown.layer));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
