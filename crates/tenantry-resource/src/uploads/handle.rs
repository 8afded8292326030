//! Uploads as an application stores and reads them.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use tenantry_core::{Listener, TenantId, Unscoped};
use tokio::sync::OnceCell;

use super::{
    Download, ObjectName, Place, UploadError, Usage,
    account::{Account, Accounts},
    backend::{Backend, Listed},
    read::{self, Wanted},
    remove, write,
};
use crate::{BoxError, Keys, NoScope, Purpose, TokenError, current};

/// The uploads of the tenant whose scope is current when a method is called.
///
/// Cloning is cheap, and clones are the same: they share what is counted. Nothing is opened before it is first used.
#[derive(Clone, Debug)]
pub struct Uploads {
    shared: Arc<Shared>,
    listener: Listener,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) accounts: Accounts,
    place: Place,
    backend: OnceCell<Arc<Backend>>,
    keys: Keys,
}

/// How much of what is used for uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The largest upload; `None` is no limit. Knob `uploads.object_bytes_max`.
    pub object_bytes_max: Option<u64>,
    /// How long what a tenant has stored is not counted again, so that uploads of other processes go unnoticed. Knob
    /// `uploads.usage_max_age`.
    pub usage_max_age: Duration,
    /// How long nothing was written to an upload whose process is taken for dead. Knob `uploads.parts_max_age`.
    pub parts_max_age: Duration,
}

