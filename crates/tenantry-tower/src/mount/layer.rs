//! The layer that mounts applications, and its settings.

use tower_layer::Layer;

use super::Mount;
use crate::TrustedProxies;

/// Makes an application right under a path prefix that it knows nothing of.
///
/// It belongs inside of [`crate::ResolveLayer`], which finds out how much of the path is the prefix, and outside of
/// [`crate::SealLayer`]. Where a tenant is named in another way, it only keeps cookies at their host.
///
/// ```
/// use tenantry_tower::{HtmlRewriting, MountLayer, TrustedProxies};
///
/// let layer = MountLayer::new();
/// // Behind a proxy that takes a prefix off, for an application that builds its links from `X-Forwarded-Prefix`.
/// let proxies = TrustedProxies::new(["10.0.0.0/8".parse()?]);
/// let layer = MountLayer::new().trusted_proxies(proxies).rewrite_html(HtmlRewriting::Off);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MountLayer {
    settings: Settings,
}

impl MountLayer {
    /// Rewrites pages, and believes no client's `X-Forwarded-Prefix`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes `X-Forwarded-Prefix` from these peers: they have taken that prefix off the path.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.settings.proxies = proxies;
        self
    }

    /// Whether links in pages are moved. Headers are, in any case.
    #[must_use]
    pub const fn rewrite_html(mut self, rewriting: HtmlRewriting) -> Self {
        self.settings.html = rewriting;
        self
    }

    /// How many bytes one page may take in memory while it is rewritten; 4 MiB unless told otherwise. A page that needs
    /// more passes unchanged from there on.
    ///
    /// What takes memory is a tag that arrives in several pieces, and about 150 bytes for each element that is not
    /// closed yet.
    #[must_use]
    pub const fn html_memory_max(mut self, bytes: usize) -> Self {
        self.settings.html_memory_max = bytes;
        self
    }
}

impl<S> Layer<S> for MountLayer {
    type Service = Mount<S>;

    fn layer(&self, inner: S) -> Mount<S> {
        Mount::new(inner, self.settings.clone())
    }
}

/// Whether [`MountLayer`] moves the links in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HtmlRewriting {
    /// Pages pass as they are: the application builds its links from `X-Forwarded-Prefix`, or only has relative ones.
    Off,
    /// Links move while the page streams through.
    #[default]
    On,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) proxies: TrustedProxies,
    pub(super) html: HtmlRewriting,
    pub(super) html_memory_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { proxies: TrustedProxies::default(), html: HtmlRewriting::default(), html_memory_max: HTML_MEMORY_MAX }
    }
}

/// Room for an image within a tag, and for 20 000 open elements: a long table whose rows are never closed.
const HTML_MEMORY_MAX: usize = 4 * 1024 * 1024;
