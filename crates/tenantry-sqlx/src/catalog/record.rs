//! A tenant as a row of a table, the same for every database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::FromRow;
use tenantry_core::{Amendment, CatalogError, NewTenant, Overrides, Revision, Slug, Tenant, TenantId};

/// A tenant as it is stored. Times are milliseconds of UTC; `names` is the slug and the aliases, with spaces between.
#[derive(Debug, FromRow)]
pub(super) struct Record {
    pub(super) id: i64,
    names: String,
    status: String,
    plan: String,
    placement: String,
    created_at: i64,
    expires_at: Option<i64>,
    settings: String,
    template: Option<i64>,
    revision: i64,
}

impl Record {
    /// The tenant that this row is about, or what is wrong with the row.
    pub(super) fn into_tenant(self) -> Result<Tenant, String> {
        let id = self.id;
        let wrong = |column: &str, reason: String| format!("tenant {id} has a wrong {column}: {reason}");
        let mut names = self.names.split(' ').map(str::parse::<Slug>);
        let slug = names.next().unwrap_or_else(|| "".parse()).map_err(|e| wrong("name", e.to_string()))?;
        let mut tenant = Tenant::new(TenantId::new(id), slug);
        tenant.aliases = names.collect::<Result<_, _>>().map_err(|e| wrong("alias", e.to_string()))?;
        tenant.status = self.status.parse().map_err(|e| wrong("status", format!("{e}")))?;
        tenant.plan = self.plan.parse().map_err(|e| wrong("plan", format!("{e}")))?;
        tenant.placement = self.placement.parse().map_err(|e| wrong("placement", format!("{e}")))?;
        tenant.created_at = from_millis(self.created_at).ok_or_else(|| wrong("time", self.created_at.to_string()))?;
        tenant.expires_at = match self.expires_at {
            Some(end) => Some(from_millis(end).ok_or_else(|| wrong("end", end.to_string()))?),
            None => None,
        };
        tenant.settings = match &*self.settings {
            "{}" => Overrides::default(),
            settings => Overrides::from_json(settings).map_err(|e| wrong("setting", e))?,
        };
        tenant.template = self.template.map(TenantId::new);
        tenant.revision = Revision::new(self.revision);
        Ok(tenant)
    }
}

/// The time as it is stored; a time that no clock will show is stored as the last one that can be.
pub(super) fn to_millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        // Down, not towards the epoch, so that storing a time twice changes nothing.
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).map_or(i64::MIN, |ms| -ms),
    }
}

/// The time that was stored. `None` when this machine cannot say it.
pub(super) fn from_millis(millis: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

/// The record after the change, if it was of the revision that is expected.
pub(super) fn amended(
    tenant: &Tenant,
    amendment: &Amendment,
    expected: Option<Revision>,
    version: i64,
) -> Result<Tenant, CatalogError> {
    if expected.is_some_and(|expected| expected != tenant.revision) {
        return Err(CatalogError::Changed { id: tenant.id });
    }
    let mut amended = amendment.of(tenant)?;
    amended.expires_at = amended.expires_at.map(to_millis).and_then(from_millis);
    amended.revision = Revision::new(version);
    Ok(amended)
}

/// The slug and the aliases, as they are numbered in the table of names.
pub(super) fn names(tenant: &Tenant) -> impl Iterator<Item = (i64, &Slug)> {
    (0_i64..).zip(std::iter::once(&tenant.slug).chain(&tenant.aliases))
}

/// A name that is listed twice counts once.
pub(super) fn keep_first_mention(new: &mut NewTenant) {
    let mut seen = vec![new.slug.clone()];
    new.aliases.retain(|alias| {
        let first = !seen.contains(alias);
        seen.push(alias.clone());
        first
    });
}

/// 2026-01-01 in milliseconds: ids are times, and counting from here keeps them short.
pub(super) const ID_EPOCH_MILLIS: i64 = 1_767_225_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(names: &str, status: &str) -> Record {
        Record {
            id: 7,
            names: names.to_owned(),
            status: status.to_owned(),
            plan: "default".to_owned(),
            placement: "shared".to_owned(),
            created_at: 1_700_000_000_123,
            expires_at: Some(-1),
            settings: r#"{"a.b":1}"#.to_owned(),
            template: Some(5),
            revision: 9,
        }
    }

    #[test]
    fn a_row_becomes_a_tenant() {
        let tenant = record("acme acme-old", "suspended").into_tenant().unwrap();
        assert_eq!((tenant.id.get(), tenant.slug.as_str(), tenant.revision.get()), (7, "acme", 9));
        assert_eq!(tenant.aliases, ["acme-old".parse().unwrap()]);
        assert_eq!(to_millis(tenant.created_at), 1_700_000_000_123);
        assert_eq!(to_millis(tenant.expires_at.unwrap()), -1);
        assert_eq!((tenant.settings.to_json().as_str(), tenant.template), (r#"{"a.b":1}"#, Some(TenantId::new(5))));
    }

    #[test]
    fn a_wrong_row_says_what_is_wrong() {
        let reason = |names, status| record(names, status).into_tenant().unwrap_err();
        assert_eq!(
            reason("acme", "happy"),
            "tenant 7 has a wrong status: a status is one of active, deleting, expired, provisioning, suspended"
        );
        assert_eq!(reason("", "active"), "tenant 7 has a wrong name: a tenant's name has at least one character");
    }

    #[test]
    fn times_survive_a_round_trip_to_the_millisecond() {
        for millis in [0, 1, -1, 1_700_000_000_123, i64::from(i32::MIN)] {
            assert_eq!(from_millis(millis).map(to_millis), Some(millis));
        }
        let before = UNIX_EPOCH - Duration::from_micros(1500);
        assert_eq!(to_millis(before), -2);
    }
}
