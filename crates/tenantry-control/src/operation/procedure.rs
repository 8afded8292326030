//! The verbs as lists of steps.

use serde::{Deserialize, Serialize};
use tenantry_core::{Operation, Subject, TenantId};

use super::step::{Leg, Step};
use crate::VerbError;

/// What an operation is to do: all that is written to the ledger of it when it begins.
///
/// The planes are in it by name, so that its steps are the same for whoever goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub(crate) enum Procedure {
    /// Fills a tenant that was registered with it. Settings are copied, or followed: the source is its template then.
    Clone { source: i64, planes: Vec<String>, settings: bool, suspended: bool },
    /// Removes a tenant and all that it has.
    Erase { planes: Vec<String> },
    /// Fills a tenant that was registered with it from an archive, which only the one who began it has.
    Import { planes: Vec<String>, suspended: bool },
    /// Runs the application's migrations on a tenant's own database.
    Migrate,
    /// Brings a tenant's rows from one placement to the other.
    Move { from: String, to: String },
    /// Makes a tenant what its template is.
    Reset { template: i64, planes: Vec<String>, suspended: bool },
}

/// An operation that could be begun: every check of its verb has passed.
#[derive(Debug)]
pub(super) struct Intent {
    pub(super) subject: Subject,
    pub(super) procedure: Procedure,
}

impl Procedure {
    /// What was begun.
    pub(super) fn of(operation: &Operation) -> Result<Self, VerbError> {
        let procedure = serde_json::from_str(&operation.input);
        procedure.map_err(|_| VerbError::OperationUnknown { verb: operation.verb.clone(), id: operation.id })
    }

    /// Whether nobody who has asked for one of them misses anything when the other one is done.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            // Whether a tenant was suspended cannot be seen while it is closed.
            (Self::Reset { template, .. }, Self::Reset { template: others, .. }) => template == others,
            _ => self == other,
        }
    }

    /// Whether what the tenant has is all there at any time, wherever it is.
    pub(super) const fn leaves_all(&self) -> bool {
        matches!(self, Self::Migrate | Self::Move { .. })
    }

    /// The verb, in a word.
    pub(super) const fn verb(&self) -> &'static str {
        match self {
            Self::Clone { .. } => "clone",
            Self::Erase { .. } => "erase",
            Self::Import { .. } => "import",
            Self::Migrate => "migrate",
            Self::Move { .. } => "move",
            Self::Reset { .. } => "reset",
        }
    }

    pub(super) fn input(&self) -> Result<String, VerbError> {
        serde_json::to_string(self).map_err(|error| VerbError::Input { verb: self.verb(), source: error })
    }

    /// The way to its end.
    pub(super) fn forth(&self) -> Vec<Step> {
        match self {
            Self::Clone { source, planes, settings, suspended } => {
                let copies = copies(planes, *source);
                let settings = settings.then(|| Step::CopySettings { from: TenantId::new(*source) });
                copies.chain(settings).chain([Step::Open { suspended: *suspended }]).collect()
            }
            Self::Erase { planes } => {
                let erasures = planes.iter().cloned().map(|plane| Step::Erase { plane });
                let before = [Step::Settle, Step::Count { planes: planes.clone() }];
                before
                    .into_iter()
                    .chain(erasures)
                    .chain([Step::Prove { planes: planes.clone() }, Step::Forget])
                    .collect()
            }
            Self::Import { planes, suspended } => {
                vec![Step::Import { planes: planes.clone() }, Step::Open { suspended: *suspended }]
            }
            Self::Migrate => vec![Step::Migrate],
            Self::Move { from, to } => {
                let legs = [Leg::Prepare, Leg::Copy, Leg::CatchUp, Leg::Fence, Leg::Switch];
                let legs = legs.map(|leg| Step::Move { leg, from: from.clone(), to: to.clone() });
                let after = [Step::Settle, Step::Move { leg: Leg::CleanUp, from: from.clone(), to: to.clone() }];
                legs.into_iter().chain(after).collect()
            }
            Self::Reset { template, planes, suspended } => {
                let copies = copies(planes, *template);
                let after = [Step::Renew, Step::Open { suspended: *suspended }];
                [Step::Close, Step::Settle].into_iter().chain(copies).chain(after).collect()
            }
        }
    }

    /// The way back to where it began, after so many steps; nothing where there is none. `is_refused`: the next one has not
    /// failed, but is not to be taken.
    pub(super) fn back(&self, taken: u32, is_refused: bool) -> Option<Vec<Step>> {
        match self {
            Self::Clone { planes, .. } | Self::Import { planes, .. } => {
                let erasures = planes.iter().rev().cloned().map(|plane| Step::Erase { plane });
                Some(erasures.chain([Step::Forget]).collect())
            }
            // The database has undone what has failed.
            Self::Migrate => Some(Vec::new()),
            // Whoever has heard of the switch may have written where the rows are now.
            Self::Move { .. } if taken >= BEFORE_SWITCH => None,
            Self::Move { from, to } => Some(vec![Step::Move { leg: Leg::Abandon, from: from.clone(), to: to.clone() }]),
            // Nothing is gone yet.
            Self::Erase { .. } if taken < BEFORE_ERASURE && is_refused => Some(Vec::new()),
            Self::Erase { .. } | Self::Reset { .. } => None,
        }
    }
}

fn copies(planes: &[String], from: i64) -> impl Iterator<Item = Step> {
    planes.iter().cloned().map(move |plane| Step::Copy { plane, from: TenantId::new(from) })
}

/// How many steps of a move have been taken when the catalog is about to be switched.
const BEFORE_SWITCH: u32 = 4;

/// How many steps of an erasure have been taken when the first plane is about to be erased.
const BEFORE_ERASURE: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erasure_goes_back_only_from_before_the_first_plane() {
        let erasing = Procedure::Erase { planes: vec!["rows".to_owned()] };
        for (taken, step) in erasing.forth().iter().enumerate() {
            let is_before = matches!(step, Step::Settle | Step::Count { .. });
            let taken = u32::try_from(taken).unwrap();
            assert_eq!(erasing.back(taken, true).is_some(), is_before, "{step:?}");
            assert_eq!(erasing.back(taken, false), None, "it is gone on with");
        }
    }

    #[test]
    fn a_move_goes_back_only_from_before_the_switch() {
        let moving = Procedure::Move { from: "shared".to_owned(), to: "dedicated".to_owned() };
        for (taken, step) in moving.forth().iter().enumerate() {
            let is_before =
                matches!(step, Step::Move { leg: Leg::Prepare | Leg::Copy | Leg::CatchUp | Leg::Fence, .. });
            assert_eq!(moving.back(u32::try_from(taken).unwrap(), false).is_some(), is_before, "{step:?}");
        }
    }
}
