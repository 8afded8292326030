//! Users of a tenant's own, without a server.
//!
//! | module | |
//! |---|---|
//! | `users` | [`LocalUsers`]: signing in, and [`TenantUsers`]: who there is |
//! | `hashing` | passwords as argon2id, a few at once |
//! | `store` | [`UserStore`], what any store must be able to do |
//! | `memory` | [`MemoryUsers`], a store that ends with the process |
//! | `plane` | local users, as what looks after a tenant's life sees them |
//! | `error` | what can go wrong |

mod error;
mod hashing;
mod memory;
mod plane;
mod store;
mod users;

pub(super) use self::users::{check_name, check_password};
pub use self::{
    error::LocalUserError,
    hashing::LocalOptions,
    memory::MemoryUsers,
    plane::UsersPlane,
    store::{Added, LocalUser, UserChange, UserStore, UserStoreError},
    users::{LocalUsers, TenantUsers},
};
