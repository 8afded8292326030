//! One entry.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::Link;
use crate::{Operation, Outcome, Placement, Slug, Tenant, TenantId, Unscoped};

/// Who acts, from where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// A person, or a process.
    pub who: String,
    /// A machine, a terminal, an address.
    pub from: String,
    /// The reason that was given.
    pub why: Option<String>,
}

impl Act {
    /// Somebody acts, and gives no reason.
    pub fn of(who: impl Into<String>, from: impl Into<String>) -> Self {
        Self { who: who.into(), from: from.into(), why: None }
    }

    /// With this reason.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// A word for it: `created`, `amended`, `removed`.
    pub verb: String,
    /// To whom.
    pub tenant: Option<TenantId>,
    /// What it was called then.
    pub slug: Option<Slug>,
    /// More about it, as a JSON object. Values of settings are not in it: there may be secrets among them.
    pub detail: String,
}

impl Deed {
    /// The word for work without a scope.
    pub const UNSCOPED: &str = "unscoped";

    /// The tenant is new.
    pub fn created(tenant: &Tenant) -> Self {
        Self::on("created", tenant, after(&record(tenant)))
    }

    /// The record was one, and is another one now.
    pub fn amended(before: &Tenant, after: &Tenant) -> Self {
        let (old, new) = (record(before), record(after));
        let mut changes = Map::new();
        for (field, value) in &new {
            if old.get(field) != Some(value) {
                changes.insert(field.clone(), json!([old.get(field), value]));
            }
        }
        let differs =
            |path: &&str| path.parse().is_ok_and(|path| before.settings.get(&path) != after.settings.get(&path));
        let paths = before.settings.iter().chain(after.settings.iter()).map(|(path, _)| path.as_str());
        let mut paths: Vec<&str> = paths.filter(differs).collect();
        paths.sort_unstable();
        paths.dedup();
        if !paths.is_empty() {
            changes.insert("settings".to_owned(), json!(paths));
        }
        Self::on("amended", before, Value::Object(changes).to_string())
    }

    /// The record is gone.
    pub fn removed(tenant: &Tenant) -> Self {
        Self::on("removed", tenant, "{}".to_owned())
    }

    /// An operation on the tenant has begun.
    pub fn begun(operation: &Operation) -> Self {
        Self::in_operation("begun", operation)
    }

    /// An operation on the tenant has come to an end.
    pub fn ended(operation: &Operation, outcome: Outcome) -> Self {
        Self::in_operation(outcome.as_str(), operation)
    }

    /// Work was begun without a scope, so many times since then.
    pub fn unscoped(why: &Unscoped, times: u64, since: SystemTime) -> Self {
        let place = why.place().to_string();
        let detail = json!({ "place": place, "reason": why.reason(), "since": millis(since), "times": times });
        Self { verb: Self::UNSCOPED.to_owned(), tenant: why.tenant(), slug: None, detail: detail.to_string() }
    }

    fn in_operation(what: &str, operation: &Operation) -> Self {
        Self {
            verb: format!("{} {what}", operation.verb),
            tenant: Some(operation.tenant),
            slug: Some(operation.slug.clone()),
            detail: json!({ "operation": operation.id.get() }).to_string(),
        }
    }

    fn on(verb: &str, tenant: &Tenant, detail: String) -> Self {
        Self { verb: verb.to_owned(), tenant: Some(tenant.id), slug: Some(tenant.slug.clone()), detail }
    }
}

fn after(record: &Map<String, Value>) -> String {
    Value::Object(record.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect())
        .to_string()
}

/// What of a record is said.
fn record(tenant: &Tenant) -> Map<String, Value> {
    let aliases: Vec<&str> = tenant.aliases.iter().map(Slug::as_str).collect();
    let fields = [
        ("slug", json!(tenant.slug.as_str())),
        ("aliases", if aliases.is_empty() { Value::Null } else { json!(aliases) }),
        ("status", json!(tenant.status.as_str())),
        ("plan", json!(tenant.plan.as_str())),
        ("placement", json!(Placement::as_str(&tenant.placement))),
        ("expires_at", json!(tenant.expires_at.map(millis))),
        ("erase_at", json!(tenant.erase_at.map(millis))),
        ("epoch", if tenant.epoch == 0 { Value::Null } else { json!(tenant.epoch) }),
        ("template", json!(tenant.template.map(TenantId::get))),
        ("trial", if tenant.trial { Value::Bool(true) } else { Value::Null }),
    ];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place, from 1 on, without gaps.
    pub number: i64,
    /// When it was written, to the millisecond.
    pub at: SystemTime,
    /// Who did it.
    pub act: Act,
    /// What was done.
    pub deed: Deed,
    /// What ties it to all entries before.
    pub link: Link,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Amendment, SettingChange, Status};

    #[test]
    fn what_has_changed_is_said_and_no_value_of_a_setting() {
        let acme = Tenant::new(TenantId::new(7), "acme".parse().unwrap());
        assert_eq!(
            Deed::created(&acme).detail,
            r#"{"placement":"shared","plan":"default","slug":"acme","status":"active"}"#
        );
        let amendment = Amendment {
            slug: Some("acme-inc".parse().unwrap()),
            expires_at: Some(Some(SystemTime::UNIX_EPOCH)),
            settings: vec![SettingChange { path: "smtp.password".parse().unwrap(), value: Some("s3cret".into()) }],
            ..Status::Suspended.into()
        };
        let deed = Deed::amended(&acme, &amendment.of(&acme).unwrap());
        assert_eq!(
            deed.detail,
            r#"{"aliases":[null,["acme"]],"expires_at":[null,0],"settings":["smtp.password"],"slug":["acme","acme-inc"],"status":["active","suspended"]}"#
        );
        assert_eq!((deed.tenant, deed.slug, deed.verb.as_str()), (Some(acme.id), Some(acme.slug), "amended"));
    }
}
