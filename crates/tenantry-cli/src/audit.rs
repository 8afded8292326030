//! `tenantry audit`: who did what to which tenant.

use std::fmt;

use serde::Serialize;
use tenantry::{AuditEntry, AuditFilter, CatalogStore, Deed, Link, Slug};

use crate::{
    deployment::Deployment,
    failure::Failure,
    output::{Output, table},
    tenant::{find, utc},
};

/// Which entries to show.
#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    /// Only those about this tenant, which has to be there still
    slug: Option<Slug>,
    /// Only the last so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Check that all entries are what was written, and show none
    #[arg(long, conflicts_with_all = ["slug", "limit"])]
    check: bool,
}

impl Audit {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let catalog = deployment.catalog().await?;
        let read = async |after, filter| {
            let page = catalog.audit().entries(after, filter, PAGE).await;
            page.map_err(|error| deployment.failed(error))
        };
        if self.check {
            return output.print(&check(deployment, &catalog).await?);
        }
        let filter = match &self.slug {
            Some(slug) => AuditFilter::Of(find(deployment, &catalog, slug).await?.id),
            None => AuditFilter::All,
        };
        output.print(&last(self.limit, async |after| read(after, filter).await).await?)
    }
}

/// Whether all entries are what was written.
pub(crate) async fn check(deployment: &Deployment, catalog: &CatalogStore) -> Result<Checked, Failure> {
    let (mut number, mut link) = (0, Link::START);
    loop {
        let page = catalog.audit().entries(number, AuditFilter::All, PAGE).await;
        let page = page.map_err(|error| deployment.failed(error))?;
        if page.is_empty() {
            return Ok(Checked { entries: number, link: link.to_string() });
        }
        for entry in page {
            entry.follows(number, &link).map_err(|broken| Failure::other("audit_broken", broken.to_string()))?;
            (number, link) = (entry.number, entry.link);
        }
    }
}

/// The last so many entries.
async fn last(limit: usize, read: impl AsyncFn(i64) -> Result<Vec<AuditEntry>, Failure>) -> Result<Shown, Failure> {
    let mut last: Vec<AuditEntry> = Vec::new();
    loop {
        let page = read(last.last().map_or(0, |entry| entry.number)).await?;
        if page.is_empty() {
            let kept = last.split_off(last.len().saturating_sub(limit));
            return Ok(Shown { entries: kept.into_iter().map(Entry::new).collect() });
        }
        last.extend(page);
        // The very last one stays, by which the reading goes on.
        last.drain(..last.len().saturating_sub(limit.max(1)));
    }
}

/// Entries that are read at once.
const PAGE: u32 = 1000;

#[derive(Serialize)]
pub(crate) struct Checked {
    entries: i64,
    link: String,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, link } = self;
        write!(f, "{entries} entries are what was written; the last one's link is {link}")
    }
}

#[derive(Serialize)]
struct Shown {
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    number: i64,
    at: Option<String>,
    who: String,
    from: String,
    why: Option<String>,
    verb: String,
    tenant: Option<i64>,
    slug: Option<String>,
    detail: serde_json::Value,
    link: String,
}

impl Entry {
    fn new(entry: AuditEntry) -> Self {
        let AuditEntry { number, at, act, deed, link } = entry;
        Self {
            number,
            at: utc(at),
            who: act.who,
            from: act.from,
            why: act.why,
            verb: deed.verb,
            tenant: deed.tenant.map(tenantry::TenantId::get),
            slug: deed.slug.map(|slug| slug.to_string()),
            detail: serde_json::from_str(&deed.detail).unwrap_or(serde_json::Value::String(deed.detail)),
            link: link.to_string(),
        }
    }

    fn row(&self) -> [String; 7] {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        let detail = |key| self.detail.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let times = self.detail.get("times").and_then(serde_json::Value::as_u64).unwrap_or(1);
        let (what, why) = match (self.verb.as_str(), self.detail.as_object()) {
            ("amended", Some(detail)) => {
                (detail.keys().map(String::as_str).collect::<Vec<_>>().join(","), said(&self.why))
            }
            (Deed::UNSCOPED, _) => {
                let times = if times > 1 { format!(", {times} times") } else { String::new() };
                let given = self.why.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
                (format!("{}{times}", detail("place")), format!("{}{given}", detail("reason")))
            }
            _ => (String::new(), said(&self.why)),
        };
        [self.number.to_string(), said(&self.at), self.who.clone(), self.verb.clone(), said(&self.slug), what, why]
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.entries.iter().map(Entry::row).collect();
        f.write_str(&table(["NUMBER", "TIME", "WHO", "DEED", "TENANT", "WHAT", "WHY"], &rows))
    }
}
