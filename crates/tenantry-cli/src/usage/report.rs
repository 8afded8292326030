//! What is printed.

use std::fmt;

use serde::{Serialize, Serializer};
use tenantry::{Amounts, Count, Slug, Used};

use super::{By, allowed::Allowed};
use crate::{
    output::{amount, bytes, fitting, time},
    tenant::utc,
};

/// What a tenant has used in some time.
#[derive(Serialize)]
pub(super) struct Line {
    tenant: String,
    /// When that time begins; nothing for all that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(flatten)]
    used: Amount,
}

struct Amount(Amounts);

impl Line {
    pub(super) fn new(tenant: &Slug, used: Used, by: Option<By>) -> Self {
        let length = match by {
            None => None,
            Some(By::Hour) => Some("2026-01-31T00".len()),
            Some(By::Day) => Some("2026-01-31".len()),
            Some(By::Month) => Some("2026-01".len()),
        };
        let from = length.and_then(|length| utc(used.hour.start())?.get(..length).map(str::to_owned));
        Self { tenant: tenant.to_string(), from, used: Amount(used.amounts) }
    }

    /// Whether both are of the same tenant and time.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.from == other.from
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.used.0 += more.used.0.clone();
    }

    fn row(&self, is_by: bool) -> Vec<String> {
        let from = is_by.then(|| self.from.clone().unwrap_or_default());
        std::iter::once(self.tenant.clone()).chain(from).chain(cells(&self.used.0)).collect()
    }
}

/// All that a command has found.
#[derive(Serialize)]
pub(super) struct Shown {
    usage: Vec<Line>,
    total: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Vec<Allowed>>,
    #[serde(skip)]
    is_by: bool,
}

impl Shown {
    pub(super) fn new(usage: Vec<Line>, by: Option<By>, allowed: Option<Vec<Allowed>>) -> Self {
        let mut total = Amounts::default();
        for line in &usage {
            total += line.used.0.clone();
        }
        Self { usage, total: Amount(total), allowed, is_by: by.is_some() }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.is_by.then_some("FROM");
        let titles: Vec<_> = std::iter::once("TENANT").chain(from).chain(TITLES).collect();
        let mut rows: Vec<_> = self.usage.iter().map(|line| line.row(self.is_by)).collect();
        if rows.len() > 1 {
            let from = self.is_by.then(String::new);
            rows.push(std::iter::once("(total)".to_owned()).chain(from).chain(cells(&self.total.0)).collect());
        }
        f.write_str(&fitting(&titles, &rows))?;
        if let Some(allowed) = &self.allowed {
            let rows: Vec<_> = allowed.iter().map(Allowed::row).collect();
            write!(f, "\n\n{}", fitting(&["LIMIT", "NOW", "ALLOWED"], &rows))?;
        }
        Ok(())
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Count::ALL.map(|count| (count.as_str(), self.0.get(count))))
    }
}

/// What matters most comes first: where the terminal is narrow, the last ones are left out.
const TITLES: [&str; 10] =
    ["REQUESTS", "STATEMENTS", "DB-TIME", "HANDLING", "READ", "CHANGED", "IN", "OUT", "JOBS", "REFUSED"];

fn cells(used: &Amounts) -> [String; 10] {
    let get = |count| used.get(count);
    [
        amount(get(Count::Requests)),
        amount(get(Count::Statements)),
        time(get(Count::StatementNanos)),
        time(get(Count::HandlingNanos)),
        amount(get(Count::RowsRead)),
        amount(get(Count::RowsChanged)),
        bytes(get(Count::BytesReceived)),
        bytes(get(Count::BytesSent)),
        amount(get(Count::JobsDone)),
        amount(get(Count::Refusals)),
    ]
}
