//! Runs each statement on both sides, and compares all that can be observed.

use std::{collections::BTreeMap, future::Future};

use crate::{
    Difference, Done, Known, Outcome, Report, RowId, Schema, Side, Value, What,
    generate::{Feature, Kind, Statement},
    leak,
    ledger::same_name,
    noise::Insert,
    private::bag,
    twins::{Choice, Judged, Twins},
};

/// The side under test: a tenant's share of a shared database, among the rows of others.
pub trait Shared {
    /// Runs a statement of the tenant's application. `arguments` are by the numbers that SQLite gives to parameters.
    fn run(&mut self, text: &str, arguments: &[Value]) -> impl Future<Output = Outcome>;

    /// A digest of all that is not the tenant's. It is asked for before the first statement, and after each that writes.
    fn others(&mut self) -> impl Future<Output = Result<Digest, sqlx::Error>>;

    /// All rows that the tenant has, by table: the row id, if the table has one, then all columns. In any order.
    fn state(&mut self) -> impl Future<Output = Result<State, sqlx::Error>>;

    /// The same as [`Shared::run`], on the same machinery without any others: it gets all statements that `run` gets, each
    /// after it. Where a statement's form lets SQLite choose ([`Statement::is_deterministic`]), what is the same here and
    /// among others is a choice and no fault. Without it, each such choice is reported as a difference.
    fn run_alone(&mut self, _text: &str, _arguments: &[Value]) -> impl Future<Output = Option<Outcome>> {
        std::future::ready(None)
    }

    /// All rows that the tenant has where there are no others.
    fn state_alone(&mut self) -> impl Future<Output = Result<Option<State>, sqlx::Error>> {
        std::future::ready(Ok(None))
    }

    /// Whether [`Shared::state`] and [`Shared::others`] see what has not been committed yet. If not, they are asked only
    /// when no transaction is open.
    fn looks_into_transactions(&self) -> bool {
        true
    }
}

/// All rows of a tenant, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State(pub BTreeMap<String, Vec<Vec<Value>>>);

/// What stands for all rows of the others, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub BTreeMap<String, u64>);

/// What was found about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Both sides gave the same.
    Same {
        /// Whether rows were compared in their order.
        in_order: bool,
    },
    /// The shared side declined, with this code. On the private side it was undone.
    Refused(String),
    /// The sides may differ in the documented way, and are the same otherwise.
    Known(Known),
    /// SQLite is free to give this or that. What writes was undone.
    Undetermined,
    /// SQLite was free, and the two sides have chosen differently what they wrote: the script is over.
    Parted,
    /// It took too long. What writes was undone.
    TooExpensive,
}

impl Verdict {
    /// Whether the sides have gone separate ways, so that no further statement can be compared.
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Parted | Self::Known(Known::FailureCounts | Known::IndexServes))
    }
}

/// Compares a shared side with a database of the tenant's own, one statement after the other.
#[derive(Debug)]
pub struct Oracle<S> {
    twins: Twins,
    shared: S,
    others: Digest,
    /// Whether the open transaction has written what SQLite was free to choose, and nobody could look at it yet.
    chose: bool,
    report: Report,
}

/// The state of one comparison.
struct Case<'a> {
    statement: &'a Statement,
    text: String,
    arguments: Vec<Value>,
}

