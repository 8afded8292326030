//! Makes an application right under a path prefix that it knows nothing of.
//!
//! A tenant that is named by its path is served at `/t/acme/…`, and its application believes to be served at `/…`. On
//! the way in, the prefix (the *script root*) leaves the path; on the way out, everything that names a path of the
//! application gets it back.
//!
//! **Requests.**
//!
//! 1. The first [`tenantry_core::Candidate::mount_len`] bytes leave the path. A request for exactly these bytes is sent
//!    to the same path with a slash (307), since relative links would leave the tenant otherwise.
//! 2. The application finds the script root in `X-Forwarded-Prefix` and as [`ScriptRoot`], and the URI as it came in
//!    [`axum::extract::OriginalUri`].
//! 3. A client's own `X-Forwarded-Prefix` is removed, unless the client is one of [`crate::TrustedProxies`]. Then it is
//!    a prefix that the proxy has taken off, and the script root begins with it.
//! 4. `Accept-Encoding` is removed where pages are rewritten. Compress outside of this layer.
//!
//! **Headers of answers.** "To the application" means: starts with one slash, or names the host of the request.
//!
//! | header | what is done |
//! |---|---|
//! | `Location`, `Content-Location`, `Refresh`, `Link`, `Service-Worker-Allowed` | targets to the application move below the script root |
//! | `Set-Cookie` | `Path=/x` moves below the script root; `Domain` is removed, also where there is no script root: a tenant's cookie must not reach a sibling host |
//! | `Set-Cookie: __Host-x` | is renamed, because browsers want `Path=/` for that name, and named as before in `Cookie` |
//!
//! What is below the script root already stays, for applications that know of `X-Forwarded-Prefix`. Dot segments are
//! resolved first, so that `/../x` stays below the root as well.
//!
//! **Pages** (`text/html` and `application/xhtml+xml`; [`MountLayer::rewrite_html`] switches it off). The attributes
//! `href`, `src`, `action`, `formaction`, `poster`, `background`, `srcset`, `imagesrcset`, an object's `data`, and
//! `<meta http-equiv=refresh>` are moved while the page streams through. The text in between is untouched, so *what
//! scripts and style sheets build themselves cannot be moved*: `fetch("/api")`, `url(/logo.png)`, an attribute of a
//! front-end framework, a `srcdoc`. Neither can links within `<noscript>`, which is text to a browser that runs
//! scripts. For an application with much of that, name tenants by host instead; nothing has to be moved then.
//!
//! * In a page whose `<base href>` is another host, root-relative links are that host's, and are moved all the same: such
//!   a page needs tenants named by host.
//! * `Clear-Site-Data` is dropped: it would sign out everybody at the host.
//! * A rewritten answer loses `Content-Length`, `Accept-Ranges` and digests of its content, and its `ETag` becomes a
//!   weak one: it is no longer the byte sequence that the application vouched for.
//! * `Range` and `If-Range` pass, because media players need them. An answer of part of a page (206) is not rewritten;
//!   nobody who follows RFC 9110 §13.1.5 asks for one, as there is neither a strong validator nor an invitation.
//! * Downloads (`Content-Disposition: attachment`), encoded bodies and charsets in which ASCII does not look like ASCII
//!   (UTF-16, ISO-2022-JP) pass as they are.
//! * A page that needs more memory than [`MountLayer::html_memory_max`], for instance by one huge tag, passes
//!   unchanged from there on: never cut short, never waited for.
//!
//! Tenants below one host share an origin, so their *scripts* are not separated from one another by the browser. That,
//! too, only hosts can do.

mod cookies;
mod future;
mod headers;
mod html;
mod layer;
mod reference;
mod refresh;
mod root;
mod service;
mod text;

pub(crate) use self::text::read_attribute;
pub use self::{
    future::MountFuture,
    layer::{HtmlRewriting, MountLayer},
    root::ScriptRoot,
    service::Mount,
};
