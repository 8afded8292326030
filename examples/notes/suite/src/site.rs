//! Where the application is found.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use url::Url;

use crate::people::Account;

/// A running copy of the application.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its first page, for example `http://127.0.0.1:4000/`, or
    /// `http://example.org/some/mount/` with a slash at the end.
    pub base: Url,
    /// Where to connect, whatever the host in `base` says.
    pub connect: Option<SocketAddr>,
    /// The administrator, who signs up if nobody did before.
    pub admin: Account,
}

impl Site {
    /// The application at `base`, administered by [`Account::admin`].
    #[must_use]
    pub fn new(base: Url) -> Self {
        Self { base, connect: None, admin: Account::admin() }
    }

    /// The same site, reached at `address`.
    #[must_use]
    pub fn connecting_to(mut self, address: SocketAddr) -> Self {
        self.connect = Some(address);
        self
    }

    /// The same site with another administrator.
    #[must_use]
    pub fn administered_by(mut self, admin: Account) -> Self {
        self.admin = admin;
        self
    }

    /// Whether `url` has the scheme, host and port of the site.
    #[must_use]
    pub fn has_origin_of(&self, url: &Url) -> bool {
        self.base.origin() == url.origin()
    }

    /// Fails if `url` is on the site's host but not below its base.
    pub fn expect_below(&self, url: &Url) -> Result<()> {
        if self.has_origin_of(url) && !self.covers_path(url.path()) {
            bail!("{url} is not below {}", self.base);
        }
        Ok(())
    }

    /// Whether `path` is the base path or below it.
    #[must_use]
    pub fn covers_path(&self, path: &str) -> bool {
        let base = self.base.path().trim_end_matches('/');
        path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(base: &str) -> Site {
        Site::new(base.parse().unwrap())
    }

    #[test]
    fn paths_beside_the_base_are_not_below_it() {
        let site = site("http://example.org/some/mount/");
        for inside in ["/some/mount", "/some/mount/", "/some/mount/notes/3"] {
            assert!(site.covers_path(inside), "{inside}");
        }
        for outside in ["/", "/some", "/some/mountain", "/notes"] {
            assert!(!site.covers_path(outside), "{outside}");
        }
    }

    #[test]
    fn everything_is_below_the_root() {
        assert!(site("http://example.org").covers_path("/notes"));
    }

    #[test]
    fn other_hosts_are_of_no_concern() {
        let site = site("http://example.org/mount/");
        assert!(site.expect_below(&"http://other.org/".parse().unwrap()).is_ok());
        assert!(site.expect_below(&"http://example.org/".parse().unwrap()).is_err());
    }
}
