//! What any store of local users must be able to do.

use std::{error::Error, fmt};

use tenantry_core::{BoxFuture, TenantId};
use thiserror::Error;

/// A store of users, which several processes may share. `tenantry-sqlx` has a durable one.
///
/// What an implementation promises: each change takes effect whole or not at all, and names are compared byte for byte.
pub trait UserStore: Send + Sync + 'static {
    /// The user of the tenant with this login name.
    fn find<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<Option<LocalUser>, UserStoreError>>;

    /// Adds a user, unless the tenant has one of this name, or `users_max` users.
    fn add<'a>(
        &'a self,
        tenant: TenantId,
        user: &'a LocalUser,
        users_max: u64,
    ) -> BoxFuture<'a, Result<Added, UserStoreError>>;

    /// Changes a user, and says whether there was one.
    fn change<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        change: &'a UserChange,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>>;

    /// Puts a hash in the place of `old`, and says whether that was still the user's.
    fn rehash<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        old: &'a str,
        new: &'a str,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>>;

    /// Removes a user, and says whether there was one.
    fn remove<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<bool, UserStoreError>>;

    /// At most `limit` users of the tenant, in the order of their names' bytes, those behind `after`.
    fn list<'a>(
        &'a self,
        tenant: TenantId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<LocalUser>, UserStoreError>>;

    /// Drops all users of a tenant, and says how many it had.
    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UserStoreError>>;
}

/// A user as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalUser {
    /// The login name.
    pub name: String,
    /// How they want to be called; the login name where it is empty.
    pub display_name: String,
    /// Where mail reaches them.
    pub mail: Option<String>,
    /// What they may do.
    pub roles: Vec<String>,
    /// The password, as argon2id in the form `$argon2id$v=19$…`.
    pub password_hash: String,
}

/// The hash is not for logs, and nor is the address.
impl fmt::Debug for LocalUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUser").field("name", &self.name).field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// What is to be different about a user. What is `None` stays.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// How they want to be called.
    pub display_name: Option<String>,
    /// Where mail reaches them; `Some(None)` is nowhere.
    pub mail: Option<Option<String>>,
    /// What they may do.
    pub roles: Option<Vec<String>>,
    /// The password, as argon2id.
    pub password_hash: Option<String>,
}

impl fmt::Debug for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserChange").field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// What became of [`UserStore::add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The user is there now.
    Added,
    /// There was one of this name.
    Exists,
    /// The tenant has as many as it may.
    Full,
}

/// The store of users does not do what was asked. Nothing has changed.
#[derive(Debug, Error)]
#[error("the users are not available ({place})")]
pub struct UserStoreError {
    /// Where the users are, without passwords.
    pub place: String,
    /// Why not.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}