impl Default for Options {
    /// Uploads of 1 GiB, counted every minute, swept after a day.
    fn default() -> Self {
        Self {
            object_bytes_max: Some(1 << 30),
            usage_max_age: Duration::from_secs(60),
            parts_max_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// An object that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its name.
    pub name: ObjectName,
    /// How much content it has.
    pub bytes: u64,
    /// What it was said to be; `application/octet-stream` where nobody has said anything, and in listings, which do not look.
    pub content_type: String,
    /// When it was stored.
    pub modified: SystemTime,
}

impl Uploads {
    /// Uploads at a place. The keys sign links.
    pub fn new(place: Place, options: Options, keys: Keys) -> Self {
        let shared = Shared { options, accounts: Accounts::default(), place, backend: OnceCell::new(), keys };
        Self { shared: Arc::new(shared), listener: Listener::default() }
    }

    /// Tells this one of each object that is copied for another tenant.
    #[must_use]
    pub fn with_listener(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }

    pub(super) const fn listener(&self) -> &Listener {
        &self.listener
    }

    /// Stores what `body` yields under this name, in the place of what is there. Until it is whole, nothing is seen of it.
    ///
    /// When the returned future is dropped, nothing is stored; unless the body has ended already, then it is.
    ///
    /// # Errors
    ///
    /// [`UploadError`], and nothing is stored.
    pub fn put<S, E>(
        &self,
        name: &ObjectName,
        content_type: Option<&str>,
        body: S,
    ) -> impl Future<Output = Result<Stored, UploadError>> + Send + use<S, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let (scope, shared, name) = (current(), Arc::clone(&self.shared), name.clone());
        let content_type = content_type.unwrap_or(OCTETS).to_owned();
        async move { write::put(shared, scope?, name, content_type, body).await }
    }

    /// Reads an object, if there is one with this name.
    ///
    /// # Errors
    ///
    /// [`UploadError`] outside any scope, and when the place cannot be reached.
    pub fn get(&self, name: &ObjectName) -> impl Future<Output = Result<Option<Download>, UploadError>> + Send + use<> {
        self.read(name, Wanted::All)
    }

    /// Reads the bytes of a range; what of it lies beyond the end does not come. [`Download::range`] says which do.
    ///
    /// # Errors
    ///
    /// As [`Uploads::get`].
    pub fn get_range(
        &self,
        name: &ObjectName,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Option<Download>, UploadError>> + Send + use<> {
        self.read(name, Wanted::Part(range))
    }

    /// What is stored under this name, without its content.
    ///
    /// # Errors
    ///
    /// As [`Uploads::get`].
    pub fn head(&self, name: &ObjectName) -> impl Future<Output = Result<Option<Stored>, UploadError>> + Send + use<> {
        let read = self.read(name, Wanted::Head);
        async move { Ok(read.await?.map(|download| download.stored)) }
    }

    /// Removes an object, and says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Uploads::get`].
    pub fn delete(&self, name: &ObjectName) -> impl Future<Output = Result<bool, UploadError>> + Send + use<> {
        let (scope, shared, name) = (current(), Arc::clone(&self.shared), name.clone());
        async move { remove::delete(shared, scope?, name).await }
    }

    /// The objects whose names are below `folder`, as `folder/a` and `folder/b/c`; all of them when it is `None`. In no
    /// particular order.
    ///
    /// Without a scope, all that comes is [`UploadError::NoScope`].
    pub fn list(&self, folder: Option<&ObjectName>) -> impl Stream<Item = Result<Stored, UploadError>> + Send + use<> {
        let (scope, shared, key) = (current(), Arc::clone(&self.shared), folder.map(ObjectName::folder_key));
        let open = async move {
            let scope = scope?;
            let failed = {
                let slug = scope.slug().clone();
                move |error: BoxError| UploadError::store(&slug, error)
            };
            let backend = shared.backend().await.map_err(&failed)?;
            Ok::<_, UploadError>(backend.list(scope.id(), key.as_deref()).map_err(failed))
        };
        let listed = futures_util::stream::once(open).try_flatten();
        listed.try_filter_map(|listed| std::future::ready(Ok(stored(&listed)))).boxed()
    }

    /// How much the tenant has stored, as it was counted at most [`Options::usage_max_age`] ago and kept up since.
    ///
    /// # Errors
    ///
    /// As [`Uploads::get`].
    pub fn usage(&self) -> impl Future<Output = Result<Usage, UploadError>> + Send + use<> {
        let (scope, shared) = (current(), Arc::clone(&self.shared));
        async move {
            let scope = scope?;
            let counted = shared.counted(scope.id()).await;
            Ok(counted.map_err(|error| UploadError::store(scope.slug(), error))?.1)
        }
    }

    /// Removes all of the tenant's objects, and says what that was. What is being uploaded meanwhile may be stored after.
    ///
    /// # Errors
    ///
    /// As [`Uploads::get`]; some may be removed then.
    pub fn clear(&self) -> impl Future<Output = Result<Usage, UploadError>> + Send + use<> {
        let (scope, shared) = (current(), Arc::clone(&self.shared));
        async move {
            let scope = scope?;
            let cleared = remove::clear(&shared, scope.id()).await;
            cleared.map_err(|error| UploadError::store(scope.slug(), error))
        }
    }

    /// A token for a link to an object, good at this tenant for so long, for whoever has it. It can stand in a URL as it is.
    ///
    /// It is good for the name, not for what is stored under it now.
    ///
    /// # Errors
    ///
    /// [`NoScope`] outside any scope.
    pub fn link(&self, name: &ObjectName, valid_for: Duration) -> Result<String, NoScope> {
        self.shared.keys.sign(LINKS, name.as_str().as_bytes(), valid_for)
    }

    /// Reads the object that a link is for, if it is still there.
    ///
    /// # Errors
    ///
    /// [`UploadError::Link`] when the token was not made at this tenant or its time is up, and as [`Uploads::get`].
    pub fn open_link(&self, token: &str) -> impl Future<Output = Result<Option<Download>, UploadError>> + Send + use<> {
        let name = self.linked(token);
        let read = name.map(|name| self.get(&name));
        async move { read?.await }
    }

    /// The name that a link is for.
    ///
    /// # Errors
    ///
    /// [`UploadError::Link`] when the token was not made at this tenant or its time is up.
    pub fn linked(&self, token: &str) -> Result<ObjectName, UploadError> {
        let name = self.shared.keys.verify(LINKS, token).map_err(|error| match error {
            TokenError::NoScope(error) => error.into(),
            error => UploadError::Link(error),
        })?;
        let name = String::from_utf8(name).map_err(|_| UploadError::Link(TokenError::NotOurs))?;
        Ok(name.parse()?)
    }

    /// How much a tenant has stored that need not be admitted: it is counted now.
    ///
    /// # Errors
    ///
    /// [`UploadError::Unavailable`] when the place cannot be reached.
    pub async fn usage_of(&self, tenant: TenantId, _: Unscoped) -> Result<Usage, UploadError> {
        let usage = async { self.shared.backend().await?.count(tenant, self.shared.options.parts_max_age).await };
        usage.await.map_err(|error| unavailable(tenant, error))
    }

    /// Removes whatever there is of a tenant that need not be admitted, also what was never finished; says what was stored.
    ///
    /// # Errors
    ///
    /// [`UploadError::Unavailable`] when the place cannot be reached. It can be called again.
    pub async fn remove_all(&self, tenant: TenantId, _: Unscoped) -> Result<Usage, UploadError> {
        remove::forget(&self.shared, tenant).await.map_err(|error| unavailable(tenant, error))
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn read(
        &self,
        name: &ObjectName,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Option<Download>, UploadError>> + Send + use<> {
        let (scope, shared, name) = (current(), Arc::clone(&self.shared), name.clone());
        async move { read::get(shared, scope?, name, wanted).await }
    }
}

impl Shared {
    pub(super) async fn backend(&self) -> Result<Arc<Backend>, BoxError> {
        let open = || async { Backend::open(&self.place).await.map(Arc::new) };
        self.backend.get_or_try_init(open).await.map(Arc::clone)
    }

    /// The account of a tenant, with what it has stored, counted not too long ago.
    pub(super) async fn counted(&self, tenant: TenantId) -> Result<(Arc<Account>, Usage), BoxError> {
        let account = self.accounts.of(tenant);
        if let Some(usage) = account.known(self.options.usage_max_age) {
            return Ok((account, usage));
        }
        let settling = account.settling.write().await;
        let usage = match account.known(self.options.usage_max_age) {
            Some(usage) => usage,
            None => {
                let usage = self.backend().await?.count(tenant, self.options.parts_max_age).await?;
                account.counted(usage);
                usage
            }
        };
        drop(settling);
        Ok((account, usage))
    }
}

/// An object as it is listed; nothing for what no upload has made.
fn stored(listed: &Listed) -> Option<Stored> {
    let name = ObjectName::from_key(&listed.key)?;
    Some(Stored { name, bytes: listed.bytes, content_type: OCTETS.to_owned(), modified: listed.modified })
}

fn unavailable(tenant: TenantId, source: BoxError) -> UploadError {
    UploadError::Unavailable { tenant: format!("the tenant with the id {tenant}"), source }
}

/// What is said of an object of which nothing is known.
pub(super) const OCTETS: &str = "application/octet-stream";
const LINKS: Purpose = Purpose::new("tenantry uploads link");
