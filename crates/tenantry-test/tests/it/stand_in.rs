//! A private database in the place of the shared side, with a fault if one is wanted.

use std::collections::BTreeMap;

use tenantry_test::{Digest, Done, Failure, Outcome, Private, Schema, Shared, State, Value, noise::Insert, standard};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    DropsARow,
    ChangesOthers,
    LeaksInAMessage,
    LeaksInARow,
    RenamesAColumn,
    TurnsNumbersIntoText,
    ForgetsAWrite,
    CountsWrongly,
    FailsOtherwise,
    ReversesRows,
    RefusesWrites,
}

#[derive(Debug)]
pub(crate) struct StandIn {
    private: Private,
    schema: Schema,
    fault: Fault,
    asked: u64,
}

impl StandIn {
    pub(crate) async fn open(rows: &[Insert], fault: Fault) -> Self {
        let mut private = Private::open(standard::STATEMENTS, rows).await.unwrap();
        let schema = Schema::read(private.connection()).await.unwrap();
        Self { private, schema, fault, asked: 0 }
    }
}

impl Shared for StandIn {
    async fn run(&mut self, text: &str, arguments: &[Value]) -> Outcome {
        let writes = ["INSERT", "UPDATE", "DELETE", "REPLACE"].iter().any(|verb| text.starts_with(verb));
        if self.fault == Fault::RefusesWrites && writes {
            return Outcome::Refused("S13".to_owned());
        }
        if self.fault == Fault::ForgetsAWrite && text.starts_with("DELETE") {
            self.private.run("SAVEPOINT forget", &[]).await;
            let outcome = self.private.run(text, arguments).await;
            self.private.run("ROLLBACK TO forget", &[]).await;
            self.private.run("RELEASE forget", &[]).await;
            return outcome;
        }
        let mut outcome = self.private.run(text, arguments).await;
        match &mut outcome {
            Outcome::Done(done) => self.spoil(done),
            Outcome::Failed(failure) => self.spoil_error(failure),
            Outcome::Refused(_) => {}
        }
        outcome
    }

    async fn others(&mut self) -> Result<Digest, sqlx::Error> {
        self.asked += u64::from(self.fault == Fault::ChangesOthers);
        Ok(Digest(BTreeMap::from([("users".to_owned(), self.asked)])))
    }

    async fn state(&mut self) -> Result<State, sqlx::Error> {
        self.private.state(&self.schema).await
    }
}

impl StandIn {
    fn spoil(&self, done: &mut Done) {
        match self.fault {
            Fault::DropsARow => drop(done.rows.pop()),
            Fault::LeaksInARow => done.rows.iter_mut().for_each(|row| row.push(Value::from("CANARY7"))),
            Fault::RenamesAColumn => done.columns.iter_mut().flatten().for_each(|name| name.push('x')),
            Fault::TurnsNumbersIntoText => {
                for value in done.rows.iter_mut().flatten() {
                    if let Value::Integer(number) = value {
                        *value = Value::Text(number.to_string());
                    }
                }
            }
            Fault::CountsWrongly => done.affected += 1,
            Fault::ReversesRows => done.rows.reverse(),
            _ => {}
        }
    }

    fn spoil_error(&self, failure: &mut Failure) {
        match self.fault {
            Fault::LeaksInAMessage => failure.message += " CANARY7",
            Fault::FailsOtherwise => failure.code = Some(5),
            _ => {}
        }
    }
}
