//! From a visitor who asks for a trial to a link into it.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::{Instant, SystemTime},
};

use tenantry_control::VerbError;
use tenantry_core::{Amendment, CatalogError, Code, NewTenant, Refusal, Slug, Status, Tenant};
use thiserror::Error;
use tokio::sync::Notify;

use super::{
    confirm::Asking,
    keeper::Keeper,
    name::{Kind, NoName},
    rates::{Address, Rates},
    room::{Full, Place, Room},
};
use crate::{
    OpenError, Tenancy,
    entrance::{Link, Pass, Visitor, Way},
};

/// Trials for the public, as `[trial]` says. Clones are the same.
#[derive(Clone, Debug)]
pub struct Trials {
    pub(super) shared: Arc<Shared>,
    /// How visitors are asked to confirm an address, where they are.
    pub(super) asking: Option<Asking>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) tenancy: Tenancy,
    pub(super) template: Slug,
    pub(super) rates: Rates,
    pub(super) room: Room,
    pub(super) keeper: OnceLock<Keeper>,
    pub(super) taken: Arc<Notify>,
}

/// A workspace that somebody gets to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Its name.
    pub slug: Slug,
    /// A link into it, which is good once and for a short time.
    pub link: Link,
    /// When it ends.
    pub expires_at: SystemTime,
}

/// The configuration has no template, so that there is nothing to try.
#[derive(Debug, Error)]
#[error("there are no trials: trial.template does not say from which tenant they are made")]
pub struct NoTrials(());

impl Tenancy {
    /// Trials for the public, as `[trial]` says. Call it once, and clone what it gives: each call has limits of its own.
    ///
    /// It makes trials ahead, and marks those that are over as deleting, for as long as it lives; it has to be called within
    /// tokio.
    ///
    /// # Errors
    ///
    /// [`NoTrials`] when `trial.template` is not written.
    pub fn trials(&self) -> Result<Trials, NoTrials> {
        let section = &self.config().trial;
        let template = section.template.clone().ok_or(NoTrials(()))?;
        let shared = Arc::new(Shared {
            template,
            rates: Rates::new(section.per_address, section.per_address_within),
            room: Room::new(section.capacity, Arc::clone(self.mirror())),
            keeper: OnceLock::new(),
            taken: Arc::default(),
            tenancy: self.clone(),
        });
        shared.keeper.set(Keeper::start(&shared)).ok();
        Ok(Trials { shared, asking: None })
    }
}

impl Trials {
    /// Begins a trial for a visitor from this address, for whom it is not known where the connection comes from otherwise. The
    /// visitor comes in as `who`, or as whomever the application chooses.
    ///
    /// `port` is that of the address in which tenants are named by host, where `entrance.address` does not say it.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the address has asked too often, when all places are taken, or when a trial cannot be made. Then there
    /// is none.
    pub async fn start(
        &self,
        client: Option<IpAddr>,
        who: Option<String>,
        port: Option<u16>,
    ) -> Result<Trial, Refusal> {
        let address = Address::from(client);
        self.shared.count(address)?;
        let begun = async { self.begin(self.shared.place()?, who, port).await };
        begun.await.inspect_err(|_| self.shared.rates.give_back(address))
    }

    /// Begins a trial in this place. It is brought to an end also when nobody waits for it any more, so that nothing is left
    /// half made.
    #[expect(clippy::disallowed_methods, reason = "a tenant is made by the deployment, for no tenant's request")]
    pub(super) async fn begin(&self, place: Place, who: Option<String>, port: Option<u16>) -> Result<Trial, Refusal> {
        let shared = Arc::clone(&self.shared);
        let begun = tokio::spawn(async move { shared.begin(&place, who, port).await }).await;
        begun.unwrap_or_else(|error| Err(unavailable(error.to_string())))
    }
}

impl Shared {
    /// Counts that an address asks.
    pub(super) fn count(&self, address: Address) -> Result<(), Refusal> {
        let counted = self.rates.take(address, Instant::now());
        counted.map_err(|wait| Refusal::new(Code::TrialRateLimited).retry_after(wait))
    }

