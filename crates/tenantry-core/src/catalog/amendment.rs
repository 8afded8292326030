//! A change of a tenant's record.

use std::time::SystemTime;

use crate::{OverridesTooLarge, Placement, PlanName, SettingChange, Slug, Status, Tenant, TenantId};

/// What is to change of a tenant's record, all of it or nothing. What is nothing here stays as it is.
///
/// ```
/// use tenantry_core::{Amendment, Tenant, TenantId};
///
/// let acme = Tenant::new(TenantId::new(1), "acme".parse()?);
/// let renamed = Amendment { slug: Some("acme-inc".parse()?), ..Amendment::default() }.of(&acme)?;
/// assert_eq!(renamed.slug.as_str(), "acme-inc");
/// assert_eq!(renamed.aliases, [acme.slug], "links with the former name still work");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Amendment {
    /// Whether it may be served.
    pub status: Option<Status>,
    /// The public name. The former one becomes an alias.
    pub slug: Option<Slug>,
    /// Further public names.
    pub aliases_added: Vec<Slug>,
    /// Names that are free again; those that are no aliases of the tenant are left alone.
    pub aliases_removed: Vec<Slug>,
    /// The name of the plan.
    pub plan: Option<PlanName>,
    /// Where its rows live. Whoever calls has seen to it that they are there.
    pub placement: Option<Placement>,
    /// When its time is up; never, if that is what it is to be.
    pub expires_at: Option<Option<SystemTime>>,
    /// From when on what it has may be erased; never, if that is what it is to be.
    pub erase_at: Option<Option<SystemTime>>,
    /// Whether it begins anew, which its epoch counts.
    pub new_epoch: bool,
    /// What is set for it. Whoever calls has seen that the values are ones that the application accepts.
    pub settings: Vec<SettingChange>,
    /// The tenant whose settings are this one's where it has none of its own; none, if that is what it is to be.
    pub template: Option<Option<TenantId>>,
    /// Whether somebody is only trying it.
    pub trial: Option<bool>,
}

impl Amendment {
    /// The record after the change, but for its revision.
    ///
    /// # Errors
    ///
    /// When more would be set for the tenant than may be.
    pub fn of(&self, tenant: &Tenant) -> Result<Tenant, OverridesTooLarge> {
        let mut amended = tenant.clone();
        self.rename(&mut amended);
        amended.status = self.status.unwrap_or(amended.status);
        if let Some(plan) = &self.plan {
            amended.plan = plan.clone();
        }
        if let Some(placement) = &self.placement {
            amended.placement = placement.clone();
        }
        amended.expires_at = self.expires_at.unwrap_or(amended.expires_at);
        amended.erase_at = self.erase_at.unwrap_or(amended.erase_at);
        amended.epoch = amended.epoch.saturating_add(u32::from(self.new_epoch));
        amended.template = self.template.unwrap_or(amended.template);
        amended.trial = self.trial.unwrap_or(amended.trial);
        if !self.settings.is_empty() {
            amended.settings = amended.settings.with(&self.settings)?;
        }
        Ok(amended)
    }

    fn rename(&self, tenant: &mut Tenant) {
        if let Some(slug) = &self.slug
            && *slug != tenant.slug
        {
            let former = std::mem::replace(&mut tenant.slug, slug.clone());
            tenant.aliases.insert(0, former);
        }
        tenant.aliases.extend(self.aliases_added.iter().cloned());
        tenant.aliases.retain(|alias| !self.aliases_removed.contains(alias));
        let mut seen = vec![tenant.slug.clone()];
        tenant.aliases.retain(|alias| {
            let first = !seen.contains(alias);
            seen.push(alias.clone());
            first
        });
    }
}

impl From<Status> for Amendment {
    fn from(status: Status) -> Self {
        Self { status: Some(status), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    fn names(slug: Option<&str>, added: &[&str], removed: &[&str]) -> Vec<String> {
        let mut tenant = Tenant::new(TenantId::new(1), self::slug("acme"));
        tenant.aliases = vec![self::slug("old"), self::slug("older")];
        let amendment = Amendment {
            slug: slug.map(self::slug),
            aliases_added: added.iter().map(|name| self::slug(name)).collect(),
            aliases_removed: removed.iter().map(|name| self::slug(name)).collect(),
            ..Amendment::default()
        };
        let amended = amendment.of(&tenant).unwrap();
        std::iter::once(&amended.slug).chain(&amended.aliases).map(Slug::to_string).collect()
    }

    #[test]
    fn a_name_is_kept_until_it_is_removed() {
        assert_eq!(names(None, &[], &[]), ["acme", "old", "older"]);
        assert_eq!(names(Some("new"), &[], &[]), ["new", "acme", "old", "older"]);
        assert_eq!(names(Some("acme"), &[], &[]), ["acme", "old", "older"]);
        assert_eq!(names(Some("older"), &[], &[]), ["older", "acme", "old"], "an alias becomes the name");
        assert_eq!(names(Some("new"), &["x", "new", "x"], &["acme", "nobody"]), ["new", "old", "older", "x"]);
        assert_eq!(names(None, &[], &["acme"]), ["acme", "old", "older"], "the name itself stays");
    }

    #[test]
    fn what_is_not_named_stays() {
        let tenant = Tenant::new(TenantId::new(1), slug("acme"));
        assert_eq!(Amendment::default().of(&tenant).unwrap(), tenant);
        let end = SystemTime::UNIX_EPOCH;
        let amendment = Amendment {
            status: Some(Status::Suspended),
            plan: Some("gold".parse().unwrap()),
            placement: Some(Placement::Dedicated),
            expires_at: Some(Some(end)),
            template: Some(Some(TenantId::new(2))),
            settings: vec![SettingChange { path: "a".parse().unwrap(), value: Some(1.into()) }],
            ..Amendment::default()
        };
        let amended = amendment.of(&tenant).unwrap();
        assert_eq!((amended.status, amended.plan.as_str()), (Status::Suspended, "gold"));
        assert_eq!((&amended.placement, amended.expires_at), (&Placement::Dedicated, Some(end)));
        assert_eq!((amended.template, amended.settings.to_json().as_str()), (Some(TenantId::new(2)), r#"{"a":1}"#));
        let back = Amendment { expires_at: Some(None), template: Some(None), ..Amendment::default() };
        let back = back.of(&amended).unwrap();
        assert_eq!((back.expires_at, back.template, back.status), (None, None, Status::Suspended));
    }
}
