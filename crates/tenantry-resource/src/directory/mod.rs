//! Who may sign in, for each tenant: in a server that speaks LDAP, or in a store of local users.
//!
//! Which of them is said by the tenant's own settings ([`DirectorySettings`]); an empty `url` is the local store.
//!
//! | module | what it has |
//! |---|---|
//! | `handle` | [`Directory`], which an application signs people in by |
//! | `person` | [`Person`], who signed in |
//! | `settings` | [`DirectorySettings`], a part of the application's settings |
//! | `local` | [`LocalUsers`], with passwords as argon2id |
//! | `ldap` | the same question, asked of a server (feature `ldap`) |
//! | `error` | why there was no answer |

mod error;
mod handle;
#[cfg(feature = "ldap")]
mod ldap;
mod local;
mod person;
mod settings;

pub use self::{
    error::DirectoryError,
    handle::Directory,
    local::{
        Added, LocalOptions, LocalUser, LocalUserError, LocalUsers, MemoryUsers, TenantUsers, UserChange, UserStore,
        UserStoreError, UsersPlane,
    },
    person::Person,
    settings::DirectorySettings,
};
