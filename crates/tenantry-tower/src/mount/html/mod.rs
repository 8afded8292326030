//! Moves the links in a page while it streams through.

mod attributes;
mod body;
mod page;
mod srcset;
mod stream;

pub(super) use self::page::{is_page, rewrite};
