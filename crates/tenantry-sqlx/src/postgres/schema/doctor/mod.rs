//! Which walls are broken, and how to mend them.
//!
//! | module | what it looks at |
//! |---|---|
//! | `role` | what the application's role may do, and how its connections are set |
//! | `leakproof` | which indexes row-level security keeps from being used |

mod leakproof;
mod role;

use sqlx::{Connection, PgConnection};

use super::{catalogs, difference::Step, follow, install, lock, model, numbering};
use crate::scoped::ScopeError;

/// Something that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and where.
    pub what: String,
    /// The SQL that mends it, for the owner or an administrator.
    pub mend: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A wall between tenants has a hole: nothing should be served.
    Broken,
    /// Something is slower, or less well guarded, than it could be.
    Advice,
}

impl Finding {
    pub(super) fn broken(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Broken, what: what.into(), mend: mend.into() }
    }

    fn advice(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Advice, what: what.into(), mend: mend.into() }
    }
}

/// Examines the database as the connection sees it, which has to be one of those that the application's statements run
/// on. Reads only. While migrations run, the tables are left out: they may be on their way.
///
/// # Errors
///
/// What the server says, when nothing was installed for instance.
pub(crate) async fn doctor(application: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let mut transaction = application.begin().await?;
    let connection = &mut *transaction;
    let (who, mut findings) = role::examine(connection).await?;
    if lock::keep_schema(connection).await? {
        model::print_qualified(connection).await?;
        // Defaults of tables call what this looks at.
        findings.extend(numbering::examine(connection, &who).await?);
        findings.extend(tables(connection, &who).await?);
        for table in install::inhabited(connection).await? {
            let what = format!("table public.{table} has rows, which belong to no tenant");
            let table = tenantry_sql::Quoted::new(&table);
            findings.push(Finding::broken(what, format!("DELETE FROM public.{table}")));
        }
        for source in catalogs::missing(connection).await? {
            let what = format!("there is no view tenantry_catalog.{}", source.view());
            findings.push(Finding::broken(what, "-- start Tenantry as the owner once: it makes the view"));
        }
        findings.extend(leakproof::examine(connection).await?);
    }
    transaction.rollback().await?;
    Ok(findings)
}

/// Whether the shared tables are what the application's say, row-level security and privileges among it.
async fn tables(connection: &mut PgConnection, role: &str) -> Result<Vec<Finding>, sqlx::Error> {
    let differences = match follow::differences(connection, role).await {
        Ok(differences) => differences,
        // The application's own schema is one that could not have been made by a migration of ours.
        Err(error) => match ScopeError::of(&error) {
            Some(refused) => {
                let mend = "-- undo what was done to the application's schema beside its migrations";
                return Ok(vec![Finding::broken(refused.to_string(), mend)]);
            }
            None => return Err(error),
        },
    };
    Ok(differences.into_iter().map(|Step { what, sql }| Finding::broken(what, sql)).collect())
}
