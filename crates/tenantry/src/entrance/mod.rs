//! The entrance: links that let somebody into a tenant, without a password.
//!
//! `tenantry tenant impersonate` makes one for whoever has to see what a customer sees; a trial begins with one. A link is good
//! once, for a minute (`entrance.valid_for`), and for one tenant: it leads to a path of the tenant's own application
//! (`entrance.path`), where a layer of the [`Front`](crate::Front) answers.
//!
//! 1. What is in the link is signed with the tenant's key, so another tenant's, a changed one and one whose time is up are
//!    refused alike, and nothing is said of whom they are for.
//! 2. It is spent in the catalog, with an entry in the audit log, before anybody is signed in. While the catalog is away nobody
//!    gets in.
//! 3. The application signs the visitor in, as [`SignIn`] says; its cookies are sealed and moved as always.
//!
//! | module | what it has |
//! |---|---|
//! | `sign_in` | [`SignIn`]: how the application signs a visitor in |
//! | `form` | its own login, replayed |
//! | `visitor` | [`Visitor`]: who comes in |
//! | `link` | [`Link`]: how one is made |
//! | `door` | from a link that is presented to a visitor who is signed in |
//! | `service` | the layer |

mod door;
mod form;
mod link;
mod service;
mod sign_in;
mod visitor;

pub(crate) use self::{door::Door, link::Pass};
pub use self::{
    link::{ImpersonateError, Link},
    service::{Entrance, EntranceFuture},
    sign_in::SignIn,
    visitor::{Visitor, Way},
};
