//! Runs each statement on all sides, and compares all that can be observed.

use futures_util::future::try_join4;

use super::{
    Difference, Known, Outcome, Planner, Report, Setting, Side, What,
    compare::{Case, Outcomes, differ, first_different, leaked},
    side::ByTable,
};
use crate::generate::{Feature, Statement};

/// What was found about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Both sides gave the same.
    Same {
        /// Whether rows were compared in their order.
        in_order: bool,
    },
    /// The shared side declined, with this code.
    Refused(String),
    /// The sides differ in the documented way.
    Known(Known),
    /// PostgreSQL is free to give this or that.
    Undetermined,
    /// It took too long.
    TooExpensive,
}

impl Verdict {
    /// Whether what the statement wrote is kept: it is the same everywhere.
    const fn is_kept(&self) -> bool {
        matches!(self, Self::Same { .. } | Self::Known(_))
    }
}

/// Compares shared tables with a database of the tenant's own, one statement after the other.
#[derive(Debug)]
pub struct Oracle {
    private: Side,
    /// Where it differs from the first one, PostgreSQL was free.
    permuted: Side,
    shared: Side,
    /// The same machinery without others: where it gives the same as among others, they had no part in it.
    alone: Side,
    others: ByTable,
    report: Report,
}

/// Settings with which the planner gets at rows in one way or another.
const WAYS: &[&str] = &[
    "SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = off",
    "SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = on",
    "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off",
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_material = off",
    "SET LOCAL enable_hashagg = off; SET LOCAL enable_sort = off; SET LOCAL join_collapse_limit = 1",
    "SET LOCAL join_collapse_limit = 1; SET LOCAL from_collapse_limit = 1; SET LOCAL enable_hashjoin = off",
    "SET LOCAL join_collapse_limit = 1; SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off",
    "SET LOCAL cpu_operator_cost = 100; SET LOCAL join_collapse_limit = 1; SET LOCAL enable_mergejoin = off",
    "SET LOCAL cpu_tuple_cost = 100; SET LOCAL seq_page_cost = 0; SET LOCAL enable_material = off",
];