impl<S: Shared> Oracle<S> {
    /// With the tenant's own rows, which the shared side has already, beside those of others.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn new(ddl: &[impl AsRef<str>], own: &[Insert], mut shared: S) -> Result<Self, sqlx::Error> {
        let twins = Twins::open(ddl, own).await?;
        let others = shared.others().await?;
        Ok(Self { twins, shared, others, chose: false, report: Report::default() })
    }

    /// The schema of the private side.
    pub const fn schema(&self) -> &Schema {
        self.twins.schema()
    }

    /// What has been compared so far.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The side under test.
    pub const fn shared(&mut self) -> &mut S {
        &mut self.shared
    }

    /// Runs a statement on both sides. After a difference they have gone separate ways: begin anew.
    ///
    /// # Errors
    ///
    /// The first difference that was found.
    pub async fn check(&mut self, statement: &Statement) -> Result<Verdict, Box<Difference>> {
        let case = Case { statement, text: statement.text(), arguments: statement.arguments() };
        let (private, verdict) = match statement.kind() {
            Kind::Transaction => self.transaction(&case).await?,
            Kind::Query => self.query(&case).await?,
            Kind::Insert(_) | Kind::Update(_) | Kind::Delete(_) => self.write(&case).await?,
        };
        self.report.count(statement, &private, &verdict);
        Ok(verdict)
    }

    /// Compares the rows of the tenant and of the others, as [`Oracle::check`] does after each statement that writes.
    ///
    /// # Errors
    ///
    /// The first difference that was found.
    pub async fn check_state(&mut self) -> Result<(), Box<Difference>> {
        let statement = Statement::new(Kind::Transaction, "");
        let case = Case { statement: &statement, text: "(no statement)".to_owned(), arguments: Vec::new() };
        let nothing = Outcome::Done(Done::default());
        self.compare_states(&case, &nothing, &nothing).await
    }

    /// The shared side goes first: what it declines, the private one must not have begun.
    async fn transaction(&mut self, case: &Case<'_>) -> Result<(Outcome, Verdict), Box<Difference>> {
        let shared = self.shared.run(&case.text, &case.arguments).await;
        if let Outcome::Refused(code) = &shared {
            case.leak(&shared, &shared)?;
            return Ok((shared.clone(), Verdict::Refused(code.clone())));
        }
        let private = self.twins.run(case.statement).await.outcome;
        let mut compared = case.compare(&private, &shared, false, self.twins.schema());
        if compared.is_ok() {
            compared = self.compare_states(case, &private, &shared).await;
        }
        let verdict = self.after_choice(case, compared, &shared).await?;
        self.chose &= self.twins.in_transaction().await;
        Ok((private, verdict.unwrap_or(Verdict::Same { in_order: false })))
    }

    async fn query(&mut self, case: &Case<'_>) -> Result<(Outcome, Verdict), Box<Difference>> {
        let Judged { outcome: private, choice } = self.twins.run(case.statement).await;
        if choice == Choice::TooExpensive {
            return Ok((private, Verdict::TooExpensive));
        }
        let shared = self.shared.run(&case.text, &case.arguments).await;
        case.leak(&private, &shared)?;
        if let Outcome::Refused(code) = &shared {
            return Ok((private, Verdict::Refused(code.clone())));
        }
        if choice == Choice::Free {
            return Ok((private, Verdict::Undetermined));
        }
        if let Some(known) = Known::between(&private, &shared) {
            return Ok((private, Verdict::Known(known)));
        }
        let in_order = choice == Choice::None;
        let compared = case.compare(&private, &shared, in_order, self.twins.schema());
        let verdict = match self.after_choice(case, compared, &shared).await? {
            None => Verdict::Same { in_order },
            Some(_) if !self.chose => Verdict::Undetermined,
            Some(parted) => parted,
        };
        Ok((private, verdict))
    }

    async fn write(&mut self, case: &Case<'_>) -> Result<(Outcome, Verdict), Box<Difference>> {
        let judged = self.twins.attempt(case.statement).await;
        let Judged { outcome: mut private, choice } = judged.map_err(|error| case.unreadable(&error))?;
        match choice {
            Choice::TooExpensive => return Ok((private, Verdict::TooExpensive)),
            Choice::Free => return Ok((private, Verdict::Undetermined)),
            Choice::None | Choice::Order => {}
        }
        let shared = self.shared.run(&case.text, &case.arguments).await;
        if let Outcome::Refused(code) = &shared {
            self.twins.undo().await;
            case.leak(&private, &shared)?;
            self.compare_states(case, &private, &shared).await?;
            return Ok((private, Verdict::Refused(code.clone())));
        }
        let known = Known::expected(case.statement, &private);
        if known == Some(Known::FailsAsAWhole) {
            self.twins.undo().await;
        } else if let Some(failed) = self.twins.keep().await {
            private = failed;
        }
        let mut compared = case.compare(&private, &shared, false, self.twins.schema());
        let known = Known::between(&private, &shared).or(known);
        if matches!(known, Some(Known::ConstraintBeforeId | Known::IndexServes)) {
            compared = Ok(());
        }
        if compared.is_ok() && known != Some(Known::IndexServes) {
            compared = self.compare_states(case, &private, &shared).await;
        }
        let verdict = self.after_choice(case, compared, &shared).await?;
        self.chose |= !case.statement.is_deterministic() && self.twins.in_transaction().await;
        Ok((private, verdict.unwrap_or(known.map_or(Verdict::Same { in_order: false }, Verdict::Known))))
    }

    /// Runs the statement where the tenant shares with nobody. A difference is a choice, after which the sides part, if
    /// SQLite was free, and nobody else's rows had a part in it.
    async fn after_choice(
        &mut self,
        case: &Case<'_>,
        compared: Result<(), Box<Difference>>,
        shared: &Outcome,
    ) -> Result<Option<Verdict>, Box<Difference>> {
        let alone = self.shared.run_alone(&case.text, &case.arguments).await;
        let Err(difference) = compared else { return Ok(None) };
        let is_free = self.chose || !case.statement.is_deterministic();
        // Whether a statement is accepted is never left to choice.
        let is_accepted = |outcome: &Outcome| !matches!(outcome, Outcome::Failed(failure) if !failure.accepted);
        let is_free = is_free && is_accepted(&difference.private) == is_accepted(&difference.shared);
        let is_choice = alone.is_some_and(|alone| case.gives_the_same(&alone, shared));
        if !(is_free && difference.what.is_of_the_tenant() && is_choice) {
            return Err(difference);
        }
        self.compare_with_alone(case, shared).await?;
        Ok(Some(Verdict::Parted))
    }

    async fn compare_states(
        &mut self,
        case: &Case<'_>,
        private: &Outcome,
        shared: &Outcome,
    ) -> Result<(), Box<Difference>> {
        if !self.shared.looks_into_transactions() && self.twins.in_transaction().await {
            return Ok(());
        }
        let others = self.shared.others().await.map_err(|error| case.unreadable(&error))?;
        if let Some(table) = first_different(&self.others.0, &others.0) {
            return Err(case.differs(What::Others(table), private, shared));
        }
        let ours = self.twins.state().await.map_err(|error| case.unreadable(&error))?;
        let mut theirs = self.shared.state().await.map_err(|error| case.unreadable(&error))?;
        theirs.0.values_mut().for_each(|rows| rows.sort());
        if let Some(table) = first_different(&ours.0, &theirs.0) {
            let rows = |state: &State| state.0.get(&table).cloned().unwrap_or_default();
            let (ours, theirs) = (rows(&ours), rows(&theirs));
            let only = |side, rows: &[Vec<Value>], other: &[Vec<Value>]| {
                let only = rows.iter().filter(|row| !other.contains(row));
                only.map(|row| (side, row.clone())).collect::<Vec<_>>()
            };
            let both = [only(Side::Private, &ours, &theirs), only(Side::Shared, &theirs, &ours)].concat();
            return Err(case.differs(What::State(table, both), private, shared));
        }
        Ok(())
    }
}

