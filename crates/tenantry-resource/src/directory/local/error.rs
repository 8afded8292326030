//! What can go wrong with local users.

use tenantry_core::Slug;
use thiserror::Error;

use super::store::UserStoreError;
use crate::{NoRandomness, NoScope};

/// Why a local user was not changed, or a password not checked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalUserError {
    /// No tenant's work is done here.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// The store does not do what was asked.
    #[error(transparent)]
    Store(#[from] UserStoreError),
    /// There is one already.
    #[error("tenant {tenant} has a user {name} already")]
    Exists {
        /// Whose user.
        tenant: Slug,
        /// The login name.
        name: String,
    },
    /// There is none.
    #[error("tenant {tenant} has no user {name}")]
    Unknown {
        /// Whose user.
        tenant: Slug,
        /// The login name.
        name: String,
    },
    /// The tenant has as many as it may.
    #[error("tenant {tenant} has as many users as directory.users_max allows, {max}")]
    Full {
        /// Whose users.
        tenant: Slug,
        /// [`super::LocalOptions::users_max`].
        max: u64,
    },
    /// It can be no login name.
    #[error("a login name has 1 to {max} bytes, none of them a control character, and no white space at its ends")]
    NameRefused {
        /// How many bytes it may have.
        max: usize,
    },
    /// It can be no name to be shown, or no mail address.
    #[error("{what} has a control character in it")]
    DetailRefused {
        /// Which of the two.
        what: &'static str,
    },
    /// It can be no password.
    #[error("a password has 1 to {max} bytes")]
    PasswordRefused {
        /// How many bytes it may have.
        max: usize,
    },
    /// Too many passwords are to be checked at once.
    #[error("too many passwords of tenant {tenant} are to be checked: {limit} allows {max}")]
    Busy {
        /// Whose password.
        tenant: Slug,
        /// The limit that says so.
        limit: &'static str,
        /// What it allows.
        max: u64,
    },
    /// The operating system gives no random bytes for a salt.
    #[error("no password can be stored: {0}")]
    NoRandomness(#[from] NoRandomness),
    /// The parameters of argon2 cannot be used, or its task was ended.
    #[error("no password can be hashed: {0}")]
    Hashing(String),
}
