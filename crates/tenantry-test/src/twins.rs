//! The private side, twice: where the two differ, SQLite was free to choose.
//!
//! The second one scans in the opposite direction and plans otherwise. What both give is what the statement means; what only
//! one of them gives, an application cannot rely on.

use crate::{Outcome, Private, Schema, State, Value, generate::Statement, noise::Insert, private::bag};

#[derive(Debug)]
pub(crate) struct Twins {
    first: Private,
    second: Private,
    schema: Schema,
}

/// What came of a statement on the private side.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) choice: Choice,
}

/// How far a statement says what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// All of it.
    None,
    /// All but the order of rows.
    Order,
    /// Not all of it.
    Free,
    /// Nobody waited for it.
    TooExpensive,
}

impl Twins {
    pub(crate) async fn open(ddl: &[impl AsRef<str>], rows: &[Insert]) -> Result<Self, sqlx::Error> {
        let mut first = Private::open(ddl, rows).await?;
        let mut second = Private::open(ddl, rows).await?;
        let schema = Schema::read(first.connection()).await?;
        second.disturb(&schema).await?;
        Ok(Self { first, second, schema })
    }

    pub(crate) const fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) async fn state(&mut self) -> Result<State, sqlx::Error> {
        self.first.state(&self.schema).await
    }

    /// Whether a transaction is open.
    pub(crate) async fn in_transaction(&mut self) -> bool {
        let begun = self.first.run("BEGIN", &[]).await.is_done();
        if begun {
            self.first.run("ROLLBACK", &[]).await;
        }
        !begun
    }

    /// Runs a statement that changes no rows.
    pub(crate) async fn run(&mut self, statement: &Statement) -> Judged {
        let (text, arguments) = bound(statement);
        let outcome = self.first.run(&text, &arguments).await;
        let other = self.second.run(&text, &arguments).await;
        let choice = choice(&outcome, &other, statement.order_is_total());
        Judged { outcome, choice }
    }

    /// Runs a statement that changes rows, up to [`Twins::keep`] or [`Twins::undo`]. It is undone already where it leaves
    /// a choice.
    pub(crate) async fn attempt(&mut self, statement: &Statement) -> Result<Judged, sqlx::Error> {
        let (text, arguments) = bound(statement);
        let outcome = self.first.attempt(&text, &arguments).await;
        let other = self.second.attempt(&text, &arguments).await;
        let mut choice = choice(&outcome, &other, false);
        if choice == Choice::Order && self.first.state(&self.schema).await? != self.second.state(&self.schema).await? {
            choice = Choice::Free;
        }
        if choice != Choice::Order {
            self.undo().await;
        }
        Ok(Judged { outcome, choice })
    }

    pub(crate) async fn undo(&mut self) {
        self.first.undo().await;
        self.second.undo().await;
    }

    /// Keeps what was attempted; gives the outcome if that fails after all.
    pub(crate) async fn keep(&mut self) -> Option<Outcome> {
        self.second.keep().await;
        self.first.keep().await
    }
}

/// What sqlx can bind.
fn bound(statement: &Statement) -> (String, Vec<Value>) {
    let text = if statement.binds_with_sqlx() { statement.text() } else { statement.numbered_text() };
    (text, statement.arguments())
}

fn choice(a: &Outcome, b: &Outcome, total: bool) -> Choice {
    if a.is_interrupted() || b.is_interrupted() {
        return Choice::TooExpensive;
    }
    match (a, b) {
        (Outcome::Done(a), Outcome::Done(b)) if bag(a) == bag(b) && a.affected == b.affected => {
            if total && a.rows == b.rows { Choice::None } else { Choice::Order }
        }
        (Outcome::Failed(a), Outcome::Failed(b)) if a.code == b.code => Choice::Order,
        _ => Choice::Free,
    }
}
