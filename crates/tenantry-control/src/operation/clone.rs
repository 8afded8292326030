//! Create from a template, and clone.

use tenantry_core::{NewTenant, Slug, Status, Subject, Tenant};

use super::{
    import::Brought,
    procedure::{Intent, Procedure},
    run::Ended,
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
        self.filling(&template, new)
    }

    /// Makes a tenant that has what another one has now, its settings included, and goes its own way from there.
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
        new.settings = source.settings.clone();
        self.filling(&source, new)
    }

    fn filling(&self, source: &Tenant, mut new: NewTenant) -> Result<Intent, VerbError> {
        ready(source)?;
        check_plan(self.plans(), &new.plan)?;
        let suspended = new.status == Status::Suspended;
        new.status = Status::Provisioning;
        let procedure = Procedure::Clone { source: source.id.get(), planes: self.names_of_planes(), suspended };
        Ok(Intent { subject: Subject::New(Box::new(new)), procedure })
    }

    pub(super) fn names_of_planes(&self) -> Vec<String> {
        self.planes().iter().map(|plane| plane.name().to_owned()).collect()
    }
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
