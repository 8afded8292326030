//! What has been compared so far.

use std::{collections::BTreeMap, fmt};

use crate::{
    Known, Outcome, Verdict,
    generate::{Feature, Statement},
};

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
    /// How many of them the private side accepted, and then failed at: broken constraints, errors in expressions.
    pub failed_running: usize,
    /// How many of them the private side did not accept.
    pub not_accepted: usize,
    /// How many were compared row by row in their order.
    pub as_lists: usize,
    /// How many the shared side declined, by code.
    pub refused: BTreeMap<String, usize>,
    /// How many may differ in a documented way.
    pub known: BTreeMap<Known, usize>,
    /// How many were not compared because SQLite is free to give this or that.
    pub undetermined: usize,
    /// How many were not compared because they took too long.
    pub too_expensive: usize,
    /// For each feature: how many statements had it, and how many of those were accepted.
    pub features: BTreeMap<Feature, (usize, usize)>,
}

impl Report {
    pub(crate) fn count(&mut self, statement: &Statement, private: &Outcome, verdict: &Verdict) {
        self.statements += 1;
        let accepted = match private {
            Outcome::Failed(failure) => failure.accepted,
            Outcome::Done(_) | Outcome::Refused(_) => true,
        };
        match private {
            Outcome::Failed(_) if accepted => self.failed_running += 1,
            Outcome::Failed(_) => self.not_accepted += 1,
            Outcome::Done(_) | Outcome::Refused(_) => self.ran += 1,
        }
        if let Outcome::Done(done) = private {
            let any = !done.rows.is_empty() || statement.kind().writes() && done.affected > 0;
            self.with_rows += usize::from(any);
        }
        match verdict {
            Verdict::Same { in_order } => self.as_lists += usize::from(*in_order),
            Verdict::Refused(code) => *self.refused.entry(code.clone()).or_default() += 1,
            Verdict::Known(known) => *self.known.entry(*known).or_default() += 1,
            Verdict::Undetermined | Verdict::Parted => self.undetermined += 1,
            Verdict::TooExpensive => self.too_expensive += 1,
        }
        for feature in statement.features() {
            let (all, of_them) = self.features.entry(feature).or_default();
            *all += 1;
            *of_them += usize::from(accepted);
        }
    }

    /// Adds the counts of another report.
    pub fn add(&mut self, other: &Self) {
        self.statements += other.statements;
        self.ran += other.ran;
        self.with_rows += other.with_rows;
        self.failed_running += other.failed_running;
        self.not_accepted += other.not_accepted;
        self.as_lists += other.as_lists;
        self.undetermined += other.undetermined;
        self.too_expensive += other.too_expensive;
        for (code, count) in &other.refused {
            *self.refused.entry(code.clone()).or_default() += count;
        }
        for (known, count) in &other.known {
            *self.known.entry(*known).or_default() += count;
        }
        for (feature, (all, accepted)) in &other.features {
            let entry = self.features.entry(*feature).or_default();
            (entry.0, entry.1) = (entry.0 + all, entry.1 + accepted);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} statements", self.statements)?;
        writeln!(
            f,
            "  {} ran ({} with rows), {} failed while running, {} not accepted",
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
