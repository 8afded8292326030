//! What operators ask: whether row-level security holds.

use sqlx::{ConnectOptions, Connection};

use super::{
    PostgresOptions, connection,
    schema::{self, Finding},
};

/// Asks the server, as the application's role, whether everything holds that keeps tenants apart if the scoping of a
/// statement is wrong, and what could be better.
///
/// Pools ask the same at their start and on a timer, and run nothing while something is [`Severity::Broken`].
///
/// [`Severity::Broken`]: super::Severity::Broken
///
/// # Errors
///
/// When the server cannot be asked, for instance since no pool was opened on the database before.
pub async fn doctor(options: &PostgresOptions) -> Result<Vec<Finding>, sqlx::Error> {
    let mut connection = connection::pinned(&options.application).connect().await?;
    let findings = schema::doctor(&mut connection).await?;
    connection.close().await?;
    Ok(findings)
}
