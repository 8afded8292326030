//! The resolvers that a configuration asks for.

use std::{fs, io, path::PathBuf};

use http::HeaderName;
use tenantry_core::Resolver;
use tenantry_tower::{
    AllAgree, Claim, ClaimKeys, ClaimKeysError, FirstOf, Header, Host, PathPrefix, PathPrefixError, TrustedProxies,
};
use thiserror::Error;

use crate::config::{
    ClaimSection, HeaderSection, HostSection, KeySource, PathSection, ResolveMode, ResolveSection, TokenKeys,
};

/// The resolver that `section` describes: what is signed comes before what is not.
pub(crate) fn from_config(
    section: &ResolveSection,
    trusted: &TrustedProxies,
) -> Result<Box<dyn Resolver>, ResolverError> {
    let mut resolvers: Vec<Box<dyn Resolver>> = Vec::new();
    if let Some(section) = &section.claim {
        resolvers.push(Box::new(claim(section)?));
    }
    if let Some(section) = &section.header {
        resolvers.push(Box::new(header(section, trusted)?));
    }
    if let Some(section) = &section.host {
        resolvers.push(Box::new(host(section)));
    }
    if let Some(section) = &section.path {
        resolvers.push(Box::new(path(section)?));
    }
    Ok(match section.mode {
        ResolveMode::AllAgree => Box::new(AllAgree::from_iter(resolvers)),
        ResolveMode::FirstOf => Box::new(FirstOf::from_iter(resolvers)),
    })
}

/// Why resolvers cannot be made as the configuration says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The file with the key for tokens cannot be read.
    #[error("resolve.claim: {} cannot be read", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key for tokens cannot be used.
    #[error("resolve.claim: the key cannot be used")]
    Keys(#[from] ClaimKeysError),
    /// The environment variable with the key for tokens is not set.
    #[error("resolve.claim: the environment variable {name} is not set")]
    KeyVariable {
        /// The variable.
        name: String,
    },
    /// The name of the header is none.
    #[error("resolve.header.name: {name:?} is no header")]
    HeaderName {
        /// The name.
        name: String,
    },
    /// A prefix of paths is none.
    #[error("resolve.path")]
    Path(#[from] PathPrefixError),
}

fn claim(section: &ClaimSection) -> Result<Claim, ResolverError> {
    let mut claim = Claim::new(&section.claim, claim_keys(section)?).leeway(section.leeway);
    if let Some(issuer) = &section.issuer {
        claim = claim.issuer(issuer);
    }
    if let Some(audience) = &section.audience {
        claim = claim.audience(audience);
    }
    if let Some(cookie) = &section.cookie {
        claim = claim.cookie(cookie);
    }
    Ok(claim)
}

fn claim_keys(section: &ClaimSection) -> Result<ClaimKeys, ResolverError> {
    let algorithms = section.algorithms.iter().map(|algorithm| algorithm.as_str());
    let keys = match &section.keys {
        TokenKeys::Jwks(path) => ClaimKeys::from_jwks(&read(path)?)?,
        TokenKeys::Key(source) => {
            let key = match source {
                KeySource::Env(name) => {
                    std::env::var(name).map_err(|_| ResolverError::KeyVariable { name: name.clone() })?.into_bytes()
                }
                KeySource::File(path) => read(path)?,
            };
            match section.algorithms.iter().any(|algorithm| algorithm.takes_secret()) {
                true => ClaimKeys::from_secret(&key)?,
                false => ClaimKeys::from_pem(&key)?,
            }
        }
    };
    Ok(keys.only_algorithms(algorithms)?)
}

fn read(path: &PathBuf) -> Result<Vec<u8>, ResolverError> {
    fs::read(path).map_err(|source| ResolverError::KeyFile { path: path.clone(), source })
}

fn header(section: &HeaderSection, trusted: &TrustedProxies) -> Result<Header, ResolverError> {
    let name =
        HeaderName::try_from(&section.name).map_err(|_| ResolverError::HeaderName { name: section.name.clone() })?;
    Ok(Header::new(name, trusted.clone()))
}

fn host(section: &HostSection) -> Host {
    let under = section.suffixes.iter().fold(Host::new(), |host, suffix| host.under(suffix));
    section.exact.iter().fold(under, |host, (name, slug)| host.exact(name, slug.clone()))
}

fn path(section: &PathSection) -> Result<PathPrefix, ResolverError> {
    let under = section.under.iter().try_fold(PathPrefix::new(), |prefixes, path| prefixes.under(path))?;
    Ok(section.exact.iter().try_fold(under, |prefixes, (path, slug)| prefixes.exact(path, slug.clone()))?)
}
