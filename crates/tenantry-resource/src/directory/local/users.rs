//! Signing in local users, and saying who there is.

use std::{fmt, sync::Arc};

use tenantry_core::{Slug, Tenant, TenantId, Unscoped};

use super::{
    error::LocalUserError,
    hashing::{Checked, Hashing, LocalOptions},
    store::{Added, LocalUser, UserChange, UserStore, UserStoreError},
};
use crate::{current, directory::Person};

/// The local users of all tenants. Cloning is cheap, and clones are the same.
///
/// A login name is compared byte for byte: `Ann` and `ann` are two, and so are `é` in one and in two code points.
#[derive(Clone)]
pub struct LocalUsers {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn UserStore>,
    hashing: Hashing,
    users_max: u64,
}

impl LocalUsers {
    /// Users that are kept by `store`.
    ///
    /// # Errors
    ///
    /// When argon2 cannot work with the parameters.
    pub fn new(store: Arc<dyn UserStore>, options: LocalOptions) -> Result<Self, LocalUserError> {
        let shared = Shared { store, hashing: Hashing::new(options)?, users_max: options.users_max };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The users of the tenant that the running task works for.
    ///
    /// # Errors
    ///
    /// [`LocalUserError::NoScope`] outside any scope.
    pub fn current(&self) -> Result<TenantUsers, LocalUserError> {
        let scope = current()?;
        Ok(self.of_tenant(scope.tenant()))
    }

    /// The users of a tenant that may not be served, for an administrator.
    pub fn of(&self, tenant: &Tenant, _why: Unscoped) -> TenantUsers {
        self.of_tenant(tenant)
    }

    /// Drops all users of a tenant that is gone, and says how many it had.
    ///
    /// # Errors
    ///
    /// When the store is away.
    pub async fn forget(&self, tenant: TenantId, _why: Unscoped) -> Result<u64, UserStoreError> {
        self.shared.store.forget(tenant).await
    }

    pub(in crate::directory) fn of_tenant(&self, tenant: &Tenant) -> TenantUsers {
        TenantUsers { shared: Arc::clone(&self.shared), tenant: tenant.id, slug: tenant.slug.clone() }
    }
}

/// The local users of one tenant. Kept no longer than the request.
#[derive(Clone)]
pub struct TenantUsers {
    shared: Arc<Shared>,
    tenant: TenantId,
    slug: Slug,
}

impl TenantUsers {
    /// Adds a user who signs in with this password.
    ///
    /// # Errors
    ///
    /// When there is one already, when the tenant has as many as it may, and when name or password can be none.
    pub async fn add(&self, person: Person, password: &str) -> Result<(), LocalUserError> {
        let Person { name, display_name, mail, roles } = person;
        check_name(&name)?;
        check_details(&display_name, mail.as_deref())?;
        let password_hash = self.hash(password).await?;
        let user = LocalUser { name, display_name, mail, roles: tidy(roles), password_hash };
        let (tenant, max) = (self.slug.clone(), self.shared.users_max);
        match self.shared.store.add(self.tenant, &user, max).await? {
            Added::Added => Ok(()),
            Added::Exists => Err(LocalUserError::Exists { tenant, name: user.name }),
            Added::Full => Err(LocalUserError::Full { tenant, max }),
        }
    }

    /// Gives a user another password.
    ///
    /// # Errors
    ///
    /// When there is no such user, and when it can be no password.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<(), LocalUserError> {
        let change = UserChange { password_hash: Some(self.hash(password).await?), ..UserChange::default() };
        self.change(name, &change).await
    }

    /// Gives a user other roles.
    ///
    /// # Errors
    ///
    /// When there is no such user.
    pub async fn set_roles(&self, name: &str, roles: Vec<String>) -> Result<(), LocalUserError> {
        self.change(name, &UserChange { roles: Some(tidy(roles)), ..UserChange::default() }).await
    }

    /// Removes a user.
    ///
    /// # Errors
    ///
    /// When there is no such user.
    pub async fn remove(&self, name: &str) -> Result<(), LocalUserError> {
        self.there(name, self.shared.store.remove(self.tenant, name).await?)
    }

    /// At most `limit` users in the order of their names, those behind `after`.
    ///
    /// # Errors
    ///
    /// When the store is away.
    pub async fn list(&self, after: Option<&str>, limit: u32) -> Result<Vec<Person>, LocalUserError> {
        let users = self.shared.store.list(self.tenant, after, limit).await?;
        Ok(users.into_iter().map(person).collect())
    }

