//! One resource per tenant: built when first needed, shared while in use, closed when idle.
//!
//! ```text
//!                    of(scope)
//!  nothing ──────────────────────► building ── made ──► live ── idle, or replaced ──► draining ── last use ends ──► closed
//!     ▲                              │                                                (in use)
//!     └── back-off over ── failed ◄──┘ error · panic · timeout
//! ```
//!
//! 1. However many ask at once, a resource is built once; the others wait, at most [`Bounds::waiters_max`] of them. The
//!    build goes on when the request that began it goes away.
//! 2. A build that fails, panics or takes longer than [`Bounds::build_timeout`] is not tried again before a back-off,
//!    which doubles with each failure. Other tenants are not affected.
//! 3. At most [`Bounds::live_max`] are building or live. When there are more, the one that was idle longest makes room;
//!    one in use never does. When all are in use, the newcomer is refused.
//! 4. A resource that nobody has used for [`Bounds::idle`] is closed.
//! 5. A resource built for an older record of the tenant is replaced; a resource that is removed while in use is closed
//!    when its last user is done.

mod bounds;
mod build;
mod handle;
mod held;
mod make;
mod slots;
mod unavailable;

pub use self::{
    bounds::Bounds,
    handle::PerTenant,
    held::Held,
    make::{BoxError, MakeFn, MakeResource, make_fn},
    unavailable::{BuildError, Unavailable},
};
