//! Black-box checks for the notes application. They use a running copy as a
//! browser does: they begin at its first page and go where its links and forms
//! lead, so they hold below any path at which the application may be found.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let site = notes_suite::Site::new("http://127.0.0.1:3000/".parse()?);
//! notes_suite::check_all(&site).await
//! # }
//! ```

pub mod browser;
pub mod checks;
pub mod page;
pub mod people;
mod site;

pub use reqwest::{Method, StatusCode};

pub use crate::browser::{Browser, StoredCookie};
pub use crate::checks::{Check, all, check_all};
pub use crate::page::{Form, Link, Page};
pub use crate::people::Account;
pub use crate::site::Site;
