//! Sealed cookies: a cookie that one tenant's application set means nothing to another's.
//!
//! Applications that sign their sessions with one key are open to a replay: the cookie of user 1 of tenant A signs in
//! as user 1 of tenant B. This layer closes that without the application's doing.
//!
//! 1. Every cookie that the application sets gets a seal: an HMAC-SHA256 (RFC 2104) of tenant, name and value under a key
//!    of the tenant's own. So a cookie is good for one tenant and one name.
//! 2. Every cookie that comes in is opened, or dropped: made for another tenant, renamed, changed, or not sealed at all.
//!    To the application, the request never had it.
//! 3. Cookies that scripts read, or that somebody else sets, are named in [`SealLayer::unsealed`] and pass as they are.
//!    Such a cookie must not decide who somebody is.
//! 4. Attributes are kept byte for byte. A cookie without a name is dropped, since browsers disagree about it.
//! 5. A request without a [`tenantry_core::Scope`] is refused: there is nobody to seal for.
//!
//! A sealed value is `t1.` + the id of the master key + `.` + the seal + `.` + the value itself: 35 bytes more than the
//! value. It is not encrypted, since what an application lets its users see is for the application to say; encrypting
//! it would cost four times as much. Browsers keep at most 4096 bytes of name and value; a cookie that gets larger is
//! sent all the same, with a warning in the log. A sealed cookie does not expire by itself; what is in it, and
//! `Max-Age`, are the application's business.
//!
//! The layer belongs inside of [`crate::MountLayer`], so that it sees the names that the application gave.

mod future;
mod layer;
mod sealer;
mod service;

pub use self::{future::SealFuture, layer::SealLayer, service::Seal};
