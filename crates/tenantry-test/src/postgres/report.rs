//! What has been compared so far.

use std::{collections::BTreeMap, fmt};

use super::{Known, Outcome, Verdict};
use crate::generate::{Feature, Statement};

/// Counts of what an oracle has seen.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many statements there were.
    pub statements: usize,
    /// How many of them the private side ran.
    pub ran: usize,
    /// How many of those that ran gave or changed rows.
    pub with_rows: usize,
    /// How many of them the private side accepted, and then failed at.
    pub failed_running: usize,
    /// How many of them the private side did not accept, by SQLSTATE.
    pub not_accepted: BTreeMap<String, usize>,
    /// How many were compared row by row in their order.
    pub as_lists: usize,
    /// How many the shared side declined, by code.
    pub refused: BTreeMap<String, usize>,
    /// How many differ in a documented way.
    pub known: BTreeMap<Known, usize>,
    /// How many were not compared because PostgreSQL is free to give this or that.
    pub undetermined: usize,
    /// How many were not compared because they took too long.
    pub too_expensive: usize,
    /// For each feature: how many statements had it, and how many of those were accepted.
    pub features: BTreeMap<Feature, (usize, usize)>,
}

impl Report {
    pub(crate) fn count(&mut self, statement: &Statement, private: &Outcome, verdict: &Verdict) {
        self.statements += 1;
        let accepted = private.is_accepted();
        match private {
            Outcome::Done(done) => {
                self.ran += 1;
                self.with_rows += usize::from(done.affected > 0);
            }
            Outcome::Failed { .. } if accepted => self.failed_running += 1,
            Outcome::Failed { code, .. } => *self.not_accepted.entry(code.clone()).or_default() += 1,
            Outcome::Refused(_) => {}
        }
        match verdict {
            Verdict::Same { in_order } => self.as_lists += usize::from(*in_order),
            Verdict::Refused(code) => *self.refused.entry(code.clone()).or_default() += 1,
            Verdict::Known(known) => *self.known.entry(*known).or_default() += 1,
            Verdict::Undetermined => self.undetermined += 1,
            Verdict::TooExpensive => self.too_expensive += 1,
        }
        for feature in statement.features() {
            let (all, of_them) = self.features.entry(feature).or_default();
            *all += 1;
            *of_them += usize::from(accepted);
        }
    }

    /// How many were declined.
    pub fn all_refused(&self) -> usize {
        self.refused.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} statements", self.statements)?;
        writeln!(
            f,
            "  {} ran ({} with rows), {} failed while running, not accepted {:?}",
            self.ran, self.with_rows, self.failed_running, self.not_accepted
        )?;
        writeln!(f, "  {} compared in order", self.as_lists)?;
        writeln!(
            f,
            "  {} undetermined, {} too expensive, refused {:?}, known to differ {:?}",
            self.undetermined, self.too_expensive, self.refused, self.known
        )?;
        for (feature, (all, accepted)) in &self.features {
            writeln!(f, "  {:>6} {:>4}% accepted  {feature:?}", all, accepted * 100 / (*all).max(1))?;
        }
        Ok(())
    }
}
