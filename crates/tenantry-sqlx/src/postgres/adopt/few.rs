//! Few rows pass from one connection to another as text in a parameter.
//!
//! By `COPY` they would have to wait: its end is a message of its own, which TCP holds back until the rows before it are
//! acknowledged (RFC 896), and the server's side takes 40 ms for that when it has nothing to say. sqlx cannot switch that off.

use sqlx::{AssertSqlSafe, PgConnection};

/// How the rows of a table are written as a whole.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::postgres) struct Fields {
    /// What is in a row, in the order of the table's columns; nothing in place of those that are computed.
    pub(in crate::postgres) row: String,
    /// How many bytes that takes on disk.
    pub(in crate::postgres) size: String,
}

/// Of all tables that the application has, in the order of [`super::Rows::all`].
pub(in crate::postgres) async fn fields(owner: &mut PgConnection) -> Result<Vec<Fields>, sqlx::Error> {
    let each = |what: &str, between: &str| {
        format!(
            "coalesce((SELECT string_agg({what}, '{between}' ORDER BY a.attnum) FROM pg_attribute a \
                       WHERE a.attrelid = t.logical AND a.attnum > 0 AND NOT a.attisdropped), '')"
        )
    };
    let text = format!(
        "SELECT {} AS row, {} AS size FROM tenantry.tables t ORDER BY t.number",
        each("CASE a.attgenerated WHEN '' THEN quote_ident(a.attname) ELSE 'NULL' END", ", "),
        each("'coalesce(pg_column_size(' || quote_ident(a.attname) || '), 0)'", " + "),
    );
    sqlx::query_as(AssertSqlSafe(text)).fetch_all(owner).await
}

/// The rows that a query gives which ends with `rest`, each as the server writes a row; nothing if they are many.
pub(in crate::postgres) async fn few(
    Fields { row, size }: &Fields,
    rest: &str,
    connection: &mut PgConnection,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    // What is in the second half is only done when the first one says so; long values are not read for it.
    let text = format!(
        "SELECT CASE WHEN (SELECT count(*) <= {ROWS_MAX} AND coalesce(sum(size), 0) <= {BYTES_MAX} \
                           FROM (SELECT {size} AS size {rest} LIMIT {ROWS_MAX} + 1) counted) \
                     THEN ARRAY(SELECT ROW({row})::text {rest}) END"
    );
    sqlx::query_scalar(AssertSqlSafe(text)).persistent(false).fetch_one(connection).await
}

/// The rows of this type that are in a parameter, as a statement reads them.
pub(in crate::postgres) fn rows_of(kind: &str, parameter: usize) -> String {
    // Each is read once, not once for each column.
    format!(
        "(SELECT (line).* FROM (SELECT line::{kind} AS line FROM unnest(${parameter}::text[]) line OFFSET 0) lines) few"
    )
}

/// Takes few rows into a table of the session, which is empty until then or has others.
pub(in crate::postgres) async fn put(
    few: &[String],
    (into, list): (&str, &str),
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if few.is_empty() {
        return Ok(());
    }
    let text = AssertSqlSafe(format!("INSERT INTO {into} ({list}) SELECT {list} FROM {}", rows_of(into, 1)));
    sqlx::query(text).persistent(false).bind(few).execute(connection).await.map(drop)
}

/// More rows, or more bytes on disk, are not few.
const ROWS_MAX: u32 = 2_000;
const BYTES_MAX: u32 = 1 << 20;
