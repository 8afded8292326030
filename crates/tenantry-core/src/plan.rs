//! Plans: named sets of limits that tenants are put on.

use std::{borrow::Borrow, collections::HashMap, fmt, num::NonZeroU32, str::FromStr, sync::Arc, time::Duration};

use thiserror::Error;

use crate::Overrides;

/// The name of a plan, 1 to 63 characters of `a`–`z`, `0`–`9`, `-` and `_`.
///
/// ```
/// use tenantry_core::PlanName;
///
/// assert_eq!(PlanName::default().as_str(), "default");
/// assert!("big spender".parse::<PlanName>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanName(Arc<str>);

impl PlanName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for PlanName {
    fn default() -> Self {
        Self("default".into())
    }
}

impl FromStr for PlanName {
    type Err = PlanNameError;

    fn from_str(text: &str) -> Result<Self, PlanNameError> {
        let fits = matches!(text.len(), 1..=63);
        let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits && plain { Ok(Self(text.into())) } else { Err(PlanNameError(())) }
    }
}

impl Borrow<str> for PlanName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanName({self})")
    }
}

/// A text that is no [`PlanName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a plan's name has 1 to 63 characters of a-z, 0-9, hyphen and underscore")]
pub struct PlanNameError(());

/// A plan: a name and the limits that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The plan's name.
    pub name: PlanName,
    /// What a tenant on this plan may use.
    pub limits: Limits,
    /// What is set for tenants on this plan, where they have nothing of their own.
    pub settings: Overrides,
}

impl Plan {
    /// A plan with these limits.
    pub fn new(name: PlanName, limits: Limits) -> Self {
        Self { name, limits, settings: Overrides::default() }
    }
}

/// What a tenant may use. `None` is no limit, and is never the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Requests per second, with a burst. Knob `plans.<name>.requests_per_second` and `plans.<name>.burst`.
    pub rate: Option<Rate>,
    /// Requests that may be under way at once, their answers' bodies included. Knob `plans.<name>.in_flight_max`.
    pub in_flight_max: Option<u32>,
    /// Bytes of a request's body. Knob `plans.<name>.body_bytes_max`.
    pub body_bytes_max: Option<u64>,
    /// Unfinished and dead jobs in each queue. Knob `plans.<name>.jobs_max`.
    pub jobs_max: Option<u64>,
    /// Bytes of all uploads that are stored. Knob `plans.<name>.upload_bytes_max`.
    pub upload_bytes_max: Option<u64>,
    /// Bytes that its cache may take in memory. Knob `plans.<name>.cache_bytes_max`.
    pub cache_bytes_max: Option<u64>,
    /// Rows in shared tables. Knob `plans.<name>.rows_max`.
    pub rows_max: Option<u64>,
    /// How long one statement may run. Knob `plans.<name>.statement_time_max`.
    pub statement_time_max: Option<Duration>,
}

impl Limits {
    /// No limits at all: for tests, benchmarks and a tenant that has the machine to itself.
    pub const NONE: Self = Self {
        rate: None,
        in_flight_max: None,
        body_bytes_max: None,
        cache_bytes_max: None,
        jobs_max: None,
        upload_bytes_max: None,
        rows_max: None,
        statement_time_max: None,
    };
}

impl Default for Limits {
    /// 100 requests per second with a burst of 200, 64 requests at once, bodies of 2 MiB (as axum's own default), 8 MiB of
    /// cache, a million jobs, 1 GiB of uploads, ten million rows, statements of 30 seconds.
    fn default() -> Self {
        Self {
            rate: Some(Rate::default()),
            in_flight_max: Some(64),
            body_bytes_max: Some(2 << 20),
            cache_bytes_max: Some(8 << 20),
            jobs_max: Some(1_000_000),
            upload_bytes_max: Some(1 << 30),
            rows_max: Some(10_000_000),
            statement_time_max: Some(Duration::from_secs(30)),
        }
    }
}

/// A rate of requests with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// Requests per second that can go on for ever.
    pub per_second: NonZeroU32,
    /// Requests that can come at once after a rest.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many requests per second, and so many at once after a rest.
    pub const fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { per_second, burst }
    }
}

impl Default for Rate {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
        const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
        Self::new(PER_SECOND, BURST)
    }
}

/// The plans of a deployment, by name.
///
/// A tenant on a plan that is not here is refused, not served without limits.
#[derive(Clone, Debug)]
pub struct Plans(HashMap<PlanName, Arc<Plan>>);

impl Plans {
    /// The plan with this name.
    pub fn get(&self, name: &PlanName) -> Option<&Arc<Plan>> {
        self.0.get(name)
    }

    /// Every plan, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.values().map(Arc::as_ref)
    }
}

impl FromIterator<Plan> for Plans {
    fn from_iter<I: IntoIterator<Item = Plan>>(plans: I) -> Self {
        Self(plans.into_iter().map(|plan| (plan.name.clone(), Arc::new(plan))).collect())
    }
}

impl Default for Plans {
    /// One plan, `default`, with the default limits.
    fn default() -> Self {
        Self::from_iter([Plan::new(PlanName::default(), Limits::default())])
    }
}
