//! The suites of resources, run on each implementation.

mod jobs;
mod uploads;
#[cfg(feature = "s3")]
mod uploads_s3;
