//! A link: how one is made, and what is in it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use tenantry_core::{Act, Admission, CatalogError, Mirror, Refusal, Scope, Slug};
use tenantry_resource::{Keys, NoScope, Purpose, TokenError, within_sync};
use thiserror::Error;

use super::visitor::{Visitor, Way};
use crate::{CatalogStore, OpenError, config::Config};

/// A link that lets whoever has it into a tenant, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The whole of it; only its path, or without a scheme, where the configuration says no more (`entrance.address`).
    pub url: String,
    /// Until when it is good.
    pub valid_until: SystemTime,
}

/// Why there is no link into a tenant.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImpersonateError {
    /// The catalog does not answer. Without an entry in its log there is no link.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The keys of the deployment cannot be used.
    #[error(transparent)]
    Keys(#[from] OpenError),
    /// Nobody knows where the tenant is: only headers or tokens name tenants.
    #[error("the configuration does not say where tenants are: write entrance.address")]
    NoAddress,
    /// The reason that was given says nothing.
    #[error("nobody gets into {tenant} without a reason, which the audit log keeps")]
    NoReason {
        /// The name that was given.
        tenant: Slug,
    },
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
    /// The tenant is not served.
    #[error("{0}")]
    Refused(Refusal),
    /// There is no such tenant.
    #[error("no tenant is called {tenant}")]
    Unknown {
        /// The name that was given.
        tenant: Slug,
    },
}

impl Config {
    /// A link into a tenant for whoever has to see what is seen there, as `who` or as whomever the application chooses. It is in
    /// the audit log before it is given: who has asked for it, from where and why.
    ///
    /// # Errors
    ///
    /// [`ImpersonateError`]; then there is no link.
    pub async fn impersonate(
        &self,
        catalog: &CatalogStore,
        tenant: &Slug,
        who: Option<&str>,
        act: &Act,
    ) -> Result<Link, ImpersonateError> {
        if act.why.as_ref().is_none_or(|why| why.trim().is_empty()) {
            return Err(ImpersonateError::NoReason { tenant: tenant.clone() });
        }
        let tenant =
            catalog.by_slug(tenant).await?.ok_or_else(|| ImpersonateError::Unknown { tenant: tenant.clone() })?;
        let address = self.address_of(&tenant.slug, None).ok_or(ImpersonateError::NoAddress)?;
        let keys = Keys::new(self.master_keys()?);
        let id = tenant.id;
        let mirror = Arc::new(Mirror::from_iter([tenant]));
        let plans = self.plans().map_err(OpenError::from)?;
        let scope = Admission::new(mirror, plans).admit_id(id).map_err(ImpersonateError::Refused)?;
        let pass = Pass::new(Visitor::new(Way::Impersonation, who.map(str::to_owned), act.who.clone()))?;
        catalog.audit().note(act, &pass.visitor.offered(scope.tenant(), &pass.id)).await?;
        // There is a scope, so that it can be signed.
        self.link(&keys, &scope, &address, &pass).map_err(|error| ImpersonateError::Refused(error.into()))
    }

    /// A link into the tenant of a scope, at this address.
    pub(crate) fn link(&self, keys: &Keys, scope: &Scope, address: &str, pass: &Pass) -> Result<Link, NoScope> {
        let valid_for = self.entrance.valid_for;
        let ticket = within_sync(scope.clone(), || keys.sign(PURPOSE, &pass.to_bytes(), valid_for))?;
        let url = format!("{address}{}?{PARAMETER}={ticket}", self.entrance.path);
        Ok(Link { url, valid_until: SystemTime::now() + valid_for })
    }
}

/// What is in a link: a number that nobody can guess, by which it is known when it is used, and for whom it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    #[serde(rename = "i")]
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) visitor: Visitor,
}

impl Pass {
    pub(crate) fn new(visitor: Visitor) -> Result<Self, getrandom::Error> {
        let (one, other) = (getrandom::u64()?, getrandom::u64()?);
        Ok(Self { id: format!("{one:016x}{other:016x}"), visitor })
    }

    fn to_bytes(&self) -> Vec<u8> {
        // Texts and words: there is nothing that cannot be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What is in a link that was presented at the tenant whose scope is current.
    pub(super) fn read(keys: &Keys, query: &str) -> Result<Self, TokenError> {
        let ticket = query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='));
        let ticket = ticket.filter(|ticket| ticket.len() <= TICKET_BYTES_MAX).ok_or(TokenError::NotOurs)?;
        serde_json::from_slice(&keys.verify(PURPOSE, ticket)?).map_err(|_| TokenError::NotOurs)
    }
}

/// How long after it was presented nobody accepts a link any more, whenever it was made.
pub(super) fn over(valid_for: Duration) -> SystemTime {
    SystemTime::now() + valid_for
}

const PURPOSE: Purpose = Purpose::new("tenantry entrance");

/// Where in the query the ticket is.
const PARAMETER: &str = "ticket";

/// More than any that was made here.
const TICKET_BYTES_MAX: usize = 4096;
