//! `[trial]`: what the public gets to try.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_core::{PlanName, Slug};

use super::value;

/// `[trial]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TrialSection {
    /// The tenant whose rows, files and users a trial begins with. Without it there are no trials.
    #[serde(with = "value::parsed_option", skip_serializing_if = "Option::is_none")]
    pub template: Option<Slug>,
    /// The plan that trials are on.
    #[serde(with = "value::parsed")]
    pub plan: PlanName,
    /// How long a trial takes.
    #[serde(with = "value::duration")]
    pub ttl: Duration,
    /// How long one is kept after its end, in which it can become a customer.
    #[serde(with = "value::duration")]
    pub keep: Duration,
    /// How many there may be at once.
    pub capacity: NonZeroU32,
    /// How many an address may ask for within `per_address_within`; of IPv6, a /64 is an address.
    pub per_address: NonZeroU32,
    /// Within which time they are counted.
    #[serde(with = "value::duration")]
    pub per_address_within: Duration,
    /// How many are made ahead, so that one is ready at once.
    pub warm: u32,
    /// How long one that was made ahead may wait; then it is made anew, as the template is by then.
    #[serde(with = "value::duration")]
    pub warm_max_age: Duration,
    /// How long a visitor may take to confirm an e-mail address, where that is asked for.
    #[serde(with = "value::duration")]
    pub confirm_within: Duration,
}

impl Default for TrialSection {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            template: None,
            plan: PlanName::default(),
            ttl: DAY,
            keep: DAY,
            capacity: NonZeroU32::MIN.saturating_add(99),
            per_address: NonZeroU32::MIN.saturating_add(4),
            per_address_within: HOUR,
            warm: 0,
            warm_max_age: HOUR,
            confirm_within: DAY,
        }
    }
}

/// Every problem of the section.
pub(super) fn check(section: &TrialSection, knows_plan: bool, unless: &mut impl FnMut(bool, &str)) {
    let TrialSection { plan, ttl, per_address_within, warm, warm_max_age, confirm_within, capacity, .. } = section;
    unless(knows_plan || section.template.is_none(), &format!("trial.plan: there is no [plans.{plan}]"));
    for (key, time) in [
        ("ttl", ttl),
        ("per_address_within", per_address_within),
        ("warm_max_age", warm_max_age),
        ("confirm_within", confirm_within),
    ] {
        unless(!time.is_zero(), &format!("trial.{key}: it has to be longer than nothing"));
    }
    unless(*warm <= capacity.get(), "trial.warm: there is no use for more than trial.capacity");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, problem) in [
            ("template = \"Template\"", "trial.template: \"Template\": a tenant's name is made of a-z"),
            ("plan = \"a b\"", "trial.plan: \"a b\": a plan's name"),
            ("template = \"seed\"\nplan = \"gold\"", "trial.plan: there is no [plans.gold]"),
            ("ttl = \"0s\"", "trial.ttl: "),
            ("ttl = \"2y\"", "trial.ttl: it is longer than a year"),
            ("capacity = 0", "trial.capacity: invalid value: integer `0`"),
            ("per_address_within = \"0s\"", "trial.per_address_within: "),
            ("warm = 101", "trial.warm: there is no use for more than trial.capacity"),
            ("warm = 1\nwarm_max_age = \"30s\"", "trial.warm_max_age: shorter than lifecycle.sweep_every"),
        ] {
            let error = Config::parse(&format!("[trial]\n{text}"), Path::new("")).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
