//! Why a statement was not run, as sqlx hands it on.

use std::{borrow::Cow, error::Error as StdError, sync::Arc};

use sqlx::error::{DatabaseError, ErrorKind};
use tenantry_core::Slug;
use tenantry_resource::{NoScope, Unavailable};
use tenantry_sql::Refused;
use thiserror::Error;

/// Why a statement was not run.
///
/// It travels within [`sqlx::Error::Database`], so that an application which only looks at messages and codes sees an
/// error of the database. [`ScopeError::of`] finds it again.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// There is no scope, so that it is not known whose rows are meant.
    #[error("TENANT_SCOPE_REFUSED[S20] {0}")]
    NoScope(#[from] NoScope),
    /// The connection was leased for one tenant, and the running task works for another.
    #[error(
        "TENANT_SCOPE_REFUSED[S20] the connection was leased for another tenant than the running task works for; lease a \
         connection within the scope that uses it"
    )]
    OtherScope {
        /// The tenant that the connection was leased for.
        leased: Slug,
    },
    /// The statement is not known to stay with the tenant's rows.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// More or fewer values were bound than the statement has parameters.
    #[error(
        "TENANT_SCOPE_REFUSED[S01] the statement has {parameters} parameters and {bound} values were bound; bind one for each"
    )]
    Arguments {
        /// The highest number of a parameter.
        parameters: usize,
        /// How many values were bound.
        bound: usize,
    },
    /// A statement that begins or ends a transaction was sent to the pool, where the next statement may get another
    /// connection.
    #[error("TENANT_SCOPE_REFUSED[S02] transactions do not begin and end on a pool; use begin()")]
    TransactionOnPool,
    /// What a transaction was to begin with is another statement.
    #[error("TENANT_SCOPE_REFUSED[S02] a transaction begins with BEGIN, and with nothing else")]
    NoBeginning,
    /// The tenant is not, or no longer, to be served.
    #[error("{0}")]
    NotAdmitted(tenantry_core::Refusal),
    /// The statement met a limit of the tenant's plan.
    #[error("{0}")]
    OverLimit(tenantry_core::Refusal),
    /// There is no database for the tenant's placement.
    #[error(
        "tenant {tenant} has the placement {placement}, for which no database is configured; configure it, or move the tenant"
    )]
    Placement {
        /// The tenant.
        tenant: Slug,
        /// Its placement, as stored and shown.
        placement: &'static str,
    },
    /// The tenant is being adopted, and not all of its rows are there.
    #[error("the rows of tenant {tenant} are incomplete: its adoption has not ended; `tenantry adopt` goes on with it")]
    Incomplete {
        /// The tenant.
        tenant: Slug,
    },
    /// The tenant's rows have just been moved to another place, and this process has not heard of it yet.
    #[error("the rows of the tenant have been moved to another place; try again in a moment")]
    Moved,
    /// Row-level security does not hold, so that a mistake in the scoping of a statement would not be caught.
    #[error("no statement is run on shared tables, since row-level security does not hold: {0}; see `tenantry doctor`")]
    SecondWall(Arc<str>),
    /// No database is configured.
    #[error("no database is configured for these statements: {missing}")]
    NotConfigured {
        /// What is missing.
        missing: &'static str,
    },
    /// Too many statements wait for a connection.
    #[error(
        "{waiters_max} statements wait for a connection already; try again, or raise waiters_max or connections_max"
    )]
    TooManyWait {
        /// How many may wait.
        waiters_max: usize,
    },
    /// The tenant's own database cannot be opened now.
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
}

impl ScopeError {
    /// The scope error within an error of sqlx.
    pub fn of(error: &sqlx::Error) -> Option<&Self> {
        error.as_database_error()?.try_downcast_ref()
    }

    /// What is to be answered to whoever sent the request, if it is a refusal of the tenant rather than a failure.
    ///
    /// ```
    /// # use tenantry_sqlx::ScopeError;
    /// fn answer(error: &sqlx::Error) -> (u16, String) {
    ///     match ScopeError::of(error).and_then(ScopeError::refusal) {
    ///         Some(refusal) => (refusal.status().as_u16(), refusal.public().into_owned()),
    ///         None => (500, "the service failed on this request.".to_owned()),
    ///     }
    /// }
    /// ```
    pub const fn refusal(&self) -> Option<&tenantry_core::Refusal> {
        match self {
            Self::NotAdmitted(refusal) | Self::OverLimit(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The code of the specification, if it is a refusal of the statement.
    pub const fn code(&self) -> Option<tenantry_sql::Code> {
        match self {
            Self::NoScope(_) | Self::OtherScope { .. } => Some(tenantry_sql::Code::NoTenant),
            Self::Refused(refused) => Some(refused.code),
            Self::Arguments { .. } => Some(tenantry_sql::Code::Statement),
            Self::TransactionOnPool | Self::NoBeginning => Some(tenantry_sql::Code::Unknown),
            Self::NotAdmitted(_)
            | Self::OverLimit(_)
            | Self::Placement { .. }
            | Self::Incomplete { .. }
            | Self::Moved
            | Self::NotConfigured { .. }
            | Self::SecondWall(_)
            | Self::TooManyWait { .. }
            | Self::Unavailable(_) => None,
        }
    }
}

impl DatabaseError for ScopeError {
    fn message(&self) -> &str {
        match self {
            Self::NoScope(_) => "no scope",
            Self::OtherScope { .. } => "another scope",
            Self::Refused(refused) => refused.code.reason(),
            Self::Arguments { .. } => "not one value for each parameter",
            Self::TransactionOnPool => "a transaction on a pool",
            Self::NoBeginning => "no beginning of a transaction",
            Self::NotAdmitted(_) => "the tenant is not admitted",
            Self::OverLimit(refusal) => refusal.code().text(),
            Self::Placement { .. } => "no database for the placement",
            Self::Incomplete { .. } => "the tenant's rows are incomplete",
            Self::Moved => "the tenant's rows have been moved",
            Self::NotConfigured { .. } => "no database is configured",
            Self::SecondWall(_) => "row-level security does not hold",
            Self::TooManyWait { .. } => "too many statements wait for a connection",
            Self::Unavailable(_) => "the tenant's database is not available",
        }
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Self::code(self).map(|code| Cow::Borrowed(code.as_str()))
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
