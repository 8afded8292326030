//! Settings of the application, typed, for each tenant.
//!
//! | module | |
//! |---|---|
//! | `described` | which settings there are, for tools that do not know the application's struct |
//! | `error` | why there are no settings, and why one cannot be set |
//! | `handle` | [`Settings`], which an application reads and changes them by |
//! | `layers` | what stands over what, and where a value is from |
//! | `portable` | settings that are given out and taken in elsewhere |
//! | `seal` | secrets, as they are stored |
//! | `secret` | [`Secret`], a value that is not shown |

mod described;
mod error;
mod handle;
mod layers;
mod portable;
mod seal;
mod secret;

pub use self::{
    described::{Described, Drifted},
    error::{SettingRefused, SettingsError},
    handle::Settings,
    layers::{Layer, Sourced},
    portable::PortableOverrides,
    secret::Secret,
};
