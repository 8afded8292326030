//! What tenants use: counted where it arises, and kept hour by hour.
//!
//! ```text
//! layers, handles ─► Usage, a scope carries it ─► Usages ─► Meter, from time to time ─► UsageStore ─► `tenantry usage`
//!                                                     └──► /metrics
//! ```

mod count;
mod hours;
mod meter;
mod store;
mod usages;

pub use self::{
    count::{Count, Usage},
    hours::{Amounts, Hour, Used},
    meter::Meter,
    store::{Batch, Step, UsageError, UsagePlane, UsageStore},
    usages::Usages,
};
