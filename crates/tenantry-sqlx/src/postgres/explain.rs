//! How the server would run a statement, for operators.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions, postgres::PgRow};
use tenantry_sql::Plan;

use super::{connection, held};
use crate::scoped::Explain;

/// The tenant that the plan is asked for: the pristine one, who is never served.
const PRISTINE: i64 = 0;

/// Asks the server, on a connection of its own. Nothing is run.
///
/// The plan is the generic one, for whichever values and tenant.
pub(super) async fn explain(
    application: &PgConnectOptions,
    plan: &Plan,
    what: Explain,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let mut connection = connection::pinned(application).connect().await?;
    let prepare = format!(
        "{}; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE explained AS {}",
        held::beginning("BEGIN", PRISTINE, None),
        plan.text
    );
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut connection).await?;
    let options = match what {
        Explain::Plan => "COSTS OFF",
        Explain::Program => "VERBOSE",
    };
    let count = plan.parameters.len() + usize::from(plan.tenant.is_some());
    let values = if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(", ")) };
    let explain = format!("EXPLAIN ({options}) EXECUTE explained{values}");
    let explained = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(explained)
}
