//! What has to be done from time to time: abandoned operations, erasures that are due, ends that are near.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tenantry_core::{Act, Deed, Spent, Status, Tenant};

use crate::{Control, Ended, Erasing, Recovered, VerbError};

/// What was done.
#[derive(Debug, Default)]
pub struct Swept {
    /// What became of operations that were abandoned.
    pub recovered: Recovered,
    /// Tenants whose time to be erased had come.
    pub erased: Vec<Ended>,
    /// Tenants that could not be erased now, and why.
    pub not_erased: Vec<(Tenant, VerbError)>,
    /// Tenants whose end is near, each time once.
    pub warned: Vec<Warned>,
}

/// A tenant whose end is near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned {
    /// The tenant.
    pub tenant: Tenant,
    /// How long before its end it was to be told of.
    pub before: Duration,
}

impl Control {
    /// Goes on with what was abandoned, erases what is due, and says whose end is nearer than one of `warn_before`. Several
    /// processes may do that: what one has done, another one does not do again.
    ///
    /// # Errors
    ///
    /// [`VerbError`] when the catalog does not answer.
    pub async fn sweep(&self, warn_before: &[Duration]) -> Result<Swept, VerbError> {
        let mut swept = Swept { recovered: self.recover().await?, ..Swept::default() };
        let (now, mut after) = (SystemTime::now(), None);
        loop {
            let page = self.catalog().page(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(swept) };
            after = Some(last.id);
            for tenant in page {
                if tenant.status == Status::Deleting && tenant.erase_at.is_some_and(|at| at <= now) {
                    match Box::pin(self.erase(&tenant.slug, Erasing::WhenDue)).await {
                        Ok(ended) => swept.erased.push(ended),
                        Err(error) => swept.not_erased.push((tenant, error)),
                    }
                } else if let Some(before) = near(&tenant, now, warn_before)
                    && self.warn_once(&tenant, before).await?
                {
                    swept.warned.push(Warned { tenant, before });
                }
            }
        }
    }

    /// Notes that a tenant's end is near, and says whether that was news: to one of all who ask at the same time.
    async fn warn_once(&self, tenant: &Tenant, before: Duration) -> Result<bool, VerbError> {
        // After that end there is nothing to be warned of.
        let until = tenant.expires_at.unwrap_or(SystemTime::UNIX_EPOCH);
        let (end, before) = (until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(), before.as_secs());
        let id = format!("warn-{}-{before}-{}", tenant.id, end.as_secs());
        let detail = json!({ "before_seconds": before, "expires_at": end.as_secs() }).to_string();
        let deed = Deed { verb: WARNED.to_owned(), tenant: Some(tenant.id), slug: Some(tenant.slug.clone()), detail };
        let spent = self.once().spend(&id, until, &Act::of("Tenantry", "the sweep"), &deed).await?;
        Ok(spent == Spent::Now)
    }
}

/// The shortest of these times that is longer than what is left, where any is.
fn near(tenant: &Tenant, now: SystemTime, warn_before: &[Duration]) -> Option<Duration> {
    if tenant.status != Status::Active {
        return None;
    }
    let left = tenant.expires_at?.duration_since(now).ok()?;
    warn_before.iter().copied().filter(|before| left <= *before).min()
}

/// The word in the audit log.
const WARNED: &str = "warned";

/// How many records are read at a time.
const PAGE: u32 = 1000;
