//! Trials: whoever asks gets a workspace of their own for a while, made from a template.
//!
//! ```no_run
//! # async fn example(tenancy: tenantry::Tenancy, app: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! use axum::Router;
//! use tenantry::entrance::SignIn;
//!
//! let trials = tenancy.trials()?;
//! let front = tenancy
//!     .wrap(app)
//!     .entrance(SignIn::form("/login", [("email", "guest@example.com"), ("password", "let me try it")]))
//!     .apex(Router::new().merge(trials.router()));   // GET /try is a page, POST /try begins a trial
//! # Ok(())
//! # }
//! ```
//!
//! 1. A trial is a tenant like any other: it is cloned from `trial.template`, is on `trial.plan`, has a name that nobody can
//!    guess, and ends after `trial.ttl`. Requests that are under way then are answered; later ones are refused (410).
//! 2. There are at most `trial.capacity` at once. When all are taken, the answer is a 503 that says when the first one ends.
//!    An address gets at most `trial.per_address` within `trial.per_address_within`; then it is a 429.
//! 3. Nothing is created for whoever is refused, or has yet to confirm an address ([`Trials::confirming`]).
//! 4. `trial.keep` after its end a trial is marked as deleting, and servers erase it, unless it has become a customer
//!    (`tenantry tenant promote`), whenever that one's time is up; or has got another name, or more time.
//! 5. With `trial.warm`, so many are made ahead: they are suspended, have another name and no end, and so are found again by
//!    whichever process comes next. Who asks gets one by one change of its record, which only one can make.
//!
//! The limits are kept per process, but for what is made ahead. [`remaining()`] tells handlers and templates how much time is
//! left; answers say so in the headers `Tenantry-Expires` and `Tenantry-Expires-In`.
//!
//! | module | what it has |
//! |---|---|
//! | `start` | [`Trials`]: from a visitor who asks to a link into a tenant |
//! | `router` | the page, and what it sends |
//! | `confirm` | visitors who have to confirm an address first |
//! | `keeper` | what is made ahead, and what is over |
//! | `name` | what trials are called |
//! | `rates`, `room` | the limits |
//! | `page` | the page itself |
//! | `time` | what is left |

mod confirm;
mod keeper;
mod name;
mod page;
mod rates;
mod room;
mod router;
mod start;
mod time;

pub use self::{
    confirm::Confirmation,
    start::{NoTrials, Trial, Trials},
    time::{Remaining, TellTime, TellTimeFuture, remaining},
};
