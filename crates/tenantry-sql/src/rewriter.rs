//! The way of a statement: parse, bind, classify, edit, splice, verify.

use std::sync::Arc;

use crate::{
    Affected, Dialect, Effect, Limits, Numbering, Parameter, Plan, Refused, SchemaMap,
    bind::{self, Bound, Change, What},
    classify, edit,
    ir::{Conflict, Insert, Kind, Setting, Statement, UpsertAction},
    rules,
    splice::Edits,
    splicing::{Footprint, Splicing},
};

/// Scopes statements on tables that tenants share.
#[derive(Clone, Debug)]
pub struct Rewriter {
    schema: Arc<SchemaMap>,
    limits: Limits,
    numbering: Numbering,
    dialect: Dialect,
}

impl Rewriter {
    /// For the tables of `schema`, in SQLite's dialect.
    pub const fn new(schema: Arc<SchemaMap>, limits: Limits) -> Self {
        Self { schema, limits, numbering: Numbering::Database, dialect: Dialect::Sqlite }
    }

    /// Numbers parameters otherwise than the database does.
    #[must_use]
    pub const fn numbering(mut self, numbering: Numbering) -> Self {
        self.numbering = numbering;
        self
    }

    /// For statements in another dialect.
    #[must_use]
    pub const fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// The tables that it scopes.
    pub const fn schema(&self) -> &Arc<SchemaMap> {
        &self.schema
    }

    /// The bounds on a statement.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Scopes a statement, for whichever tenant will be bound.
    ///
    /// # Errors
    ///
    /// A refusal, if the statement is not known to stay with one tenant's rows.
    pub fn scope(&self, text: &str) -> Result<Plan, Refused> {
        let plan = self.rewrite(text)?;
        self.verify(&plan).map_err(|refused| {
            // No values are in it: those are bound.
            tracing::error!(%refused, statement = text, scoped = &*plan.text, "a scoped statement was not verified");
            refused
        })?;
        Ok(plan)
    }

    /// What is printed is read again, by somebody who does not know how it came about.
    fn verify(&self, plan: &Plan) -> Result<(), Refused> {
        if !rules::is_verified() {
            return Ok(());
        }
        let number = u32::try_from(plan.parameters.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.dialect.verify(&plan.text, &self.schema, number)
    }

    /// What stands for the parameters of a statement.
    fn parameters(&self, statement: &Statement, text: &str, edits: &mut Edits) -> Result<Vec<Parameter>, Refused> {
        match self.dialect {
            Dialect::Sqlite => edit::number(&statement.parameters, text, self.numbering, edits),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => edit::dollars(&statement.parameters, text),
        }
    }

    fn rewrite(&self, text: &str) -> Result<Plan, Refused> {
        let statement = self.dialect.parse(text, &self.limits)?;
        match &statement.kind {
            Kind::Pragma(pragma) => return Ok(answer(edit::pragma(pragma, text)?)),
            Kind::Transaction(what) => return Ok(as_it_is(text, Effect::Transaction(*what))),
            Kind::Setting(setting) => return Ok(set(*setting, text)),
            Kind::Query(_) | Kind::Insert(_) | Kind::Update(_) | Kind::Delete(_) | Kind::Condition(_) => {}
            Kind::Merge(_) | Kind::Truncate(..) => {}
        }
        let bound = bind::bind(&statement, text, &self.schema, self.dialect)?;
        classify::functions(&bound, text, &self.schema, self.dialect)?;
        let mut edits = Edits::default();
        let parameters = self.parameters(&statement, text, &mut edits)?;
        let number = u32::try_from(parameters.len()).unwrap_or(u32::MAX).saturating_add(1);
        let splicing = Splicing::new(&self.schema, &self.limits, self.dialect.tenant(number));
        splicing.edit(text, &statement, &bound, &mut edits)?;
        let (effect, gives_rows) = effect(&statement, &bound);
        let Footprint { of_tenants, mut relations, .. } = splicing.footprint();
        if effect.writes() {
            self.schema.add_related(&mut relations);
        }
        let tenant = of_tenants.then_some(number);
        Ok(Plan {
            text: edits.apply(text).into(),
            effect,
            parameters,
            tenant,
            gives_rows,
            relations,
            outlives_transaction: false,
            affected: affected(&statement, &bound),
            chance: classify::chance(&bound),
        })
    }
}

/// What SQLite itself answers about the schema.
fn answer(text: String) -> Plan {
    Plan { gives_rows: true, ..as_it_is(text, Effect::Read) }
}

/// What is set for the connection, or asked of it.
fn set(setting: Setting, text: &str) -> Plan {
    match setting {
        Setting::Show => Plan { gives_rows: true, ..as_it_is(text, Effect::Read) },
        Setting::Transaction => as_it_is(text, Effect::Setting),
        Setting::Connection => Plan { outlives_transaction: true, ..as_it_is(text, Effect::Setting) },
    }
}

/// A statement that passes as it is.
fn as_it_is(text: impl Into<Arc<str>>, effect: Effect) -> Plan {
    Plan {
        text: text.into(),
        effect,
        parameters: Vec::new(),
        tenant: None,
        gives_rows: false,
        relations: Vec::new(),
        outlives_transaction: false,
        affected: Affected::Exact,
        chance: None,
    }
}

fn affected(statement: &Statement, bound: &Bound<'_>) -> Affected {
    let inserts = |change: &&Change<'_>| matches!(change.what, What::Insert(_) | What::Merge(_));
    let inserts_itself = matches!(statement.kind, Kind::Insert(_) | Kind::Merge(_));
    if bound.changes.iter().filter(inserts).count() > usize::from(inserts_itself) {
        return Affected::WithoutInserted;
    }
    match &statement.kind {
        // What is deleted within makes room.
        Kind::Insert(insert) if updates(insert) || bound.changes.len() > 1 => Affected::Mixed,
        Kind::Merge(_) => Affected::Mixed,
        Kind::Query(_) if !bound.changes.is_empty() => Affected::Unknown,
        _ => Affected::Exact,
    }
}

/// Whether rows that are there already may be changed or replaced.
fn updates(insert: &Insert) -> bool {
    let replaces = matches!(insert.conflict, Some(Conflict::Replace));
    replaces || insert.upserts.iter().any(|upsert| !matches!(upsert.action, UpsertAction::Nothing))
}

fn effect(statement: &Statement, bound: &Bound<'_>) -> (Effect, bool) {
    match &statement.kind {
        Kind::Query(_) | Kind::Condition(_) | Kind::Pragma(_) => {
            let first = bound.changes.first();
            (first.map_or(Effect::Read, |change| effect_of(change.what)), true)
        }
        Kind::Insert(insert) => (Effect::Insert, insert.returning.is_some()),
        Kind::Update(update) => (Effect::Update, update.returning.is_some()),
        Kind::Delete(delete) => (Effect::Delete, delete.returning.is_some()),
        Kind::Merge(_) => (Effect::Merge, false),
        Kind::Truncate(..) => (Effect::Truncate, false),
        Kind::Setting(_) => (Effect::Setting, false),
        Kind::Transaction(what) => (Effect::Transaction(*what), false),
    }
}

const fn effect_of(what: What<'_>) -> Effect {
    match what {
        What::Insert(_) => Effect::Insert,
        What::Update(_) => Effect::Update,
        What::Delete(_) => Effect::Delete,
        What::Merge(_) => Effect::Merge,
    }
}