    /// The user with this login name.
    ///
    /// # Errors
    ///
    /// When the store is away.
    pub async fn find(&self, name: &str) -> Result<Option<Person>, LocalUserError> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        Ok(self.shared.store.find(self.tenant, name).await?.map(person))
    }

    /// The user with this login name and this password. It takes as long when there is no such user.
    ///
    /// # Errors
    ///
    /// When the store is away, and when too many sign in at once.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<Option<Person>, LocalUserError> {
        if check_name(name).is_err() || check_password(password).is_err() {
            return Ok(None);
        }
        let Shared { store, hashing, .. } = &*self.shared;
        let user = store.find(self.tenant, name).await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let (Checked::Right { renewed }, Some(user)) = (hashing.check(&self.slug, stored, password).await?, user)
        else {
            return Ok(None);
        };
        if let Some(renewed) = renewed {
            // Whoever has changed the password in the meantime is right; and who cannot be written to may still sign in.
            let renewed = store.rehash(self.tenant, name, &user.password_hash, &renewed).await;
            if let Err(error) = renewed {
                tracing::warn!(tenant.slug = %self.slug, error = &error as &dyn std::error::Error, "no new hash was stored");
            }
        }
        Ok(Some(person(user)))
    }

    async fn hash(&self, password: &str) -> Result<String, LocalUserError> {
        check_password(password)?;
        self.shared.hashing.hash(&self.slug, password).await
    }

    async fn change(&self, name: &str, change: &UserChange) -> Result<(), LocalUserError> {
        self.there(name, self.shared.store.change(self.tenant, name, change).await?)
    }

    fn there(&self, name: &str, there: bool) -> Result<(), LocalUserError> {
        let unknown = || LocalUserError::Unknown { tenant: self.slug.clone(), name: name.to_owned() };
        there.then_some(()).ok_or_else(unknown)
    }
}

/// Whether it can be a login name, here or in any directory.
pub(in crate::directory) fn check_name(name: &str) -> Result<(), LocalUserError> {
    let fits = (1..=NAME_MAX).contains(&name.len()) && name.trim() == name && !name.chars().any(char::is_control);
    fits.then_some(()).ok_or(LocalUserError::NameRefused { max: NAME_MAX })
}

/// Whether they can be shown, and put into the head of a mail.
fn check_details(display_name: &str, mail: Option<&str>) -> Result<(), LocalUserError> {
    let details = [("the name to be shown", Some(display_name)), ("the mail address", mail)];
    let wrong = details.iter().find(|(_, text)| text.is_some_and(|text| text.chars().any(char::is_control)));
    wrong.map_or(Ok(()), |(what, _)| Err(LocalUserError::DetailRefused { what }))
}

/// Whether it can be a password. An empty one signs in nobody: many servers take it for a wish to be nobody (RFC 4513 §5.1.2).
pub(in crate::directory) fn check_password(password: &str) -> Result<(), LocalUserError> {
    let fits = (1..=PASSWORD_MAX).contains(&password.len());
    fits.then_some(()).ok_or(LocalUserError::PasswordRefused { max: PASSWORD_MAX })
}

fn person(user: LocalUser) -> Person {
    let display_name = if user.display_name.is_empty() { user.name.clone() } else { user.display_name };
    Person { name: user.name, display_name, mail: user.mail, roles: user.roles }
}

fn tidy(mut roles: Vec<String>) -> Vec<String> {
    roles.sort();
    roles.dedup();
    roles
}

/// Bytes of a login name.
const NAME_MAX: usize = 256;

/// Bytes of a password: a long one costs time before anybody is known.
const PASSWORD_MAX: usize = 1024;

impl fmt::Debug for LocalUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUsers").field("users_max", &self.shared.users_max).finish_non_exhaustive()
    }
}

impl fmt::Debug for TenantUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantUsers").field("tenant", &self.slug).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::MemoryUsers;

    #[tokio::test]
    async fn nobody_is_shown_by_a_name_that_would_be_two_lines() {
        let options = LocalOptions { hash_memory_kib: 8, ..LocalOptions::default() };
        let users = LocalUsers::new(Arc::new(MemoryUsers::new()), options).unwrap();
        let (tenant, slug) = (TenantId::new(1), "acme".parse().unwrap());
        let users = TenantUsers { shared: users.shared, tenant, slug };
        for (display_name, mail, wrong) in [
            ("Ann\0", None, "the name to be shown"),
            ("Ann", Some("ann@acme.test\r\nBcc: all@acme.test"), "the mail address"),
        ] {
            let mut ann = Person::new("ann");
            ann.display_name = display_name.to_owned();
            ann.mail = mail.map(str::to_owned);
            let refused = users.add(ann, "hush").await.unwrap_err().to_string();
            assert_eq!(refused, format!("{wrong} has a control character in it"));
        }
        assert_eq!(users.list(None, 10).await.unwrap(), []);
    }
}
