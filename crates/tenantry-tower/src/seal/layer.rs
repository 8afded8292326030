//! The layer that seals cookies, and its settings.

use std::{collections::HashSet, sync::Arc};

use tenantry_resource::MasterKeys;
use tower_layer::Layer;

use super::Seal;

/// Seals the cookies of a tenant's application, so that they mean nothing to another tenant's.
///
/// ```
/// use tenantry_resource::MasterKeys;
/// use tenantry_tower::SealLayer;
///
/// let keys = MasterKeys::generate()?;
/// // The application's scripts read `csrftoken`.
/// let layer = SealLayer::new(keys).unsealed(["csrftoken"]);
/// # Ok::<(), tenantry_resource::NoRandomness>(())
/// ```
#[derive(Clone, Debug)]
pub struct SealLayer {
    settings: Arc<Settings>,
}

impl SealLayer {
    /// Seals every cookie, with keys that are derived from these.
    pub fn new(keys: MasterKeys) -> Self {
        Self { settings: Arc::new(Settings { keys, unsealed: HashSet::new(), cookies_max: COOKIES_MAX }) }
    }

    /// Lets cookies with exactly these names pass as they are, in both directions. Names add up over several calls.
    ///
    /// Such a cookie can be replayed to another tenant, so it must not decide who somebody is.
    #[must_use]
    pub fn unsealed<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(|name| name.into().into_bytes());
        Arc::make_mut(&mut self.settings).unsealed.extend(names);
        self
    }

    /// Tries to open at most this many cookies of a request and drops the rest; 64 unless told otherwise.
    #[must_use]
    pub fn cookies_max(mut self, max: usize) -> Self {
        Arc::make_mut(&mut self.settings).cookies_max = max;
        self
    }
}

impl<S> Layer<S> for SealLayer {
    type Service = Seal<S>;

    fn layer(&self, inner: S) -> Seal<S> {
        Seal::new(inner, Arc::clone(&self.settings))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) keys: MasterKeys,
    pub(super) unsealed: HashSet<Vec<u8>>,
    pub(super) cookies_max: usize,
}

/// More than any application sets.
const COOKIES_MAX: usize = 64;