impl Oracle {
    /// On the databases of a setting. `alone` makes the plans where the tenant is alone.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn new(setting: &Setting, shared: Planner, alone: Planner) -> Result<Self, sqlx::Error> {
        let mut shared = setting.shared_side(shared).await?;
        let others = shared.others().await?;
        Ok(Self {
            private: setting.private_side().await?,
            permuted: setting.permuted_side().await?,
            shared,
            alone: setting.alone_side(alone).await?,
            others,
            report: Report::default(),
        })
    }

    /// What has been compared so far.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Runs a script on all sides, and takes it back.
    ///
    /// # Errors
    ///
    /// The first difference that was found.
    pub async fn check(&mut self, script: &[Statement]) -> Result<(), Box<Difference>> {
        self.each(Begin).await?;
        let mut found = Ok(());
        for (at, statement) in script.iter().enumerate() {
            found = self.check_one(statement, at).await.map(drop);
            if found.is_err() {
                break;
            }
        }
        self.each(Rollback).await?;
        found
    }

    /// Runs each statement of a script by itself, and looks for nothing but rows of others that are seen or touched.
    ///
    /// # Errors
    ///
    /// A [`What::Leak`] or [`What::Others`].
    pub async fn watch(&mut self, script: &[Statement]) -> Result<(), Box<Difference>> {
        self.each(Begin).await?;
        let mut found = Ok(());
        for (at, statement) in script.iter().enumerate() {
            let case = Case::new(statement, at);
            let ids = case.ids;
            let private = self.private.run(&case.text, &case.arguments, ids).await?;
            let shared = self.shared.run(&case.text, &case.arguments, ids).await?;
            found = self.look_at_others(&case, &private, &shared).await;
            if found.is_err() {
                break;
            }
            self.private.end(false).await?;
            self.shared.end(false).await?;
        }
        self.each(Rollback).await?;
        found
    }

    async fn check_one(&mut self, statement: &Statement, at: usize) -> Result<Verdict, Box<Difference>> {
        let case = Case::new(statement, at);
        let (text, arguments, ids) = (&case.text, &case.arguments, case.ids);
        let outcomes = try_join4(
            self.private.run(text, arguments, ids),
            self.permuted.run(text, arguments, ids),
            self.shared.run(text, arguments, ids),
            self.alone.run(text, arguments, ids),
        );
        let (private, permuted, shared, alone) = outcomes.await?;
        let outcomes = Outcomes { private, permuted, shared, alone };
        self.look_at_others(&case, &outcomes.private, &outcomes.shared).await?;
        let verdict = self.judge(&case, &outcomes).await?;
        self.each(if verdict.is_kept() { Keep } else { Undo }).await?;
        self.report.count(statement, &outcomes.private, &verdict);
        Ok(verdict)
    }

    /// Whether nothing of others is in what the shared side gave, and nobody has touched a row of theirs.
    async fn look_at_others(
        &mut self,
        case: &Case<'_>,
        private: &Outcome,
        shared: &Outcome,
    ) -> Result<(), Box<Difference>> {
        if let Some(canary) = leaked(shared, private, case) {
            return Err(case.differs(What::Leak(canary), private, shared, &self.shared));
        }
        if case.touches() {
            let others = self.shared.others().await?;
            if let Some(table) = first_different(&self.others, &others) {
                return Err(case.differs(What::Others(table), private, shared, &self.shared));
            }
        }
        Ok(())
    }

    async fn judge(&mut self, case: &Case<'_>, outcomes: &Outcomes) -> Result<Verdict, Box<Difference>> {
        let Outcomes { private, permuted, shared, alone } = outcomes;
        if let Outcome::Refused(code) = shared {
            return Ok(Verdict::Refused(code.clone()));
        }
        if [private, permuted, shared, alone].iter().any(|outcome| outcome.is_too_expensive()) {
            return Ok(Verdict::TooExpensive);
        }
        let free = differ(private, permuted, false).is_some() || case.writes && self.is_free().await?;
        if free {
            return Ok(Verdict::Undetermined);
        }
        let in_order = case.statement.order_is_total();
        let known = Known::between(&case.features, private, shared);
        if known == Some(Known::LocksGlobal) {
            return Ok(Verdict::Known(Known::LocksGlobal));
        }
        let found = match differ(private, shared, in_order) {
            Some(What::Types) if known.is_some() => None,
            Some(what) => Some(what),
            None if case.writes => self.states_differ().await?,
            None => None,
        };
        match found {
            None => Ok(known.map_or(Verdict::Same { in_order }, Verdict::Known)),
            Some(what) if self.is_choice(case, outcomes, &what).await? => Ok(Verdict::Undetermined),
            Some(what) => Err(case.differs(what, private, shared, &self.shared)),
        }
    }

    /// Whether the two private sides have different rows now.
    async fn is_free(&mut self) -> Result<bool, sqlx::Error> {
        Ok(self.private.state().await? != self.permuted.state().await?)
    }

    async fn states_differ(&mut self) -> Result<Option<What>, sqlx::Error> {
        let (private, shared) = (self.private.state().await?, self.shared.state().await?);
        Ok(first_different(&private, &shared).map(|table| {
            let of = |state: &ByTable| state.get(&table).cloned().unwrap_or_default();
            What::State(table.clone(), of(&private), of(&shared))
        }))
    }

    /// Whether PostgreSQL was free: a private database gives this or that, or nobody else's rows had a part in the choice.
    async fn is_choice(&mut self, case: &Case<'_>, outcomes: &Outcomes, what: &What) -> Result<bool, sqlx::Error> {
        if *what == What::Error && outcomes.failed_at_rows() {
            return Ok(true);
        }
        // Whether a statement is accepted is never left to choice.
        let is_free = case.is_free() || outcomes.depends_on_evaluation();
        let is_free = is_free && outcomes.private.is_accepted() == outcomes.shared.is_accepted();
        if !is_free || !what.is_of_the_tenant() {
            return Ok(false);
        }
        if *what == What::Rows && !case.writes && case.features.contains(&Feature::LimitUnordered) {
            return Ok(true);
        }
        let states_agree = !case.writes || self.shared.state().await? == self.alone.state().await?;
        if states_agree && differ(&outcomes.alone, &outcomes.shared, false).is_none() {
            return Ok(true);
        }
        self.is_free_in_other_ways(case, outcomes).await
    }

    /// Whether a private database gives something else when it gets at the rows in another way, or the tenant's rows by
    /// themselves give what they give among others.
    async fn is_free_in_other_ways(&mut self, case: &Case<'_>, outcomes: &Outcomes) -> Result<bool, sqlx::Error> {
        let mut is_free = false;
        for way in WAYS {
            for side in [&mut self.private, &mut self.permuted] {
                let again = side.run_again(way, &case.text, &case.arguments, case.ids).await?;
                is_free |= differ(&outcomes.private, &again, false).is_some();
            }
            let alone = self.alone.run_again(way, &case.text, &case.arguments, case.ids).await?;
            // What failed has written nothing.
            let wrote = case.writes && outcomes.shared.code().is_none();
            is_free |= !wrote && differ(&outcomes.shared, &alone, false).is_none();
        }
        Ok(is_free)
    }

    async fn each(&mut self, step: Step) -> Result<(), sqlx::Error> {
        for side in [&mut self.private, &mut self.permuted, &mut self.shared, &mut self.alone] {
            match step {
                Begin => side.begin().await?,
                Keep => side.end(true).await?,
                Undo => side.end(false).await?,
                Rollback => side.rollback().await?,
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Step {
    Begin,
    Keep,
    Undo,
    Rollback,
}
use Step::{Begin, Keep, Rollback, Undo};
