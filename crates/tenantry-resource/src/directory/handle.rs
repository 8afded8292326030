//! The handle.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use tenantry_core::{Admission, Scope, TenantId};

#[cfg(feature = "ldap")]
use super::ldap::Servers;
use super::{
    error::DirectoryError,
    local::{LocalUsers, check_name, check_password},
    person::Person,
    settings::DirectorySettings,
};
use crate::{
    current,
    settings::{Settings, SettingsError},
};

/// The directory of the tenant whose scope is current: a server that speaks LDAP, or the local users.
///
/// Cloning is cheap, and clones share the connections.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Box<SettingsOf>,
    local: LocalUsers,
    admission: Arc<Admission>,
    #[cfg(feature = "ldap")]
    servers: Servers,
}

// Boxed, so that the application's struct is no part of the type.
type SettingsOf = dyn Fn(&Scope) -> Result<DirectorySettings, SettingsError> + Send + Sync;

impl Directory {
    /// The directories that the tenants' settings name: `section` finds them in the application's struct. Tenants that name
    /// none have their people in `local`.
    ///
    /// At most `servers_max` tenants' servers are connected to at once.
    pub fn new<T, S>(
        settings: Settings<T>,
        section: S,
        local: LocalUsers,
        admission: Arc<Admission>,
        servers_max: usize,
    ) -> Self
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        S: Fn(&T) -> &DirectorySettings + Send + Sync + 'static,
    {
        #[cfg(not(feature = "ldap"))]
        let _ = servers_max;
        let settings = Box::new(move |scope: &Scope| settings.of(scope).map(|settings| section(&settings).clone()));
        let shared = Shared {
            settings,
            local,
            admission,
            #[cfg(feature = "ldap")]
            servers: Servers::new(servers_max),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Whoever has this login name and this password; nobody when there is no such person, or when they have another
    /// password. Which of the two is not to be told by the answer, nor by the time it takes.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] when there is no answer.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Option<Person>, DirectoryError> {
        let (scope, settings) = self.now()?;
        if settings.is_local() {
            return Ok(self.shared.local.of_tenant(scope.tenant()).sign_in(user, password).await?);
        }
        if check_name(user).is_err() || check_password(password).is_err() {
            return Ok(None);
        }
        self.ask(&scope, settings, user, Some(password)).await
    }

    /// Whoever has this login name.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] when there is no answer.
    pub async fn find(&self, user: &str) -> Result<Option<Person>, DirectoryError> {
        let (scope, settings) = self.now()?;
        if settings.is_local() {
            return Ok(self.shared.local.of_tenant(scope.tenant()).find(user).await?);
        }
        if check_name(user).is_err() {
            return Ok(None);
        }
        self.ask(&scope, settings, user, None).await
    }

    /// The local users, for pages that administer them.
    pub fn local(&self) -> &LocalUsers {
        &self.shared.local
    }

    /// Gives up what is kept for a tenant: the connections to its server. Whoever is in a conversation there ends it.
    pub fn evict(&self, tenant: TenantId) {
        #[cfg(feature = "ldap")]
        self.shared.servers.evict(tenant);
        #[cfg(not(feature = "ldap"))]
        let _ = tenant;
    }

    /// The current tenant as it is by now, and what its settings say: a change is not to wait for the next request.
    fn now(&self) -> Result<(Scope, DirectorySettings), DirectoryError> {
        let scope = self.shared.admission.admit_again(&current()?)?;
        let settings = (self.shared.settings)(&scope)?;
        Ok((scope, settings))
    }

    #[cfg(feature = "ldap")]
    async fn ask(
        &self,
        scope: &Scope,
        settings: DirectorySettings,
        user: &str,
        password: Option<&str>,
    ) -> Result<Option<Person>, DirectoryError> {
        self.shared.servers.of(scope, settings)?.ask(user, password).await
    }

    #[cfg(not(feature = "ldap"))]
    #[expect(clippy::unused_async, reason = "as with the feature")]
    async fn ask(
        &self,
        scope: &Scope,
        _settings: DirectorySettings,
        _user: &str,
        _password: Option<&str>,
    ) -> Result<Option<Person>, DirectoryError> {
        let reason = "url names a server, and this build has no LDAP; build with the feature ldap".to_owned();
        Err(DirectoryError::Misconfigured { tenant: scope.slug().clone(), reason })
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("local", &self.shared.local).finish_non_exhaustive()
    }
}
