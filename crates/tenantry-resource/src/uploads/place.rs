//! Where uploads are, as a URL says it.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use object_store::ObjectStore;
use thiserror::Error;
use url::Url;

/// Where uploads are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Place {
    /// In a folder, which is made when it is missing: `file:uploads`.
    Folder(PathBuf),
    /// In a bucket of S3, or of what speaks like it: `s3://bucket/prefix?endpoint=…&region=…`. Needs the feature `s3`.
    Bucket(Bucket),
    /// In any other store of `object_store`, which an application has made itself.
    Store(Arc<dyn ObjectStore>),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        match text.split_once(':') {
            Some(("file", path)) => match path.strip_prefix("//").unwrap_or(path) {
                "" => Err(PlaceError::Path),
                path => Ok(Self::Folder(path.into())),
            },
            Some(("s3", _)) => Ok(Self::Bucket(text.parse()?)),
            _ => Err(PlaceError::Scheme),
        }
    }
}

/// A bucket of S3. Who may use it is read from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, a role of the
/// machine, …), so there is nothing secret in here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What all keys begin with, without slashes around it; it may be empty.
    pub prefix: String,
    /// The server, when it is not that of AWS. One of `http` is reached without encryption.
    pub endpoint: Option<Url>,
    /// The region; when there is none, the environment says it.
    pub region: Option<String>,
}

impl FromStr for Bucket {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let url = Url::parse(text).map_err(|_| PlaceError::Bucket)?;
        let name = url.host_str().filter(|_| url.scheme() == "s3" && url.port().is_none()).ok_or(PlaceError::Bucket)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PlaceError::Secret);
        }
        let prefix = url.path().trim_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let bad = |part: &str| matches!(part, "." | "..");
        if !prefix.bytes().all(plain) || prefix.contains("//") || prefix.split('/').any(bad) {
            return Err(PlaceError::Prefix);
        }
        let mut bucket = Self { name: name.to_owned(), prefix: prefix.to_owned(), endpoint: None, region: None };
        for (key, value) in url.query_pairs() {
            match &*key {
                "endpoint" => bucket.endpoint = Some(endpoint(&value)?),
                "region" => bucket.region = Some(value.into_owned()),
                _ => return Err(PlaceError::Parameter),
            }
        }
        Ok(bucket)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.name, self.prefix)?;
        let endpoint = self.endpoint.as_ref().map(|endpoint| ("endpoint", endpoint.as_str()));
        let region = self.region.as_deref().map(|region| ("region", region));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(endpoint.into_iter().chain(region));
        let query = query.finish();
        if query.is_empty() { Ok(()) } else { write!(f, "?{query}") }
    }
}

fn endpoint(text: &str) -> Result<Url, PlaceError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or(PlaceError::Endpoint)?;
    let secret = !url.username().is_empty() || url.password().is_some() || url.query().is_some();
    if secret { Err(PlaceError::Secret) } else { Ok(url) }
}

/// A text that is no [`Place`]. The text is not repeated, since there may be a secret in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// A bucket is written differently.
    #[error("a bucket is like \"s3://bucket/prefix?endpoint=https://…&region=…\"")]
    Bucket,
    /// The endpoint is no URL of a server.
    #[error("the endpoint is not like \"https://s3.example\"")]
    Endpoint,
    /// A parameter is not known.
    #[error("the parameters of a bucket are endpoint and region")]
    Parameter,
    /// There is no path.
    #[error("a folder is like \"file:uploads\"")]
    Path,
    /// The prefix has characters or parts that it cannot have.
    #[error("the prefix of a bucket has parts of letters, digits, \"-\", \"_\" and \".\" between slashes")]
    Prefix,
    /// It is no place that is known.
    #[error("uploads are in a folder, \"file:…\", or in a bucket, \"s3://…\"")]
    Scheme,
    /// There is a user or a password in it.
    #[error("who may use a bucket is not written into its URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written() {
        for (text, folder) in [("file:uploads", "uploads"), ("file:///srv/a b", "/srv/a b"), ("file:/srv", "/srv")] {
            assert!(matches!(text.parse(), Ok(Place::Folder(path)) if path == *folder), "{text}");
        }
        for text in ["s3://b/", "s3://b/x/y", "s3://b/x?endpoint=http%3A%2F%2F127.0.0.1%3A9000%2F&region=eu-west-1"] {
            assert_eq!(text.parse::<Bucket>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_place_is_refused_and_not_repeated() {
        for (text, expected) in [
            ("uploads", PlaceError::Scheme),
            ("ftp://x", PlaceError::Scheme),
            ("file:", PlaceError::Path),
            ("file://", PlaceError::Path),
            ("s3:", PlaceError::Bucket),
            ("s3://", PlaceError::Bucket),
            ("s3://key:hush@b/x", PlaceError::Secret),
            ("s3://b/x?endpoint=https://key:hush@h", PlaceError::Secret),
            ("s3://b/x?endpoint=hush", PlaceError::Endpoint),
            ("s3://b/x?secret_access_key=hush", PlaceError::Parameter),
            ("s3://b/a//b", PlaceError::Prefix),
            ("s3://b/a%2e", PlaceError::Prefix),
        ] {
            let error = text.parse::<Place>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("hush"));
        }
    }
}
