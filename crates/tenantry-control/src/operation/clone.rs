//! Create from a template, and clone.

use tenantry_core::{Amendment, NewTenant, Overrides, SettingChange, Slug, Status, Subject, Tenant};

use super::{
    import::Brought,
    procedure::{Intent, Procedure},
    run::Ended,
    step::StepError,
};
use crate::{
    Control, DryRun, Foreseen, VerbError,
    record::{check_plan, ready},
};

impl Control {
    /// Makes a tenant from a template: it begins with what the template has, and its settings follow the template's wherever
    /// it has none of its own. It is not served before all of it is there.
    ///
    /// # Errors
    ///
    /// [`VerbError`]; [`VerbError::Undone`] when a step has failed, and the tenant is gone again.
    pub async fn create_from(&self, template: &Slug, new: NewTenant) -> Result<Ended, VerbError> {
        self.operate(self.creating_from(template, new).await?, &Brought::default()).await
    }

    async fn creating_from(&self, template: &Slug, mut new: NewTenant) -> Result<Intent, VerbError> {
        let template = self.find(template).await?;
        new.template = Some(template.id);
        self.filling(&template, new, false)
    }

    /// Makes a tenant that has what another one has now, its settings included, and goes its own way from there. Secrets among
    /// them are sealed anew, for the new tenant; without [`Control::with_portable`] they are left out, and the log says which.
    ///
    /// # Errors
    ///
    /// As [`Control::create_from`].
    pub async fn clone_tenant(&self, source: &Slug, new: NewTenant) -> Result<Ended, VerbError> {
        self.operate(self.cloning(source, new).await?, &Brought::default()).await
    }

    async fn cloning(&self, source: &Slug, mut new: NewTenant) -> Result<Intent, VerbError> {
        let source = self.find(source).await?;
        new.template = source.template;
        self.filling(&source, new, true)
    }

    fn filling(&self, source: &Tenant, mut new: NewTenant, settings: bool) -> Result<Intent, VerbError> {
        ready(source)?;
        check_plan(self.plans(), &new.plan)?;
        let suspended = new.status == Status::Suspended;
        new.status = Status::Provisioning;
        let procedure =
            Procedure::Clone { source: source.id.get(), planes: self.names_of_planes(), settings, suspended };
        Ok(Intent { subject: Subject::New(Box::new(new)), procedure })
    }

    pub(super) fn names_of_planes(&self) -> Vec<String> {
        self.planes().iter().map(|plane| plane.name().to_owned()).collect()
    }
}

/// What is set for a tenant itself, as another one has it: secrets are sealed for the tenant that has them.
pub(super) fn settings_of(control: &Control, from: &Tenant, to: &Tenant) -> Result<Overrides, StepError> {
    if let Some(settings) = control.portable().and_then(|portable| portable.settings.as_deref()) {
        let copied = settings.copy(from, to);
        return copied.map_err(|source| StepError::Settings { from: from.slug.clone(), source });
    }
    let (secrets, plain): (Vec<_>, Vec<_>) = from.settings.iter().partition(|(_, value)| Overrides::is_sealed(value));
    for (path, _) in secrets {
        tracing::warn!(tenant = %to.slug, from = %from.slug, %path, "without master keys a secret is not copied; set it");
    }
    Ok(plain.into_iter().map(|(path, value)| (path.clone(), value.clone())).collect())
}

/// Gives a tenant these settings, and no others.
pub(super) fn with_settings(tenant: &Tenant, settings: &Overrides) -> Amendment {
    let former = tenant.settings.iter().map(|(path, _)| SettingChange { path: path.clone(), value: None });
    let set = settings.iter().map(|(path, value)| SettingChange { path: path.clone(), value: Some(value.clone()) });
    Amendment { settings: former.chain(set).collect(), ..Amendment::default() }
}

impl DryRun<'_> {
    /// What [`Control::create_from`] would do.
    ///
    /// # Errors
    ///
    /// Its own, as far as they can be known.
    pub async fn create_from(&self, template: &Slug, new: NewTenant) -> Result<Foreseen, VerbError> {
        self.foresee(self.control().creating_from(template, new).await?).await
    }

    /// What [`Control::clone_tenant`] would do.
    ///
    /// # Errors
    ///
    /// Its own, as far as they can be known.
    pub async fn clone_tenant(&self, source: &Slug, new: NewTenant) -> Result<Foreseen, VerbError> {
        self.foresee(self.control().cloning(source, new).await?).await
    }
}
