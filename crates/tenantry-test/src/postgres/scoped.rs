//! How a statement of the tenant's comes to the shared tables.

use std::{fmt, sync::Arc};

use tenantry_sql::{Dialect, Limits, Plan, Refused, Rewriter};

use super::standard;

/// Makes a plan of a statement, as Tenantry does, or with something missing.
pub struct Planner {
    rewriter: Rewriter,
    around: Around,
}

type Around = Box<dyn Fn(&Rewriter, &str) -> Result<Plan, Refused>>;

impl Planner {
    /// As Tenantry does it.
    pub fn new() -> Self {
        Self::with(Rewriter::scope)
    }

    /// With something around it.
    pub fn with(around: impl Fn(&Rewriter, &str) -> Result<Plan, Refused> + 'static) -> Self {
        let rewriter = Rewriter::new(Arc::new(standard::schema()), Limits::default()).dialect(Dialect::Postgres);
        Self { rewriter, around: Box::new(around) }
    }

    /// The plan.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub fn plan(&self, text: &str) -> Result<Plan, Refused> {
        (self.around)(&self.rewriter, text)
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner").finish_non_exhaustive()
    }
}
