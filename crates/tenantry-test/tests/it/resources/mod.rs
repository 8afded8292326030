//! The suites of resources, on every implementation.

mod directory;
mod jobs;
