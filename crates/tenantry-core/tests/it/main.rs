//! What the crate promises to code outside it.

mod errors_page;
mod promises;
mod slug;
