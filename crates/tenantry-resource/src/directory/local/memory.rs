//! A store that ends with the process.

use std::{
    collections::BTreeMap,
    fmt, future,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tenantry_core::{BoxFuture, TenantId};

use super::store::{Added, LocalUser, UserChange, UserStore, UserStoreError};

/// Users in memory, for tests and trials.
#[derive(Default)]
pub struct MemoryUsers(Mutex<Users>);

type Users = BTreeMap<TenantId, BTreeMap<String, LocalUser>>;

impl MemoryUsers {
    /// A store without users.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Users> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UserStore for MemoryUsers {
    fn find<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<Option<LocalUser>, UserStoreError>> {
        ready(self.lock().get(&tenant).and_then(|users| users.get(name)).cloned())
    }

    fn add<'a>(
        &'a self,
        tenant: TenantId,
        user: &'a LocalUser,
        users_max: u64,
    ) -> BoxFuture<'a, Result<Added, UserStoreError>> {
        let mut all = self.lock();
        let users = all.entry(tenant).or_default();
        ready(if users.contains_key(&user.name) {
            Added::Exists
        } else if u64::try_from(users.len()).unwrap_or(u64::MAX) >= users_max {
            Added::Full
        } else {
            users.insert(user.name.clone(), user.clone());
            Added::Added
        })
    }

    fn change<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        change: &'a UserChange,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        let mut all = self.lock();
        let Some(user) = all.get_mut(&tenant).and_then(|users| users.get_mut(name)) else { return ready(false) };
        let UserChange { display_name, mail, roles, password_hash } = change.clone();
        put(&mut user.display_name, display_name);
        put(&mut user.mail, mail);
        put(&mut user.roles, roles);
        put(&mut user.password_hash, password_hash);
        ready(true)
    }

    fn rehash<'a>(
        &'a self,
        tenant: TenantId,
        name: &'a str,
        old: &'a str,
        new: &'a str,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        let mut all = self.lock();
        let user = all.get_mut(&tenant).and_then(|users| users.get_mut(name));
        let user = user.filter(|user| user.password_hash == old);
        ready(user.map(|user| new.clone_into(&mut user.password_hash)).is_some())
    }

    fn remove<'a>(&'a self, tenant: TenantId, name: &'a str) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        ready(self.lock().get_mut(&tenant).and_then(|users| users.remove(name)).is_some())
    }

    fn list<'a>(
        &'a self,
        tenant: TenantId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<LocalUser>, UserStoreError>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let all = self.lock();
        let users = all.get(&tenant).into_iter().flat_map(|users| users.range::<str, _>((from, Bound::Unbounded)));
        ready(users.take(limit).map(|(_, user)| user.clone()).collect())
    }

    fn forget(&self, tenant: TenantId) -> BoxFuture<'_, Result<u64, UserStoreError>> {
        let users = self.lock().remove(&tenant).unwrap_or_default();
        ready(u64::try_from(users.len()).unwrap_or(u64::MAX))
    }
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, UserStoreError>> {
    Box::pin(future::ready(Ok(value)))
}

impl fmt::Debug for MemoryUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryUsers").finish_non_exhaustive()
    }
}
