//! Settings of the application, typed, for each tenant.
//!
//! | module | |
//! |---|---|
//! | `error` | why there are no settings, and why one cannot be set |
//! | `handle` | [`Settings`], which an application reads and changes them by |
//! | `layers` | what stands over what, and where a value is from |
//! | `seal` | secrets, as they are stored |
//! | `secret` | [`Secret`], a value that is not shown |

mod error;
mod handle;
mod layers;
mod seal;
mod secret;

pub use self::{
    error::{SettingRefused, SettingsError},
    handle::Settings,
    layers::{Layer, Sourced},
    secret::Secret,
};
