//! Uploads, as what looks after a tenant's life sees them.

use tenantry_core::{Amount, BoxFuture, Plane, PlaneError, Tenant};

use super::{Uploads, Usage, copy, remove};

impl Plane for Uploads {
    fn name(&self) -> &'static str {
        "uploads"
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let (shared, id) = (self.shared(), tenant.id);
            let counted = async { shared.backend().await?.count(id, shared.options.parts_max_age).await };
            counted.await.map(amount).map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let erased = remove::forget(self.shared(), tenant.id).await;
            erased.map(amount).map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    /// Object by object: what `from` stores or removes meanwhile may be in the copy or not.
    fn copy<'a>(&'a self, from: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let copied = copy::copy(self.shared(), from.id, to.id, self.listener()).await;
            copied.map(amount).map_err(|error| PlaneError::new(self.name(), to, error))
        })
    }
}

const fn amount(usage: Usage) -> Amount {
    Amount { items: usage.objects, bytes: usage.bytes }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use bytes::Bytes;
    use futures_util::TryStreamExt;
    use object_store::memory::InMemory;
    use tenantry_core::{Admission, CatalogVersion, Mirror, Plans, TenantId};

    use super::*;
    use crate::{
        Keys, MasterKeys,
        uploads::{Options, Place},
        within,
    };

    const FILES: [(&str, &str); 3] = [("a.txt", "text"), ("Deep/er/ß.pdf", ""), ("same", "of acme")];

    async fn check(place: Place) {
        let tenants = [(1, "acme"), (2, "copy"), (3, "other")].map(|(id, slug)| tenant(id, slug));
        let mirror = Arc::new(Mirror::new());
        mirror.reload(tenants.clone(), CatalogVersion::new(1));
        let admission = Admission::new(mirror, Plans::default());
        let uploads = Uploads::new(place, Options::default(), Keys::new(MasterKeys::parse(KEY).unwrap()));
        let told = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let hears = Arc::clone(&told);
        let uploads = uploads.with_listener(tenantry_core::Listener::new(move |news| {
            if let tenantry_core::News::Done(items) = news {
                hears.fetch_add(items, std::sync::atomic::Ordering::Relaxed);
            }
        }));
        let [acme, copy, other] = &tenants;
        let scope = |tenant: &Tenant| admission.admit_id(tenant.id).unwrap();
        for (tenant, files) in [(acme, &FILES[..]), (copy, &[("former", "gone")]), (other, &[("same", "of other")])] {
            for (name, content) in files {
                let content = Bytes::from_static(content.as_bytes());
                let body = futures_util::stream::iter([Ok::<_, std::io::Error>(content)]);
                let put = async { uploads.put(&name.parse().unwrap(), Some("text/plain"), body).await };
                within(scope(tenant), put).await.unwrap();
            }
        }
        let amount = uploads.copy(acme, copy).await.unwrap();
        assert_eq!(amount, Amount { items: 3, bytes: 11 });
        assert_eq!(told.load(std::sync::atomic::Ordering::Relaxed), 3);
        assert_eq!(uploads.count(copy).await.unwrap(), amount);
        assert_eq!(uploads.copy(acme, copy).await.unwrap(), amount, "it can be done again");
        let read = async |tenant: &Tenant, name: &str| {
            let download = within(scope(tenant), async { uploads.get(&name.parse().unwrap()).await }).await.unwrap()?;
            let kind = download.stored.content_type.clone();
            let content: Vec<Bytes> = download.try_collect().await.unwrap();
            Some((kind, String::from_utf8(content.concat()).unwrap()))
        };
        for (name, content) in FILES {
            assert_eq!(read(copy, name).await, Some(("text/plain".to_owned(), content.to_owned())), "{name}");
        }
        assert_eq!(read(copy, "former").await, None, "what it had before is gone");
        assert_eq!(uploads.erase(copy).await.unwrap(), amount);
        assert!(uploads.count(copy).await.unwrap().is_nothing());
        assert_eq!(read(acme, "same").await.unwrap().1, "of acme");
        assert_eq!(read(other, "same").await.unwrap().1, "of other");
    }

    #[tokio::test]
    async fn a_folder_is_copied_and_erased() {
        let folder = tempfile::tempdir().unwrap();
        check(Place::Folder(folder.path().join("uploads"))).await;
        assert!(Path::new(folder.path()).is_dir());
    }

    #[tokio::test]
    async fn a_store_is_copied_and_erased() {
        check(Place::Store(Arc::new(InMemory::new()))).await;
    }

    fn tenant(id: i64, slug: &str) -> Tenant {
        Tenant::new(TenantId::new(id), slug.parse().unwrap())
    }

    const KEY: &str = "3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=";
}
