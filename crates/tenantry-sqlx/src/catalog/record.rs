//! A tenant as a row of a table, the same for every database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::FromRow;
use tenantry_core::{
    Act, Amendment, AuditEntry, CatalogError, Deed, Link, NewTenant, Overrides, Revision, Slug, Tenant, TenantId,
};

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
    erase_at: Option<i64>,
    epoch: i64,
    settings: String,
    template: Option<i64>,
    trial: bool,
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
        let time = |time: Option<i64>| match time {
            Some(time) => from_millis(time).map(Some).ok_or_else(|| wrong("end", time.to_string())),
            None => Ok(None),
        };
        (tenant.expires_at, tenant.erase_at) = (time(self.expires_at)?, time(self.erase_at)?);
        tenant.epoch = u32::try_from(self.epoch).map_err(|_| wrong("epoch", self.epoch.to_string()))?;
        tenant.settings = match &*self.settings {
            "{}" => Overrides::default(),
            settings => Overrides::from_json(settings).map_err(|e| wrong("setting", e))?,
        };
        tenant.template = self.template.map(TenantId::new);
        tenant.trial = self.trial;
        tenant.revision = Revision::new(self.revision);
        Ok(tenant)
    }
}

/// An entry of the audit log as it is stored.
#[derive(Debug, FromRow)]
pub(super) struct Entry {
    number: i64,
    at: i64,
    who: String,
    origin: String,
    why: Option<String>,
    verb: String,
    tenant: Option<i64>,
    slug: Option<String>,
    detail: String,
    link: Vec<u8>,
}

impl Entry {
    /// The entry that this row is, or what is wrong with the row.
    pub(super) fn into_entry(self) -> Result<AuditEntry, String> {
        let wrong = |column: &str| format!("entry {} of the audit log has a wrong {column}", self.number);
        Ok(AuditEntry {
            at: from_millis(self.at).ok_or_else(|| wrong("time"))?,
            link: Link::from_bytes(&self.link).ok_or_else(|| wrong("link"))?,
            deed: Deed {
                slug: self.slug.as_deref().map(str::parse).transpose().map_err(|_| wrong("name"))?,
                tenant: self.tenant.map(TenantId::new),
                verb: self.verb,
                detail: self.detail,
            },
            act: Act { who: self.who, from: self.origin, why: self.why },
            number: self.number,
        })
    }
}

/// The entry that comes after the last one, whose number and link these are.
pub(super) fn next_entry(last: Option<(i64, Vec<u8>)>, act: &Act, deed: &Deed) -> Result<AuditEntry, String> {
    let (number, link) = last.map_or((0, Some(Link::START)), |(number, link)| (number, Link::from_bytes(&link)));
    let link = link.ok_or_else(|| format!("entry {number} of the audit log has a wrong link"))?;
    let number = number.saturating_add(1);
    // As it is stored: what is read has to have the same link.
    let at = from_millis(to_millis(SystemTime::now())).unwrap_or(UNIX_EPOCH);
    Ok(AuditEntry { number, at, link: link.to(number, at, act, deed), act: act.clone(), deed: deed.clone() })
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
    amended.erase_at = amended.erase_at.map(to_millis).and_then(from_millis);
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
            erase_at: None,
            epoch: 2,
            settings: r#"{"a.b":1}"#.to_owned(),
            template: Some(5),
            trial: false,
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
