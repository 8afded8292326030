//! Local users, as what looks after a tenant's life sees them.

use std::{fmt, sync::Arc};

use tenantry_core::{Amount, BoxFuture, Plane, PlaneError, Tenant, TenantId};

use super::{UserStore, UserStoreError};

/// The local users of all tenants, in this store.
#[derive(Clone)]
pub struct UsersPlane(Arc<dyn UserStore>);

impl UsersPlane {
    /// Those in this store.
    pub fn new(store: Arc<dyn UserStore>) -> Self {
        Self(store)
    }

    /// Counts the users of a tenant, a page at a time, and adds them to another one where one is named.
    async fn walk(&self, of: TenantId, into: Option<TenantId>) -> Result<Amount, UserStoreError> {
        let (mut users, mut after) = (Amount::default(), None);
        loop {
            let page = self.0.list(of, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(users) };
            if let Some(to) = into {
                for user in &page {
                    self.0.add(to, user, u64::MAX).await?;
                }
            }
            users.items += page.len() as u64;
            after = Some(last.name.clone());
        }
    }

    async fn copy_all(&self, from: TenantId, to: TenantId) -> Result<Amount, UserStoreError> {
        self.0.forget(to).await?;
        self.walk(from, Some(to)).await
    }
}

impl fmt::Debug for UsersPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsersPlane").finish_non_exhaustive()
    }
}

impl Plane for UsersPlane {
    fn name(&self) -> &'static str {
        "users"
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.walk(tenant.id, None).await.map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let forgotten = self.0.forget(tenant.id).await;
            forgotten.map(Amount::items).map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    /// User by user: one who is added meanwhile may be in the copy or not.
    fn copy<'a>(&'a self, from: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let copied = self.copy_all(from.id, to.id).await;
            copied.map_err(|error| PlaneError::new(self.name(), to, error))
        })
    }
}

/// How many users are read at a time.
const PAGE: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{LocalUser, MemoryUsers};

    #[tokio::test]
    async fn users_are_copied_and_erased() {
        let store: Arc<dyn UserStore> = Arc::new(MemoryUsers::new());
        let plane = UsersPlane::new(Arc::clone(&store));
        let [acme, copy, other] = [(1, "acme"), (2, "copy"), (3, "other")]
            .map(|(id, slug)| Tenant::new(TenantId::new(id), slug.parse().unwrap()));
        let users = u64::from(PAGE) + 1;
        for number in 0..users {
            store.add(acme.id, &user(&format!("user-{number}")), u64::MAX).await.unwrap();
        }
        store.add(copy.id, &user("former"), u64::MAX).await.unwrap();
        store.add(other.id, &user("user-1"), u64::MAX).await.unwrap();
        assert_eq!(plane.copy(&acme, &copy).await.unwrap(), Amount::items(users));
        assert_eq!(plane.copy(&acme, &copy).await.unwrap(), Amount::items(users), "it can be done again");
        assert_eq!(store.find(copy.id, "user-1").await.unwrap(), Some(user("user-1")));
        assert_eq!(store.find(copy.id, "former").await.unwrap(), None);
        assert_eq!(plane.erase(&copy).await.unwrap(), Amount::items(users));
        assert!(plane.count(&copy).await.unwrap().is_nothing());
        assert_eq!(plane.count(&acme).await.unwrap(), Amount::items(users));
        assert_eq!(plane.count(&other).await.unwrap(), Amount::items(1));
    }

    fn user(name: &str) -> LocalUser {
        LocalUser {
            name: name.to_owned(),
            display_name: String::new(),
            mail: None,
            roles: vec!["member".to_owned()],
            password_hash: "$argon2id$".to_owned(),
        }
    }
}
