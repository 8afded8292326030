//! The suites of resources, run on each implementation.

mod uploads;
#[cfg(feature = "s3")]
mod uploads_s3;
