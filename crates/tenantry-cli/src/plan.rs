//! `tenantry plan`: what would become of an existing instance.

use std::fmt;

use serde::Serialize;
use tenantry::adopt::{AdoptError, Survey};

use crate::{
    deployment::Deployment,
    failure::Failure,
    instance::{Instance, Target},
    output::{Output, table},
};

/// An instance to look at. Nothing is changed.
///
/// The exit code is 0 when `tenantry adopt` would take it now, and 3 when something is in the way.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// The SQLite database of the instance; or, where tenants' rows are on PostgreSQL, also the URL of its database
    #[arg(value_name = "FILE|URL")]
    from: Instance,
}

impl Plan {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let target = Target::of(deployment, &self.from)?;
        let survey = target.survey(&self.from).await.map_err(|error| match error {
            AdoptError::Source(error) => Failure::other("source", error.to_string()),
            #[cfg(feature = "postgres")]
            AdoptError::Server(error) => Failure::other("source", error.to_string()),
            error => Failure::other("database", error.to_string()),
        })?;
        let planned = Planned::new(&survey, target.takes_schema());
        output.print(&planned)?;
        if planned.adoptable {
            return Ok(());
        }
        let failure = Failure::in_the_way(format!("{} cannot be adopted as it is", self.from));
        Err(if !survey.is_compared && !target.takes_schema() {
            failure
        } else if survey.differences.is_empty() {
            failure.hint("a tenant with --placement dedicated can keep what has no shared form")
        } else {
            failure.hint("usually the instance and the shared database have to run the same migrations first")
        })
    }
}

#[derive(Serialize)]
struct Planned {
    file: String,
    bytes: u64,
    adoptable: bool,
    /// Objects that have a shared form.
    convertible: usize,
    /// Whether there is a shared database to compare with.
    compared: bool,
    /// Whether the shared database takes the instance's schema.
    takes_schema: bool,
    objects: Vec<Object>,
    problems: Vec<String>,
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct Object {
    kind: String,
    name: String,
    rows: Option<u64>,
    bytes: Option<u64>,
    verdict: &'static str,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Difference {
    object: String,
    only_source: Vec<String>,
    only_shared: Vec<String>,
}

impl Planned {
    fn new(survey: &Survey, takes_schema: bool) -> Self {
        let objects = survey.objects.iter().map(|object| Object {
            kind: object.kind.clone(),
            name: object.name.clone(),
            rows: object.rows,
            bytes: object.bytes,
            verdict: object.verdict.as_str(),
            notes: object.notes.clone(),
        });
        let differences = survey.differences.iter().map(|difference| Difference {
            object: difference.object.clone(),
            only_source: difference.only_source.clone(),
            only_shared: difference.only_shared.clone(),
        });
        Self {
            file: survey.source.clone(),
            bytes: survey.bytes,
            adoptable: survey.is_adoptable(),
            convertible: survey.convertible(),
            compared: survey.is_compared,
            takes_schema: takes_schema && !survey.is_compared,
            objects: objects.collect(),
            problems: survey.problems.clone(),
            differences: differences.collect(),
        }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let rows: Vec<_> = self
            .objects
            .iter()
            .map(|object| {
                let Object { kind, name, verdict, notes, .. } = object;
                let verdict = (*verdict).to_owned();
                [kind.clone(), name.clone(), number(object.rows), number(object.bytes), verdict, notes.join("; ")]
            })
            .collect();
        writeln!(f, "{}\n", table(["KIND", "NAME", "ROWS", "BYTES", "VERDICT", "NOTES"], &rows))?;
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        for Difference { object, only_source, only_shared } in &self.differences {
            writeln!(f, "{object} differs from the shared database:")?;
            for (whose, facts) in [("the instance", only_source), ("the shared database", only_shared)] {
                for fact in facts {
                    writeln!(f, "    only {whose} has: {fact}")?;
                }
            }
        }
        let compared = match self.takes_schema {
            true => "; there is no shared schema yet, and it would become that",
            false => "",
        };
        let (convertible, all) = (self.convertible, self.objects.len());
        writeln!(f, "{convertible} of {all} objects have a shared form{compared}")?;
        write!(f, "{}", if self.adoptable { "it can be adopted now" } else { "it cannot be adopted as it is" })
    }
}
