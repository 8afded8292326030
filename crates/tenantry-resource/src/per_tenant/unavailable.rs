//! Why a tenant has no resource right now.

use std::{error::Error, sync::Arc, time::Duration};

use tenantry_core::{Code, Refusal};
use thiserror::Error;

use crate::NoScope;

/// Why a [`super::PerTenant`] has no resource for the tenant right now.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// It could not be built.
    #[error("it could not be built; next try in {} ms", retry_in.as_millis())]
    Build {
        /// Why.
        #[source]
        error: BuildError,
        /// How long it is left alone.
        retry_in: Duration,
    },
    /// It was taken out of use while it was being built, since the tenant has changed.
    #[error("the tenant has changed while it was being built")]
    Evicted,
    /// There are as many as allowed, and all are in use.
    #[error("there are {live_max} already, which is live_max, and all are in use")]
    Full {
        /// [`super::Bounds::live_max`].
        live_max: usize,
    },
    /// The caller works for no tenant.
    #[error(transparent)]
    NoScope(#[from] NoScope),
    /// The process is about to stop.
    #[error("no more are built, because the process is about to stop")]
    ShuttingDown,
    /// Too many wait for it already.
    #[error("{waiters_max} wait for it already, which is waiters_max")]
    WaitersFull {
        /// [`super::Bounds::waiters_max`].
        waiters_max: usize,
    },
}

/// Why a resource could not be built.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Its maker returned an error.
    #[error("its maker failed")]
    Failed {
        /// What the maker said.
        #[source]
        cause: Arc<dyn Error + Send + Sync>,
    },
    /// Its maker panicked.
    #[error("its maker panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: Arc<str>,
    },
    /// Its maker took longer than [`super::Bounds::build_timeout`].
    #[error("its maker took longer than {} ms, which is build_timeout", after.as_millis())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
}

impl From<Unavailable> for Refusal {
    fn from(unavailable: Unavailable) -> Self {
        const SOON: Duration = Duration::from_secs(1);
        match unavailable {
            Unavailable::Build { error, retry_in } => {
                let code = match error {
                    BuildError::TimedOut { .. } => Code::InstanceTimeout,
                    BuildError::Failed { .. } | BuildError::Panicked { .. } => Code::InstanceFailed,
                };
                Self::new(code).because(chain(&error)).retry_after(retry_in)
            }
            Unavailable::Evicted => Self::new(Code::InstanceFailed).because(unavailable.to_string()).retry_after(SOON),
            Unavailable::Full { .. } => {
                Self::new(Code::InstancesFull).because(unavailable.to_string()).retry_after(SOON)
            }
            Unavailable::NoScope(no_scope) => no_scope.into(),
            Unavailable::ShuttingDown => Self::new(Code::ShuttingDown).retry_after(SOON),
            Unavailable::WaitersFull { .. } => {
                Self::new(Code::WaitersFull).because(unavailable.to_string()).retry_after(SOON)
            }
        }
    }
}

/// An error with all its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
