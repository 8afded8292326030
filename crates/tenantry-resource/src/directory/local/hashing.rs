//! Passwords as argon2id, a few at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{ParamsString, SaltString},
};
use tenantry_core::Slug;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::error::LocalUserError;

/// Limits of local users, and how dear a password is. The knobs are `directory.<name>` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalOptions {
    /// How much memory it takes to hash a password, in KiB. Default 19456, as OWASP recommends with the next two.
    pub hash_memory_kib: u32,
    /// How often that memory is gone over. Default 2.
    pub hash_passes: u32,
    /// How many parts of it could be gone over at once. Default 1.
    pub hash_lanes: u32,
    /// How many passwords are hashed at once, of all tenants. Default 2.
    pub hashes_max: u32,
    /// How many of one tenant's may be hashed or wait at once, so that it leaves places to the others. Default 32.
    pub tenant_hashes_max: u32,
    /// How many may wait for that, of all tenants. Default 256.
    pub hash_waiters_max: u32,
    /// How long they may wait. Default 5 seconds.
    pub hash_timeout: Duration,
    /// How many users a tenant may have. Default 100,000.
    pub users_max: u64,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            hash_memory_kib: Params::DEFAULT_M_COST,
            hash_passes: Params::DEFAULT_T_COST,
            hash_lanes: Params::DEFAULT_P_COST,
            hashes_max: 2,
            tenant_hashes_max: 32,
            hash_waiters_max: 256,
            hash_timeout: Duration::from_secs(5),
            users_max: 100_000,
        }
    }
}

/// Hashes passwords, in threads that may take their time.
#[derive(Debug)]
pub(super) struct Hashing {
    options: LocalOptions,
    params: Params,
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    admitted: Arc<Semaphore>,
    /// How many of those are each tenant's.
    tenants: Arc<Tenants>,
}

type Tenants = Mutex<HashMap<Slug, u32>>;

/// Leave to hash one password.
struct Permits {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
    _share: Share,
}

/// One of the places that a tenant may have.
struct Share {
    tenants: Arc<Tenants>,
    tenant: Slug,
}

impl Share {
    /// A place for this tenant, unless it has as many as it may.
    fn take(tenants: &Arc<Tenants>, tenant: &Slug, max: u32) -> Option<Self> {
        let mut counts = tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = counts.get(tenant).copied().unwrap_or(0);
        if taken >= max {
            return None;
        }
        counts.insert(tenant.clone(), taken + 1);
        Some(Self { tenants: Arc::clone(tenants), tenant: tenant.clone() })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = counts.get_mut(&self.tenant) {
            *taken -= 1;
            if *taken == 0 {
                counts.remove(&self.tenant);
            }
        }
    }
}

/// What became of a check.
pub(super) enum Checked {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right {
        /// The same password in a hash of today's parameters, where the stored one is of others.
        renewed: Option<String>,
    },
}

impl Hashing {
    pub(super) fn new(options: LocalOptions) -> Result<Self, LocalUserError> {
        let LocalOptions { hash_memory_kib, hash_passes, hash_lanes, hashes_max, hash_waiters_max, .. } = options;
        let params = Params::new(hash_memory_kib, hash_passes, hash_lanes, None).map_err(unusable)?;
        let permits = |count: u32| Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS)));
        let running = permits(hashes_max.max(1));
        let admitted = permits(hashes_max.max(1).saturating_add(hash_waiters_max));
        Ok(Self { options, params, running, admitted, tenants: Arc::default() })
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, tenant: &Slug, password: &str) -> Result<String, LocalUserError> {
        let (params, password) = (self.params.clone(), Zeroizing::new(password.to_owned()));
        self.run(tenant, move || hashed(&params, &password)).await?
    }

    /// Compares a password with a hash. Without one, it takes as long and is wrong.
    pub(super) async fn check(
        &self,
        tenant: &Slug,
        stored: Option<String>,
        password: &str,
    ) -> Result<Checked, LocalUserError> {
        let (params, password) = (self.params.clone(), Zeroizing::new(password.to_owned()));
        self.run(tenant, move || checked(&params, stored.as_deref(), &password)).await?
    }

    #[expect(clippy::disallowed_methods, reason = "a hash is the same for every tenant")]
    async fn run<R: Send + 'static>(
        &self,
        tenant: &Slug,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, LocalUserError> {
        let permits = self.permits(tenant).await?;
        let work = tokio::task::spawn_blocking(move || {
            // Held by the work itself: it goes on when nobody waits for it any more.
            let _permits = permits;
            work()
        });
        work.await.map_err(unusable)
    }

    async fn permits(&self, tenant: &Slug) -> Result<Permits, LocalUserError> {
        let LocalOptions { tenant_hashes_max, hash_waiters_max, hash_timeout, .. } = self.options;
        let busy = |limit, max| LocalUserError::Busy { tenant: tenant.clone(), limit, max };
        let greedy = || busy("directory.tenant_hashes_max", tenant_hashes_max.into());
        let share = Share::take(&self.tenants, tenant, tenant_hashes_max.max(1)).ok_or_else(greedy)?;
        let full = || busy("directory.hash_waiters_max", hash_waiters_max.into());
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| full())?;
        let running = tokio::time::timeout(hash_timeout, Arc::clone(&self.running).acquire_owned()).await;
        let late = || busy("directory.hashes_max", self.options.hashes_max.into());
        Ok(Permits { _running: running.map_err(|_| late())?.map_err(unusable)?, _admitted: admitted, _share: share })
    }
}

