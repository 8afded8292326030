//! An operation: a change of a tenant that takes several steps.

use std::{collections::BTreeMap, fmt, str::FromStr, time::SystemTime};

use serde_json::{Value, json};

use crate::{Amount, NewTenant, Revision, Slug, TenantId};

/// The number of an operation, drawn by the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(i64);

impl OperationId {
    /// The operation with this number, as a ledger stored it.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change of a tenant that takes several steps, each of which may be done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number.
    pub id: OperationId,
    /// To whom it is done.
    pub tenant: TenantId,
    /// What the tenant was called when it began.
    pub slug: Slug,
    /// What is done, in a word: `clone`.
    pub verb: String,
    /// All that it needs to know, as JSON of the verb's own.
    pub input: String,
    /// How far it is.
    pub progress: Progress,
    /// How it ended; nothing while it has not.
    pub outcome: Option<Outcome>,
    /// Who works on it, or did last.
    pub worker: String,
    /// Until when nobody else may; then its worker is taken for lost.
    pub leased_until: SystemTime,
    /// When it began.
    pub began_at: SystemTime,
    /// When it ended.
    pub ended_at: Option<SystemTime>,
}

/// How far an operation is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many steps have been taken to the end. The next one may have been begun.
    pub steps: u32,
    /// Where it is going.
    pub direction: Direction,
    /// What the steps have dealt with, by plane.
    pub amounts: BTreeMap<String, Amount>,
    /// Why it did not get on when it was tried last.
    pub problem: Option<String>,
}

impl Progress {
    /// The amounts as a JSON object of pairs, items and bytes, as they are stored.
    pub fn amounts_to_json(&self) -> String {
        let pairs = self.amounts.iter().map(|(plane, amount)| (plane.clone(), json!([amount.items, amount.bytes])));
        Value::Object(pairs.collect()).to_string()
    }

    /// What [`Progress::amounts_to_json`] has made; nothing of any other text.
    pub fn amounts_from_json(text: &str) -> Option<BTreeMap<String, Amount>> {
        let Value::Object(pairs) = serde_json::from_str(text).ok()? else { return None };
        let amount = |value: &Value| match value.as_array()?.as_slice() {
            [items, bytes] => Some(Amount { items: items.as_u64()?, bytes: bytes.as_u64()? }),
            _ => None,
        };
        pairs.into_iter().map(|(plane, value)| amount(&value).map(|amount| (plane, amount))).collect()
    }
}

/// Where an operation is going.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// To its end.
    #[default]
    Forth,
    /// To where it began: a step has failed.
    Back,
}

impl Direction {
    /// The word for it, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forth => "forth",
            Self::Back => "back",
        }
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "forth" => Ok(Self::Forth),
            "back" => Ok(Self::Back),
            _ => Err(format!("no direction is called {text:?}")),
        }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is done.
    Done,
    /// Nothing of it is left, but for migrations that came before the one that has failed.
    Undone,
}

impl Outcome {
    /// The word for it, as stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Undone => "undone",
        }
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "done" => Ok(Self::Done),
            "undone" => Ok(Self::Undone),
            _ => Err(format!("no outcome is called {text:?}")),
        }
    }
}

/// An operation to be begun.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// To whom it is done.
    pub subject: Subject,
    /// What is done, in a word.
    pub verb: String,
    /// All that it needs to know, as JSON.
    pub input: String,
}

/// To whom an operation is done.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A tenant that there is, and the revision of the record that was looked at when the operation was decided on.
    Existing(TenantId, Revision),
    /// One that is registered together with the operation, so that neither is without the other.
    New(Box<NewTenant>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_survive_a_round_trip() {
        let mut progress = Progress::default();
        progress.amounts.insert("rows".to_owned(), Amount { items: 3, bytes: u64::MAX });
        assert_eq!(Progress::amounts_from_json(&progress.amounts_to_json()), Some(progress.amounts));
        assert_eq!(Progress::amounts_from_json("{}"), Some(BTreeMap::new()));
        assert_eq!(Progress::amounts_from_json(r#"{"rows":[1]}"#), None);
        assert_eq!(Progress::amounts_from_json("[]"), None);
    }
}
