//! `[uploads]`: where the tenants' files are.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tenantry_resource::uploads::{Bucket, Options, Place};

use super::value;

/// `[uploads]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadsSection {
    /// Where they are: `url = "file:…"` or `url = "s3://…"`.
    #[serde(rename = "url")]
    pub place: UploadsPlace,
    /// The largest upload.
    #[serde(with = "value::bytes_limit")]
    pub object_bytes_max: Option<u64>,
    /// How long what a tenant has stored is not counted again, so that uploads of other processes go unnoticed.
    #[serde(with = "value::duration")]
    pub usage_max_age: Duration,
    /// How long nothing was written to an upload whose process is taken for dead.
    #[serde(with = "value::duration")]
    pub parts_max_age: Duration,
}

/// Where uploads are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum UploadsPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket of S3, or of what speaks like it.
    Bucket(Bucket),
}

impl UploadsSection {
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.object_bytes_max = self.object_bytes_max;
        options.usage_max_age = self.usage_max_age;
        options.parts_max_age = self.parts_max_age;
        options
    }
}

impl Default for UploadsSection {
    fn default() -> Self {
        let Options { object_bytes_max, usage_max_age, parts_max_age, .. } = Options::default();
        Self { place: UploadsPlace::Folder("uploads".into()), object_bytes_max, usage_max_age, parts_max_age }
    }
}

impl From<UploadsPlace> for Place {
    fn from(place: UploadsPlace) -> Self {
        match place {
            UploadsPlace::Folder(path) => Self::Folder(path),
            UploadsPlace::Bucket(bucket) => Self::Bucket(bucket),
        }
    }
}

impl TryFrom<String> for UploadsPlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<Place>() {
            Ok(Place::Folder(path)) => Ok(Self::Folder(path)),
            Ok(Place::Bucket(bucket)) => Ok(Self::Bucket(bucket)),
            Ok(_) => Err("url is no place that a configuration can name".to_owned()),
            Err(error) => Err(format!("url: {error}")),
        }
    }
}

impl From<UploadsPlace> for String {
    fn from(place: UploadsPlace) -> Self {
        match place {
            UploadsPlace::Folder(path) => format!("file:{}", path.display()),
            UploadsPlace::Bucket(bucket) => bucket.to_string(),
        }
    }
}
