//! The deployment's master keys, and the keys of tenants that come from them.
//!
//! 1. A deployment has one secret: a list of master keys. The first one makes things (seals, signs), all of them
//!    recognise things, so a key is replaced by putting a new one on top and taking the old one away later.
//! 2. Nothing uses a master key itself. [`MasterKeys::derive`] makes a key per [`Purpose`] and tenant (HKDF-SHA256,
//!    RFC 5869), so that what was made for one tenant, or for one use, means nothing to another.
//! 3. [`Keys`] is the handle for applications: tokens of the current tenant, and keys for those who sign themselves.
//!    [`Seals`] is what tokens and cookies are made of.
//! 4. Keys are never shown: not by `Debug`, not in errors. They are wiped from memory when they are dropped.
//!
//! The keys come from a text ([`MasterKeys::parse`], for an environment variable) or from a file
//! ([`MasterKeys::load_or_create`]).

mod derived;
mod file;
mod handle;
mod holder;
mod master;
mod seals;

#[cfg(any(feature = "directory", feature = "jobs"))]
pub(crate) use self::master::fill;
pub use self::{
    derived::{DerivedKey, KeyId, Purpose},
    file::KeyFileError,
    handle::{Keys, TokenError},
    holder::KeyHolder,
    master::{MasterKeys, MasterKeysError, NoRandomness},
    seals::Seals,
};
