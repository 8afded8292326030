//! What every cache has to do.

mod apart;
mod computing;
mod counting;
mod property;
mod values;

use std::{error::Error, time::Duration};

use tenantry_resource::cache::Cache;

pub use self::property::{Action, actions, differs};

/// Why a suite could not be run to its end.
pub type Failed = Box<dyn Error + Send + Sync>;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// Keys that would be another's if they were not taken as they are.
pub const HOSTILE_KEYS: &[&str] = &[
    "a",
    "A",
    " a",
    "a ",
    "a\0",
    "\0a",
    "\0",
    "a\nb",
    "a\r\nb",
    "a:b",
    "a::b",
    ":",
    "::",
    "/",
    "../a",
    "..",
    "*",
    "a*",
    "?",
    "[a]",
    "\\",
    "\\*",
    "{",
    "}",
    "{}",
    "{a}",
    "}{",
    "{b}a",
    "{tenantry:11}:c:a",
    "}:c:a",
    "11}:c:a",
    "tenantry:11",
    ":g",
    "g",
    "'",
    "\"",
    "`",
    "%00",
    "a%3Ab",
    "ä",
    "a\u{308}",
    "\u{ff1a}",
    "\u{202e}a",
    "\u{feff}a",
    "🦀",
    "$1",
    "*1\r\n$1\r\na\r\n",
    "PX",
    "NX",
    "0",
    "-1",
    "null",
];

/// Runs everything that a cache has to do, each part with a handle of its own that `make` makes. Each handle begins empty.
///
/// # Errors
///
/// When the cache fails. Where it answers wrongly, this panics.
pub async fn cache(make: impl Fn() -> Cache) -> Result<(), Failed> {
    apart::tenants(&make()).await?;
    apart::keys(&make()).await?;
    apart::no_scope(&make()).await?;
    apart::tasks(&make()).await?;
    values::types(&make()).await?;
    values::expiring(&make()).await?;
    values::limits(&make()).await?;
    values::again(&make()).await?;
    counting::counters(&make()).await?;
    counting::no_numbers(&make()).await?;
    counting::at_once(&make()).await?;
    computing::once(&make()).await?;
    computing::failing(&make()).await?;
    computing::cleared(&make()).await?;
    computing::overtaken(&make()).await?;
    computing::scoped(&make()).await?;
    Ok(())
}
