//! Tenants over HTTP, as tower layers around an axum application.
//!
//! ```text
//! request ─► resolve ─► admit ─► limit ─► mount ─► seal ─► within the scope ─► dispatch (or one shared application)
//! ```

mod admit;
mod body;
mod cookie;
mod dispatch;
mod enter;
mod extract;
mod form;
mod limit;
mod mount;
mod refuse;
mod resolve;
mod seal;
mod trust;

pub use self::{
    admit::{Admit, AdmitLayer},
    dispatch::{App, Dispatch, DispatchFuture, MakeApp},
    enter::{Enter, EnterFuture, EnterLayer},
    extract::CurrentScope,
    form::hidden_fields,
    limit::{Limit, LimitFuture, LimitLayer},
    mount::{HtmlRewriting, Mount, MountFuture, MountLayer, ScriptRoot},
    refuse::{ResponseFuture, refused},
    resolve::{
        AllAgree, Claim, ClaimKeys, ClaimKeysError, FirstOf, Header, Host, PathPrefix, PathPrefixError, Resolve,
        ResolveFuture, ResolveLayer,
    },
    seal::{Seal, SealFuture, SealLayer},
    trust::{ToldBy, TrustedProxies},
};
