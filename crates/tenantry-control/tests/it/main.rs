//! What the verbs do, on a catalog in a file.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod record;
