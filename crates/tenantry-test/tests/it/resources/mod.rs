//! The suites of resources, run on each implementation.

mod cache;
mod directory;
mod jobs;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod uploads;
#[cfg(feature = "s3")]
mod uploads_s3;
