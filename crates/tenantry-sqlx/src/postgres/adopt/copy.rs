//! How rows come from one server to the other.

use std::ops::ControlFlow;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection};

use super::rows::Rows;

/// So many bytes are sent at once.
const CHUNK: usize = 1 << 16;

/// Why rows did not arrive.
#[derive(Debug)]
pub(in crate::postgres) enum CopyError {
    /// The source failed.
    Source(sqlx::Error),
    /// The shared database failed, or has no place for a value.
    Target(sqlx::Error),
    /// A row of the source cannot be a row of the table.
    Row(String),
    /// It was asked to stop.
    Stopped,
}

/// Between two databases of Tenantry's, where nobody asks to stop.
impl From<CopyError> for sqlx::Error {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Source(error) | CopyError::Target(error) => error,
            CopyError::Row(message) => Self::Protocol(message),
            CopyError::Stopped => Self::WorkerCrashed,
        }
    }
}

/// Who is told how many rows have come, and says whether to go on.
pub(in crate::postgres) type Told<'a> = dyn FnMut(u64) -> ControlFlow<()> + Send + 'a;

/// What the table is called that has a table's rows before they are a tenant's. It is gone with the connection.
pub(in crate::postgres) fn stage(at: usize) -> String {
    format!("pg_temp._tenantry_stage{at}")
}

/// Makes the stage of a table, which refuses rows that the table itself would refuse, as far as that can be said of a row
/// alone. Row-level security forbids `COPY FROM`, so that the shared table is out of the question.
pub(in crate::postgres) async fn make(stage: &str, rows: &Rows, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let like = format!("LIKE {} INCLUDING CONSTRAINTS INCLUDING GENERATED", rows.public());
    let text = format!("CREATE TEMPORARY TABLE {stage} ({like})");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(owner).await.map(drop)
}

/// Copies a table's rows, which `out` says, and tells now and then how many have come. Values pass as the one server writes them, and the
/// other reads them: as text, since in the binary form an array or a row has numbers of types in it, and a name the number
/// of what it names, all of which are others in another database.
pub(in crate::postgres) async fn copy(
    out: &str,
    rows: &Rows,
    source: &mut PgConnection,
    stage: &str,
    owner: &mut PgConnection,
    told: &mut Told<'_>,
) -> Result<u64, CopyError> {
    let into = format!("COPY {stage} ({}) FROM STDIN", rows.list());
    pipe(out, &into, source, owner, told).await
}

/// Passes on what one `COPY` gives to another that takes it.
pub(in crate::postgres) async fn pipe(
    out: &str,
    into: &str,
    source: &mut PgConnection,
    owner: &mut PgConnection,
    told: &mut Told<'_>,
) -> Result<u64, CopyError> {
    let mut out = source.copy_out_raw(out).await.map_err(CopyError::Source)?;
    let mut into = owner.copy_in_raw(into).await.map_err(CopyError::Target)?;
    let (mut buffer, mut copied) = (Vec::with_capacity(2 * CHUNK), 0);
    while let Some(chunk) = out.try_next().await.map_err(CopyError::Source)? {
        // Within a value it is written as two characters.
        copied += chunk.iter().filter(|byte| **byte == b'\n').count();
        buffer.extend_from_slice(&chunk);
        if buffer.len() >= CHUNK {
            into.send(buffer.as_slice()).await.map_err(CopyError::Target)?;
            buffer.clear();
            if told(u64::try_from(copied).unwrap_or(u64::MAX)).is_break() {
                return Err(CopyError::Stopped);
            }
        }
    }
    into.send(buffer.as_slice()).await.map_err(CopyError::Target)?;
    into.finish().await.map_err(CopyError::Target)
}
