//! The suites of resources, on every implementation.

mod jobs;
