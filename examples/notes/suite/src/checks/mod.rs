//! The checks, each of which can be made on its own, on a new site or on one
//! in use. They need the site to themselves only where they change settings,
//! which they put back.

pub mod accounts;
pub mod api;
pub mod attachments;
pub mod comments;
pub mod cookies;
pub mod digests;
pub mod forms;
pub mod links;
pub mod notes;
pub mod pages;
pub mod search;
pub mod settings;
pub mod stats;
pub mod tags;
pub mod writing;

use std::fmt;
use std::pin::Pin;

use anyhow::{Result, bail};

use crate::site::Site;

/// What a running check is.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// A check with its name.
#[derive(Clone, Copy)]
pub struct Check {
    /// The module and the function, for example `notes::changing`.
    pub name: &'static str,
    /// Makes the check.
    pub run: for<'a> fn(&'a Site) -> Running<'a>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish()
    }
}

macro_rules! checks {
    ($($module:ident :: { $($name:ident),+ $(,)? })+) => {
        /// All checks, in the order in which to make them.
        #[must_use]
        pub fn all() -> Vec<Check> {
            vec![$($(Check {
                name: concat!(stringify!($module), "::", stringify!($name)),
                run: |site| Box::pin($module::$name(site)),
            }),+),+]
        }
    };
}

checks! {
    accounts::{
        first_user_is_administrator, signing_up, signing_up_twice, signing_in_and_out,
        wrong_password, pages_need_signing_in, forged_session,
    }
    cookies::{attributes, theme, theme_on_the_settings_page, flash_is_shown_once}
    forms::{token_is_required, token_belongs_to_session}
    notes::{writing_changing_deleting, only_the_author_changes, incomplete_notes, markup_is_escaped}
    tags::{filing, unusual_names}
    comments::{commenting, only_the_author_deletes}
    attachments::{attaching, saved_and_not_shown, refused, gone_with_the_note}
    pages::{listing_by_pages, searching_by_pages}
    search::{finding, special_characters, nothing_found}
    stats::{figures, kept_for_a_while}
    digests::{ordered}
    settings::{changing, refused_to_members, nonsense_is_refused}
    api::{needs_session, signing_in, notes_by_api, lists_by_api, comments_by_api, errors, stats_by_api}
    links::{all_lead_somewhere}
}

/// Makes all checks, one after the other, and reports all that failed.
pub async fn check_all(site: &Site) -> Result<()> {
    let mut failures = Vec::new();
    for check in all() {
        if let Err(error) = (check.run)(site).await {
            failures.push(format!("{}: {error:#}", check.name));
        }
    }
    if !failures.is_empty() {
        bail!("{} failed:\n{}", site.base, failures.join("\n"));
    }
    Ok(())
}
