//! How a catalog is opened, the same for every database.

use std::{env, time::Duration};

use tenantry_core::Act;

/// How to open a [`SqliteCatalog`](crate::SqliteCatalog), or a `PgCatalog`.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub(super) fill: Fill,
    act: Option<Act>,
    pub(super) busy_timeout: Duration,
}

impl OpenOptions {
    /// How long an operation waits for a lock that another process holds, unless told otherwise. Knob
    /// `catalog.busy_timeout`.
    pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

    /// Opens the catalog, and makes it where there is none: for whoever creates tenants.
    pub const fn create_if_missing() -> Self {
        Self { fill: Fill::Yes, act: None, busy_timeout: Self::BUSY_TIMEOUT }
    }

    /// Opens the catalog, which has to be there: a wrong path or URL is an error, not an empty catalog.
    pub const fn must_exist() -> Self {
        Self { fill: Fill::No, act: None, busy_timeout: Self::BUSY_TIMEOUT }
    }

    /// Waits so long for a lock that another process holds, and for an answer of a server.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Changes are this one's; unless told otherwise, those of the process, by its name and number.
    #[must_use]
    pub fn act(mut self, act: Act) -> Self {
        self.act = Some(act);
        self
    }

    /// Whose the changes are.
    pub(super) fn into_act(self) -> Act {
        self.act.unwrap_or_else(|| {
            let program =
                env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
            let program = program.unwrap_or_else(|| "a process".to_owned());
            Act::of(program, format!("process {}", std::process::id()))
        })
    }
}

/// What to do with an empty file, or a database without the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// Make the tables.
    Yes,
    /// Refuse it: it is the trace of an accident.
    No,
}
