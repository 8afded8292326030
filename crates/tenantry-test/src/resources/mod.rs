//! Suites that any implementation of a tenant's resource has to pass. They fail by panicking.
//!
//! | module | |
//! |---|---|
//! | `tenants` | two tenants to work for |
//! | `uploads` | files: [`uploads`](fn@uploads), and [`uploads_in_two_worlds`] with random operations |

mod tenants;
mod uploads;

pub use self::{
    tenants::two_tenants,
    uploads::{uploads, uploads_in_two_worlds},
};
