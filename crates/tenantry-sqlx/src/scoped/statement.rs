//! A statement with its tenant bound.

use sqlx::{Arguments, AssertSqlSafe, Database, Execute, SqlSafeStr, SqlStr, error::BoxDynError};
use tenantry_sql::{Affected, Effect, Plan};

use super::{Scopable, ScopeError};

/// What sqlx is given to run.
pub(super) struct Ready<DB: Database> {
    text: SqlStr,
    arguments: Option<DB::Arguments>,
    persistent: bool,
    pub(super) does: Does,
    /// Whether it changes rows, as far as its first word says where nothing else is known.
    pub(super) changes: bool,
    /// Whether something else runs first, whose result is not the application's.
    pub(super) looks: bool,
}

/// What a statement does, as far as that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Does {
    pub(super) effect: Option<Effect>,
    /// What it says that the database counts its rows.
    pub(super) affected: Affected,
}

impl Does {
    /// Whether it may insert rows.
    pub(super) fn inserts(self) -> bool {
        matches!(self.effect, Some(Effect::Insert | Effect::Merge)) || self.affected == Affected::WithoutInserted
    }

    /// Whether each row that it changes is a new one, and counted.
    pub(super) fn only_inserts(self) -> bool {
        self.effect == Some(Effect::Insert) && self.affected == Affected::Exact
    }
}

impl<DB: Scopable> Ready<DB> {
    /// A statement as it was written.
    pub(super) fn as_written(text: SqlStr, arguments: Option<DB::Arguments>, persistent: bool) -> Self {
        let word = text.as_str().trim_start().get(..6).unwrap_or_default();
        let changes =
            ["INSERT", "UPDATE", "DELETE", "REPLAC", "MERGE "].iter().any(|known| known.eq_ignore_ascii_case(word));
        Self { text, arguments, persistent, does: Does::default(), changes, looks: false }
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
            does: Does { effect: Some(plan.effect), affected: plan.affected },
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
