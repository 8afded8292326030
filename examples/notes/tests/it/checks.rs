//! The checks of the suite, each on a new copy of the application.

use notes_suite::check_all;

use crate::running::Running;

macro_rules! checks {
    ($($module:ident :: { $($name:ident),+ $(,)? })+) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $name() {
                let running = crate::running::Running::start().await;
                let checked = notes_suite::checks::$module::$name(&running.site).await;
                checked.unwrap();
            })+
        })+

        const NAMES: &[&str] = &[
            $($(concat!(stringify!($module), "::", stringify!($name)),)+)+
        ];
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

#[test]
fn no_check_is_left_out() {
    let all: Vec<&str> = notes_suite::all().iter().map(|check| check.name).collect();
    assert_eq!(all, NAMES);
}

#[tokio::test]
async fn all_hold_on_a_site_in_use() {
    let running = Running::start().await;
    check_all(&running.site).await.unwrap();
    check_all(&running.site).await.unwrap();
}

#[tokio::test]
async fn the_host_need_not_be_where_the_site_is() {
    let running = Running::start().await;
    let mut site = running.site.clone();
    let port = site.base.port().unwrap();
    site.base = "http://notes.example.org/".parse().unwrap();
    let site = site.connecting_to(([127, 0, 0, 1], port).into());
    notes_suite::checks::links::all_lead_somewhere(&site).await.unwrap();
}
