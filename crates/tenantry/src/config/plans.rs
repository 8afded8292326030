//! `[plans.<name>]`: what tenants may use.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_core::{Limits, Overrides, Plan, PlanName, Plans, Rate, SettingPath};

use super::value;

/// `[plans.<name>]`. A limit that is not written has its default; `"none"` is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSection {
    /// Requests per second that can go on for ever.
    #[serde(with = "value::limit")]
    pub requests_per_second: Option<NonZeroU32>,
    /// Requests that can come at once after a rest.
    #[serde(with = "value::limit")]
    pub burst: Option<NonZeroU32>,
    /// Requests that may be under way at once, their answers' bodies included.
    #[serde(with = "value::limit")]
    pub in_flight_max: Option<NonZeroU32>,
    /// Bytes of a request's body.
    #[serde(with = "value::bytes_limit")]
    pub body_bytes_max: Option<u64>,
    /// Jobs in each queue, dead letters included.
    #[serde(with = "value::limit")]
    pub jobs_max: Option<NonZeroU32>,
    /// Bytes of all uploads that are stored.
    #[serde(with = "value::bytes_limit")]
    pub upload_bytes_max: Option<u64>,
    /// Bytes that the tenant's cache may take in memory.
    #[serde(with = "value::bytes_limit")]
    pub cache_bytes_max: Option<u64>,
    /// Rows in the shared tables, all tables together.
    #[serde(with = "value::limit")]
    pub rows_max: Option<NonZeroU32>,
    /// How long one statement may run.
    #[serde(with = "value::duration_limit")]
    pub statement_time_max: Option<Duration>,
    /// Settings of the application, for tenants that have nothing of their own.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}

impl PlanSection {
    fn limits(&self) -> Result<Limits, &'static str> {
        let mut limits = Limits::NONE;
        limits.rate = match (self.requests_per_second, self.burst) {
            (Some(per_second), Some(burst)) => Some(Rate::new(per_second, burst)),
            (None, None) => None,
            _ => return Err("requests_per_second and burst are both \"none\", or both a number"),
        };
        limits.in_flight_max = self.in_flight_max.map(NonZeroU32::get);
        limits.body_bytes_max = self.body_bytes_max;
        limits.jobs_max = self.jobs_max.map(|max| max.get().into());
        limits.upload_bytes_max = self.upload_bytes_max;
        limits.cache_bytes_max = self.cache_bytes_max;
        limits.rows_max = self.rows_max.map(|max| max.get().into());
        if self.statement_time_max.is_some_and(|max| max < STATEMENT_TIME_MIN) {
            return Err("statement_time_max is \"none\", or 1ms or longer");
        }
        limits.statement_time_max = self.statement_time_max;
        Ok(limits)
    }

    fn settings(&self) -> Result<Overrides, String> {
        let mut found = Vec::new();
        leaves("", &self.settings, &mut found)?;
        Ok(found.into_iter().collect())
    }
}

/// PostgreSQL knows none that is shorter: to it, nothing would be no limit.
const STATEMENT_TIME_MIN: Duration = Duration::from_millis(1);

/// The settings within a table, by their paths.
fn leaves(outer: &str, table: &Map<String, Value>, found: &mut Vec<(SettingPath, Value)>) -> Result<(), String> {
    for (name, value) in table {
        let path = if outer.is_empty() { name.clone() } else { format!("{outer}.{name}") };
        match value {
            Value::Object(inner) if !inner.is_empty() => leaves(&path, inner, found)?,
            _ => found.push((path.parse().map_err(|error| format!("{path}: {error}"))?, value.clone())),
        }
    }
    Ok(())
}

impl Default for PlanSection {
    fn default() -> Self {
        let Limits { rate, in_flight_max, body_bytes_max, cache_bytes_max, jobs_max, upload_bytes_max, .. } =
            Limits::default();
        let Limits { rows_max, statement_time_max, .. } = Limits::default();
        let number = |max: Option<u64>| max.and_then(|max| NonZeroU32::new(u32::try_from(max).unwrap_or(u32::MAX)));
        Self {
            requests_per_second: rate.map(|rate| rate.per_second),
            burst: rate.map(|rate| rate.burst),
            in_flight_max: in_flight_max.and_then(NonZeroU32::new),
            body_bytes_max,
            jobs_max: number(jobs_max),
            upload_bytes_max,
            cache_bytes_max,
            rows_max: number(rows_max),
            statement_time_max,
            settings: Map::new(),
        }
    }
}

/// The plans, with `default` among them, or what is wrong with each.
pub(super) fn plans(sections: &BTreeMap<PlanName, PlanSection>) -> Result<Plans, Vec<String>> {
    let mut problems = Vec::new();
    let mut plans = vec![Plan::new(PlanName::default(), Limits::default())];
    for (name, section) in sections {
        match (section.limits(), section.settings()) {
            (Ok(limits), Ok(settings)) => {
                let mut plan = Plan::new(name.clone(), limits);
                plan.settings = settings;
                plans.push(plan);
            }
            (limits, settings) => {
                problems.extend(limits.err().map(|problem| format!("plans.{name}: {problem}")));
                problems.extend(settings.err().map(|problem| format!("plans.{name}.settings: {problem}")));
            }
        }
    }
    // A plan `default` that is written comes later, and so replaces the one that is always there.
    if problems.is_empty() { Ok(Plans::from_iter(plans)) } else { Err(problems) }
}
