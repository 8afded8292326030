//! A statement with its tenant bound.

use sqlx::{Arguments, AssertSqlSafe, Database, Execute, SqlSafeStr, SqlStr, error::BoxDynError};
use tenantry_sql::{Effect, Plan};

use super::{Scopable, ScopeError};

/// What sqlx is given to run.
pub(super) struct Ready<DB: Database> {
    text: SqlStr,
    arguments: Option<DB::Arguments>,
    persistent: bool,
    /// What it does, if that is known.
    pub(super) effect: Option<Effect>,
    /// Whether all rows that it changes are new ones, as far as is known.
    pub(super) only_inserts: bool,
    /// Whether it changes rows, as far as its first word says where nothing else is known.
    pub(super) changes: bool,
    /// Whether something else runs first, whose result is not the application's.
    pub(super) looks: bool,
}

impl<DB: Scopable> Ready<DB> {
    /// A statement as it was written.
    pub(super) fn as_written(text: SqlStr, arguments: Option<DB::Arguments>, persistent: bool) -> Self {
        let word = text.as_str().trim_start().get(..6).unwrap_or_default();
        let changes =
            ["INSERT", "UPDATE", "DELETE", "REPLAC", "MERGE "].iter().any(|known| known.eq_ignore_ascii_case(word));
        Self { text, arguments, persistent, effect: None, only_inserts: false, changes, looks: false }
    }

    /// The same after another statement, which gives no rows.
    pub(super) fn after(self, first: &str) -> Self {
        let text = AssertSqlSafe(format!("{first}{}", self.text.as_str())).into_sql_str();
        Self { text, looks: true, ..self }
    }

    /// A planned statement, with the tenant bound after the application's own values.
    pub(super) fn planned(
        plan: &Plan,
        arguments: Option<DB::Arguments>,
        persistent: bool,
        tenant: i64,
    ) -> Result<Self, sqlx::Error> {
        let text = AssertSqlSafe(std::sync::Arc::clone(&plan.text)).into_sql_str();
        let parameters = plan.parameters.len();
        let bound = arguments.as_ref().map_or(0, Arguments::len);
        // The tenant's value has to get the tenant's number, so that none may be missing or too many.
        if bound != parameters {
            return Err(ScopeError::Arguments { parameters, bound }.into());
        }
        let mut arguments = arguments;
        if plan.tenant.is_some() {
            let arguments = arguments.get_or_insert_with(Default::default);
            DB::bind(arguments, tenant).map_err(sqlx::Error::Encode)?;
        }
        Ok(Self {
            text,
            arguments,
            persistent,
            effect: Some(plan.effect),
            only_inserts: plan.only_inserts,
            changes: plan.effect.writes(),
            looks: false,
        })
    }
}

impl<'q, DB: Database> Execute<'q, DB> for Ready<DB> {
    fn sql(self) -> SqlStr {
        self.text
    }

    fn statement(&self) -> Option<&DB::Statement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}
