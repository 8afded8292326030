//! In what two outcomes of a statement differ, and what of others is in one.

use std::collections::BTreeSet;

use super::{Difference, Done, Outcome, Side, What, side::ByTable};
use crate::{
    Value,
    generate::{Feature, Statement},
    leak,
};

/// A statement that is being compared.
pub(super) struct Case<'a> {
    pub(super) statement: &'a Statement,
    pub(super) features: BTreeSet<Feature>,
    pub(super) text: String,
    pub(super) arguments: Vec<Value>,
    /// Whether it changes rows.
    pub(super) writes: bool,
    /// What the ids that it is given go on from, so that they are the same whatever others have used.
    pub(super) ids: Option<usize>,
}

/// What all sides gave.
pub(super) struct Outcomes {
    pub(super) private: Outcome,
    pub(super) permuted: Outcome,
    pub(super) shared: Outcome,
    pub(super) alone: Outcome,
}

impl Outcomes {
    /// Whether an expression could not be evaluated: which ones are is PostgreSQL's choice.
    pub(super) fn depends_on_evaluation(&self) -> bool {
        [&self.private, &self.shared].into_iter().filter_map(|outcome| outcome.code()).any(is_of_evaluation)
    }

    /// Whether both have failed at a row: which error comes first is PostgreSQL's choice.
    pub(super) fn failed_at_rows(&self) -> bool {
        let at_row =
            |outcome: &Outcome| outcome.code().is_some_and(|code| is_of_evaluation(code) || code.starts_with("23"));
        at_row(&self.private) && at_row(&self.shared)
    }
}

/// Class 22: what cannot be evaluated; 21: a row too many.
fn is_of_evaluation(code: &str) -> bool {
    code.starts_with("22") || code.starts_with("21")
}

impl<'a> Case<'a> {
    pub(super) fn new(statement: &'a Statement, at: usize) -> Self {
        let features = statement.features();
        let writes = statement.kind().writes() || features.contains(&Feature::DataModifyingCte);
        let ids = writes.then_some((at + 1) * 1000);
        Self { statement, features, text: statement.dollar_text(), arguments: statement.arguments(), writes, ids }
    }

    /// Whether it may touch rows.
    pub(super) fn touches(&self) -> bool {
        self.writes || self.features.contains(&Feature::Locking)
    }

    /// Whether its form leaves PostgreSQL a choice.
    pub(super) fn is_free(&self) -> bool {
        use Feature::{
            AggregateOrdered, DistinctOn, LimitUnordered, Locking, Poison, TableFunction, UpdateFrom, Window,
        };
        let free = [AggregateOrdered, DistinctOn, LimitUnordered, Locking, Poison, TableFunction, UpdateFrom, Window];
        free.iter().any(|feature| self.features.contains(feature))
    }

    pub(super) fn differs(&self, what: What, private: &Outcome, shared: &Outcome, side: &Side) -> Box<Difference> {
        Box::new(Difference {
            text: self.text.clone(),
            arguments: self.arguments.clone(),
            sent: side.sent(&self.text),
            what,
            private: private.clone(),
            shared: shared.clone(),
        })
    }
}

/// In what two outcomes differ.
pub(super) fn differ(a: &Outcome, b: &Outcome, in_order: bool) -> Option<What> {
    match (a, b) {
        (Outcome::Done(a), Outcome::Done(b)) => {
            let names = |done: &Done| done.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            let same_rows = if in_order { a.rows == b.rows } else { a.bag() == b.bag() };
            [
                (names(a) != names(b), What::Names),
                (!same_rows, What::Rows),
                (a.affected != b.affected, What::Affected),
                (a.columns != b.columns, What::Types),
            ]
            .into_iter()
            .find_map(|(differs, what)| differs.then_some(what))
        }
        (Outcome::Failed { code: a, .. }, Outcome::Failed { code: b, .. }) => (a != b).then_some(What::Error),
        _ => Some(What::Class),
    }
}

/// The canary in an outcome of the shared side, if neither the private side nor the statement has it.
pub(super) fn leaked(shared: &Outcome, private: &Outcome, case: &Case<'_>) -> Option<String> {
    let mut harmless = Vec::new();
    let arguments = case.arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let known = private.texts().into_iter().chain([&*case.text]).chain(arguments.iter().map(|text| &**text));
    known.for_each(|text| leak::of_text(text, &mut |canary| harmless.push(canary)));
    let mut found = None;
    for text in shared.texts() {
        leak::of_text(text, &mut |canary| {
            if !harmless.contains(&canary) {
                found.get_or_insert(canary);
            }
        });
    }
    found
}

/// The first table that is not the same in both.
pub(super) fn first_different(a: &ByTable, b: &ByTable) -> Option<String> {
    a.keys().chain(b.keys()).find(|table| a.get(*table) != b.get(*table)).cloned()
}