impl<S: Shared> Oracle<S> {
    /// After a choice: others are as they were, and the tenant is as it would be without them.
    async fn compare_with_alone(&mut self, case: &Case<'_>, shared: &Outcome) -> Result<(), Box<Difference>> {
        if !self.shared.looks_into_transactions() && self.twins.in_transaction().await {
            return Ok(());
        }
        let others = self.shared.others().await.map_err(|error| case.unreadable(&error))?;
        if let Some(table) = first_different(&self.others.0, &others.0) {
            return Err(case.differs(What::Others(table), shared, shared));
        }
        let mut ours = self.shared.state().await.map_err(|error| case.unreadable(&error))?;
        let alone = self.shared.state_alone().await.map_err(|error| case.unreadable(&error))?;
        let mut alone = alone.unwrap_or_default();
        for state in [&mut ours, &mut alone] {
            state.0.values_mut().for_each(|rows| rows.sort());
        }
        match first_different(&ours.0, &alone.0) {
            Some(table) => Err(case.differs(What::State(table, Vec::new()), shared, shared)),
            None => Ok(()),
        }
    }
}

/// The first table that is not the same in both.
fn first_different<T: PartialEq>(a: &BTreeMap<String, T>, b: &BTreeMap<String, T>) -> Option<String> {
    a.keys().chain(b.keys()).find(|table| a.get(*table) != b.get(*table)).cloned()
}

