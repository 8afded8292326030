//! Finds out which tenant a request is for, from its head alone.
//!
//! | resolver | reads | the request is not its own when | it is malformed when |
//! |---|---|---|---|
//! | [`Host`] | `acme` of `acme.example.com` | the host is outside the suffixes, or is one, or its label is reserved | there are two hosts, or the label cannot be a name |
//! | [`PathPrefix`] | `acme` of `/t/acme/notes` | the path is outside the prefixes | the segment cannot be a name, or the path has dot segments |
//! | [`Header`] | a header that a trusted proxy sets | there is none, or the peer is not trusted | there are several, or the value cannot be a name |
//! | [`Claim`] | a claim of a signed token | there is no token | the token does not verify |
//!
//! [`FirstOf`] asks several in order; [`AllAgree`] asks all of them, and admission makes sure that they agree.
//!
//! The [`ResolveLayer`] puts the [`tenantry_core::Candidate`] into the request's extensions. A request that names no
//! tenant is refused, unless an application for such requests is given with [`ResolveLayer::apex`].

mod all_agree;
mod authority;
mod claim;
mod first_of;
mod header;
mod host;
mod layer;
mod path;
mod service;

pub use self::{
    all_agree::AllAgree,
    claim::{Claim, ClaimKeys, ClaimKeysError},
    first_of::FirstOf,
    header::Header,
    host::Host,
    layer::ResolveLayer,
    path::{PathPrefix, PathPrefixError},
    service::{Resolve, ResolveFuture},
};
