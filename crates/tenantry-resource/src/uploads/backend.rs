//! An opened place: the same for a folder and for every other store.

use std::{
    path::Path as FilePath,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use tenantry_core::TenantId;
use tokio::sync::mpsc;

use super::{
    Bucket, Place, Usage,
    folder::{Folder, blocking, content_len},
};
use crate::BoxError;

/// An opened place.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) folder: Option<Folder>,
    /// How large the parts are in which an upload is written.
    pub(super) part_bytes: usize,
    /// What all paths begin with; empty, or with a slash at its end.
    prefix: String,
}

/// An object as a listing has it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

impl Backend {
    /// Opens the place. A folder is made when it is missing; a bucket is not asked for anything yet.
    pub(super) async fn open(place: &Place) -> Result<Self, BoxError> {
        let other = |store, prefix| Self { store, folder: None, part_bytes: PART_BYTES_OF_BUCKET, prefix };
        match place {
            Place::Folder(path) => {
                let path: Box<FilePath> = path.as_path().into();
                let (folder, store) = blocking(move || Folder::open(&path)).await?;
                let (store, folder) = (Arc::new(store), Some(folder));
                Ok(Self { store, folder, part_bytes: PART_BYTES_OF_FOLDER, prefix: String::new() })
            }
            Place::Bucket(bucket) => {
                let slash = if bucket.prefix.is_empty() { "" } else { "/" };
                Ok(other(open_bucket(bucket)?, format!("{}{slash}", bucket.prefix)))
            }
            Place::Store(store) => Ok(other(Arc::clone(store), String::new())),
        }
    }

    /// Where an object of the tenant is.
    pub(super) fn path(&self, tenant: TenantId, key: &str) -> Result<Path, BoxError> {
        Ok(Path::parse(format!("{}{tenant}/{key}", self.prefix))?)
    }

    /// How large the object is, if there is one.
    pub(super) async fn size(&self, path: &Path) -> Result<Option<u64>, BoxError> {
        if let Some(folder) = self.folder.clone() {
            let path = path.to_string();
            return Ok(blocking(move || folder.size(&path)).await?);
        }
        match self.store.head(path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object.
    pub(super) async fn delete(&self, path: &Path) -> Result<(), BoxError> {
        match self.folder.clone() {
            Some(folder) => {
                let path = path.to_string();
                Ok(blocking(move || folder.delete(&path)).await?)
            }
            None => Ok(self.store.delete(path).await?),
        }
    }

    /// The objects of a tenant whose key is below `key`, or all.
    pub(super) fn list(&self, tenant: TenantId, key: Option<&str>) -> BoxStream<'static, Result<Listed, BoxError>> {
        let below = format!("{}{tenant}", self.prefix);
        let cut = below.len() + 1;
        let below = key.map_or_else(|| below.clone(), |key| format!("{below}/{key}"));
        if let Some(folder) = self.folder.clone() {
            return list_folder(folder, below, cut);
        }
        let path = match Path::parse(below) {
            Ok(path) => path,
            Err(error) => return futures_util::stream::once(async { Err(error.into()) }).boxed(),
        };
        let listed = move |meta: ObjectMeta| Listed {
            key: meta.location.as_ref().get(cut..).unwrap_or_default().to_owned(),
            bytes: meta.size,
            modified: meta.last_modified.into(),
        };
        self.store.list(Some(&path)).map_ok(listed).map_err(BoxError::from).boxed()
    }

    /// How much the tenant has stored. What was cut off so long ago is removed on the way.
    pub(super) async fn count(&self, tenant: TenantId, parts_max_age: Duration) -> Result<Usage, BoxError> {
        let mut usage = Usage::default();
        if let Some(folder) = self.folder.clone() {
            let below = tenant.to_string();
            let count = move || {
                for file in folder.files(&below, parts_max_age) {
                    usage.add(content_len(&file?.metadata));
                }
                Ok(usage)
            };
            return Ok(blocking(count).await?);
        }
        let mut listed = self.list(tenant, None);
        while let Some(object) = listed.try_next().await? {
            usage.add(object.bytes);
        }
        Ok(usage)
    }
}

/// A thread walks the folder, as far ahead as somebody reads.
fn list_folder(folder: Folder, below: String, cut: usize) -> BoxStream<'static, Result<Listed, BoxError>> {
    let (sender, receiver) = mpsc::channel(LISTED_AHEAD);
    let walk = async move {
        blocking(move || {
            for file in folder.files(&below, Duration::MAX) {
                let listed = file.map_err(BoxError::from).and_then(|found| {
                    let key = found.path.get(cut..).unwrap_or_default().replace(std::path::MAIN_SEPARATOR, "/");
                    let (bytes, modified) = (content_len(&found.metadata), found.metadata.modified()?);
                    Ok(Listed { key, bytes, modified })
                });
                if sender.blocking_send(listed).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    };
    let received = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let next = receiver.recv().await?;
        Some((next, receiver))
    });
    // The walk is polled beside what it finds, and ends with it.
    let walk = futures_util::stream::once(walk)
        .filter_map(|ended| std::future::ready(ended.err().map(|error| Err(BoxError::from(error)))));
    futures_util::stream::select(received, walk).boxed()
}

#[cfg(feature = "s3")]
fn open_bucket(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, BoxError> {
    let mut builder = object_store::aws::AmazonS3Builder::from_env().with_bucket_name(&bucket.name);
    if let Some(region) = &bucket.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &bucket.endpoint {
        let endpoint_text = endpoint.as_str().trim_end_matches('/');
        builder = builder.with_endpoint(endpoint_text).with_allow_http(endpoint.scheme() == "http");
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "s3"))]
fn open_bucket(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, BoxError> {
    Err(format!("{bucket} is a bucket, and this build has none; build with the feature s3").into())
}

/// With at most 10,000 parts of this size, an upload to S3 has 78 GiB.
const PART_BYTES_OF_BUCKET: usize = 8 << 20;
const PART_BYTES_OF_FOLDER: usize = 4 << 20;
/// How many files are found before somebody asks for the first.
const LISTED_AHEAD: usize = 256;
