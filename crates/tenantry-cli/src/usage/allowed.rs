//! What a tenant's plan allows, and how much of it the tenant has now.

use std::sync::Arc;

use serde::Serialize;
use tenantry::{CatalogStore, Placement, Plane, Tenant, control::with_causes};

use crate::{
    deployment::Deployment,
    failure::Failure,
    output::{amount, bytes},
};

/// A limit.
#[derive(Serialize)]
pub(super) struct Allowed {
    /// The key in the plan.
    limit: &'static str,
    /// How much there is now, where that can be said from here: what servers hold back by themselves, they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<u64>,
    /// How much there may be; nothing where there is no limit.
    allowed: Option<u64>,
    #[serde(skip)]
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Bytes,
    Millis,
    Things,
}

impl Allowed {
    pub(super) fn row(&self) -> Vec<String> {
        let said = |number| match self.unit {
            Unit::Bytes => bytes(number),
            Unit::Millis => humantime::format_duration(std::time::Duration::from_millis(number)).to_string(),
            Unit::Things => amount(number),
        };
        let now = self.now.map_or_else(|| "-".to_owned(), said);
        vec![self.limit.to_owned(), now, self.allowed.map_or_else(|| "none".to_owned(), said)]
    }
}

/// All limits of a tenant's plan; none where the configuration does not have it.
pub(super) async fn allowed(
    deployment: &Deployment,
    catalog: &CatalogStore,
    tenant: &Tenant,
) -> Result<Vec<Allowed>, Failure> {
    let plans = deployment.config.plans()?;
    let Some(plan) = plans.get(&tenant.plan) else { return Ok(Vec::new()) };
    let limits = plan.limits;
    let control = deployment.control(catalog).await?;
    let now = async |name: &str| -> Result<Option<(u64, u64)>, Failure> {
        let plane: Option<&Arc<dyn Plane>> = control.planes().iter().find(|plane| plane.name() == name);
        let Some(plane) = plane else { return Ok(None) };
        let has = plane.count(tenant).await.map_err(|error| Failure::other("plane", with_causes(&error)))?;
        Ok(Some((has.items, has.bytes)))
    };
    let rows = now("rows").await?.map(|(items, _)| items);
    let uploads = now("uploads").await?.map(|(_, bytes)| bytes);
    let jobs = now("jobs").await?.map_or(0, |(items, _)| items);
    let is_shared = matches!(tenant.placement, Placement::Shared);
    let number = |limit, now, allowed: Option<u64>| Allowed { limit, now, allowed, unit: Unit::Things };
    let size = |limit, now, allowed: Option<u64>| Allowed { limit, now, allowed, unit: Unit::Bytes };
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Ok(vec![
        number("rows_max", rows, limits.rows_max.filter(|_| is_shared)),
        size("upload_bytes_max", uploads, limits.upload_bytes_max),
        // Each queue may have as many.
        number("jobs_max", Some(jobs), limits.jobs_max),
        number("requests_per_second", None, limits.rate.map(|rate| rate.per_second.get().into())),
        number("burst", None, limits.rate.map(|rate| rate.burst.get().into())),
        number("in_flight_max", None, limits.in_flight_max.map(u64::from)),
        size("body_bytes_max", None, limits.body_bytes_max),
        size("cache_bytes_max", None, limits.cache_bytes_max),
        Allowed {
            limit: "statement_time_max",
            now: None,
            allowed: limits.statement_time_max.map(millis),
            unit: Unit::Millis,
        },
    ])
}