impl Case<'_> {
    /// Whether two outcomes are the same, in whichever order the rows are. After a statement that reads, what the last one
    /// that wrote has changed is none of its outcome.
    fn gives_the_same(&self, a: &Outcome, b: &Outcome) -> bool {
        match (a, b) {
            (Outcome::Done(a), Outcome::Done(b)) => {
                let counts =
                    |done: &Done| self.statement.kind().writes().then_some((done.affected, done.last_insert_rowid));
                a.columns == b.columns && bag(a) == bag(b) && counts(a) == counts(b)
            }
            _ => a == b,
        }
    }

    fn differs(&self, what: What, private: &Outcome, shared: &Outcome) -> Box<Difference> {
        let (text, arguments) = (self.text.clone(), self.arguments.clone());
        Box::new(Difference { text, arguments, what, private: private.clone(), shared: shared.clone() })
    }

    fn unreadable(&self, error: &sqlx::Error) -> Box<Difference> {
        let nothing = Outcome::Done(Done::default());
        self.differs(What::Unreadable(error.to_string()), &nothing, &nothing)
    }

    fn leak(&self, private: &Outcome, shared: &Outcome) -> Result<(), Box<Difference>> {
        match leak::find(shared, private, &self.text, &self.arguments) {
            Some(canary) => Err(self.differs(What::Leak(canary), private, shared)),
            None => Ok(()),
        }
    }

    fn compare(
        &self,
        private: &Outcome,
        shared: &Outcome,
        in_order: bool,
        schema: &Schema,
    ) -> Result<(), Box<Difference>> {
        self.leak(private, shared)?;
        let what = match (private, shared) {
            (Outcome::Done(private), Outcome::Done(shared)) => self.of_done(private, shared, in_order, schema),
            (Outcome::Failed(private), Outcome::Failed(shared)) => (private.code != shared.code).then_some(What::Error),
            _ => Some(What::Class),
        };
        what.map_or(Ok(()), |what| Err(self.differs(what, private, shared)))
    }

    fn of_done(&self, private: &Done, shared: &Done, in_order: bool, schema: &Schema) -> Option<What> {
        let statement = self.statement;
        // Otherwise the private side ran another text, and the text is what columns are called by.
        if let (true, Some(ours), Some(theirs)) = (statement.binds_with_sqlx(), &private.columns, &shared.columns)
            && !(ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same_name(ours, theirs)))
        {
            return Some(What::Columns);
        }
        let same = if in_order { private.rows == shared.rows } else { bag(private) == bag(shared) };
        if !same {
            return Some(What::Rows);
        }
        if statement.kind().writes() && private.affected != shared.affected {
            return Some(What::Affected);
        }
        let Kind::Insert(table) = statement.kind() else { return None };
        let has_row_id = schema.table(table).is_some_and(|table| table.row_id != RowId::None);
        // An upsert that inserts nothing leaves what was there before, which statements that were undone have changed.
        let inserts = has_row_id && private.affected > 0 && !statement.features().contains(&Feature::Upsert);
        (inserts && private.last_insert_rowid != shared.last_insert_rowid).then_some(What::LastInsertRowId)
    }
}