fn hashed(params: &Params, password: &str) -> Result<String, LocalUserError> {
    let mut salt = [0; SALT_LEN];
    crate::keys::fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(unusable)?;
    Ok(argon2(params).hash_password(password.as_bytes(), &salt).map_err(unusable)?.to_string())
}

fn checked(params: &Params, stored: Option<&str>, password: &str) -> Result<Checked, LocalUserError> {
    let Some(stored) = stored else {
        hashed(params, password)?;
        return Ok(Checked::Wrong);
    };
    let parsed = PasswordHash::new(stored).map_err(unusable)?;
    if argon2(params).verify_password(password.as_bytes(), &parsed).is_err() {
        return Ok(Checked::Wrong);
    }
    let today = ParamsString::try_from(params).map_err(unusable)?;
    let renewed = if parsed.params == today { None } else { Some(hashed(params, password)?) };
    Ok(Checked::Right { renewed })
}

fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn unusable(error: impl std::fmt::Display) -> LocalUserError {
    LocalUserError::Hashing(error.to_string())
}

/// Bytes of a salt, as RFC 9106 §3.1 recommends.
const SALT_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn hashing(hash_passes: u32) -> Hashing {
        Hashing::new(LocalOptions { hash_memory_kib: 8, hash_passes, ..LocalOptions::default() }).unwrap()
    }

    async fn renewed(hashing: &Hashing, stored: Option<&str>, password: &str) -> Option<Option<String>> {
        match hashing.check(&slug(), stored.map(str::to_owned), password).await.unwrap() {
            Checked::Wrong => None,
            Checked::Right { renewed } => Some(renewed),
        }
    }

    fn slug() -> Slug {
        "acme".parse().unwrap()
    }

    #[tokio::test]
    async fn a_password_is_hashed_anew_when_the_parameters_have_changed() {
        let (before, now) = (hashing(1), hashing(2));
        let stored = before.hash(&slug(), "hush").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{stored}");
        assert_eq!(renewed(&before, Some(&stored), "hush").await, Some(None));
        assert_eq!(renewed(&now, Some(&stored), "Hush").await, None);
        assert_eq!(renewed(&now, None, "hush").await, None);
        let anew = renewed(&now, Some(&stored), "hush").await.unwrap().expect("it is another hash");
        assert!(anew.contains("t=2"), "{anew}");
        assert_eq!(renewed(&now, Some(&anew), "hush").await, Some(None));
        assert_ne!(now.hash(&slug(), "hush").await.unwrap(), anew, "salted");
    }

    #[tokio::test]
    async fn what_is_too_much_at_once_is_refused_with_the_name_of_the_limit() {
        let options = LocalOptions { hashes_max: 1, hash_waiters_max: 0, ..LocalOptions::default() };
        let hashing = Hashing::new(options).unwrap();
        let slug = slug();
        let running = hashing.permits(&slug).await.unwrap();
        let refused = hashing.check(&slug, None, "hush").await.err().expect("somebody is there").to_string();
        assert!(refused.contains("directory.hash_waiters_max allows 0"), "{refused}");
        drop(running);
        assert!(matches!(hashing.check(&slug, None, "hush").await, Ok(Checked::Wrong)));
    }

    #[tokio::test]
    async fn one_tenants_flood_does_not_keep_another_from_signing_in() {
        let options = LocalOptions { hashes_max: 8, tenant_hashes_max: 1, ..LocalOptions::default() };
        let hashing = Hashing::new(options).unwrap();
        let (acme, globex) = (slug(), "globex".parse().unwrap());
        let running = hashing.permits(&acme).await.unwrap();
        let refused = hashing.check(&acme, None, "hush").await.err().expect("acme has its share").to_string();
        assert!(refused.contains("directory.tenant_hashes_max allows 1"), "{refused}");
        assert!(matches!(hashing.check(&globex, None, "hush").await, Ok(Checked::Wrong)));
        drop(running);
        assert!(matches!(hashing.check(&acme, None, "hush").await, Ok(Checked::Wrong)));
        assert!(hashing.tenants.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn parameters_that_argon2_cannot_work_with_are_refused() {
        Hashing::new(LocalOptions { hash_memory_kib: 1, ..LocalOptions::default() }).unwrap_err();
    }
}
