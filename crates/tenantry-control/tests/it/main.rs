//! What the verbs do, on a catalog in a file.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod archive;
mod dropped;
mod migrate;
mod moving;
mod operation;
mod record;
mod sweep;

use self::dropped::dropped_after;