    /// A place for a trial, with a name for it.
    pub(super) fn place(&self) -> Result<Place, Refusal> {
        let name = Kind::Trial.name().map_err(|error| unavailable(error.to_string()))?;
        self.room.place(name).map_err(full)
    }

    async fn begin(&self, place: &Place, who: Option<String>, port: Option<u16>) -> Result<Trial, Refusal> {
        let tenancy = &self.tenancy;
        let address = tenancy.config().address_of(&place.slug, port);
        let address = address.ok_or_else(|| unavailable("nobody knows where tenants are: write entrance.address"))?;
        let pass =
            Pass::new(Visitor::new(Way::Trial, who, "a trial")).map_err(|error| unavailable(error.to_string()))?;
        let expires_at = SystemTime::now() + tenancy.config().trial.ttl;
        let tenant = match self.take(place, expires_at).await? {
            Some(tenant) => tenant,
            None => self.make(place, expires_at).await?,
        };
        // Before the place is given up, this process knows the trial.
        tenancy.refresh().await.map_err(|error| unavailable(error.to_string()))?;
        let scope = tenancy.admission().admit_id(tenant.id)?;
        let link = tenancy.config().link(&tenancy.keys(), &scope, &address, &pass)?;
        tracing::info!(tenant = %tenant.slug, "a trial has begun");
        Ok(Trial { slug: tenant.slug, link, expires_at: tenant.expires_at.unwrap_or(expires_at) })
    }

    /// One that was made ahead, if there is one. Of all who want the same, in whichever process, one gets it.
    async fn take(&self, place: &Place, expires_at: SystemTime) -> Result<Option<Tenant>, Refusal> {
        for warm in self.warm() {
            let given = Amendment {
                status: Some(Status::Active),
                slug: Some(place.slug.clone()),
                aliases_removed: vec![warm.slug.clone()],
                expires_at: Some(Some(expires_at)),
                ..Amendment::default()
            };
            match self.tenancy.catalog().amend(warm.id, &given, Some(warm.revision)).await {
                Ok(tenant) => {
                    self.taken.notify_one();
                    return Ok(Some(tenant));
                }
                // Another process was faster, or it is gone.
                Err(CatalogError::Changed { .. } | CatalogError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    async fn make(&self, place: &Place, expires_at: SystemTime) -> Result<Tenant, Refusal> {
        let mut new = self.new_tenant(place.slug.clone());
        new.expires_at = Some(expires_at);
        self.create(new).await.map_err(|error| match error {
            MakeError::Catalog(error) | MakeError::Verb(VerbError::Catalog(error)) => error.into(),
            other => unavailable(tenantry_control::with_causes(&other)),
        })
    }

    /// A tenant as trials are, of this name.
    pub(super) fn new_tenant(&self, slug: Slug) -> NewTenant {
        let mut new = NewTenant::new(slug);
        new.plan = self.tenancy.config().trial.plan.clone();
        new.trial = true;
        new
    }

    /// Makes a tenant from the template.
    pub(super) async fn create(&self, mut new: NewTenant) -> Result<Tenant, MakeError> {
        let template = self.tenancy.catalog().by_slug(&self.template).await?;
        new.placement = template.ok_or_else(|| VerbError::Unknown { tenant: self.template.clone() })?.placement;
        let slug = new.slug.clone();
        let ended = self.tenancy.kept_control().await?.create_from(&self.template, new).await?;
        Ok(ended.tenant.ok_or(VerbError::Unknown { tenant: slug })?)
    }
}

/// Why no tenant was made.
#[derive(Debug, Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Name(#[from] NoName),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Verb(#[from] VerbError),
}

pub(super) fn full(Full(wait): Full) -> Refusal {
    Refusal::new(Code::TrialsFull).retry_after(wait)
}

pub(super) fn unavailable(why: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Code::TrialUnavailable).because(why)
}
