//! What SQLite's planner believes about the shared tables.
//!
//! Without statistics it takes a tenant's rows for ten or so, and would rather look at all of them than use an index
//! (sql-scoping §5.2). With these it knows that many rows are a tenant's and the rest of a key tells much, and that going
//! through all tenants costs more than anything: it would do that for a skip-scan, a Bloom filter or an index of the moment,
//! and so reach rows of others before it knows whose they are.

use sqlx::SqliteConnection;

/// How many rows a table has, and how many of them are a tenant's. The first is as large as SQLite can take.
const ROWS: u64 = 1_000_000_000_000_000_000;
const ROWS_OF_TENANT: u64 = 100_000;
/// How many rows share the values of a whole index that is not unique.
const ROWS_OF_KEY: u64 = 10;

/// Writes statistics for all indexes of the shared tables. Connections read them when they next read the schema.
pub(super) async fn write(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // ANALYZE makes the table that it keeps its results in; of a table without rows there are none.
    sqlx::raw_sql("ANALYZE main._tenantry_sequence; DELETE FROM main.sqlite_stat1").execute(&mut *connection).await?;
    let indexes: Vec<Index> = sqlx::query_as(INDEXES).fetch_all(&mut *connection).await?;
    for index in indexes {
        let text = "INSERT INTO main.sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)";
        // The primary key of a table without row ids goes by the table's name.
        let name = if index.origin == "pk" { &index.tbl } else { &index.name };
        let stat = stat(index.columns, index.is_unique);
        sqlx::query(text).bind(&index.tbl).bind(name).bind(stat).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The indexes that begin with the tenant column.
const INDEXES: &str = "
SELECT t.name AS tbl, i.name AS name, i.origin AS origin, i.\"unique\" AS is_unique,
       (SELECT count(*) FROM pragma_index_info(i.name)) AS columns
FROM sqlite_schema t, pragma_index_list(t.name) i
WHERE t.type = 'table'
  AND (SELECT c.name FROM pragma_index_info(i.name) c WHERE c.seqno = 0) = '_tenant'";

#[derive(sqlx::FromRow)]
struct Index {
    tbl: String,
    name: String,
    origin: String,
    is_unique: bool,
    columns: u32,
}

/// How many rows there are, and how many share the first column, the first two, and so on.
fn stat(columns: u32, unique: bool) -> String {
    let last = if unique { 1 } else { ROWS_OF_KEY };
    let shared = (1..=columns).map(|column| match column {
        1 => ROWS_OF_TENANT,
        column if column == columns => last,
        // In between, each column tells as much as the next.
        column => (ROWS_OF_TENANT / 100_u64.saturating_pow(column - 1)).max(last),
    });
    let numbers = std::iter::once(ROWS).chain(shared).map(|rows| rows.to_string());
    numbers.chain([NO_SKIP_SCAN.to_owned()]).collect::<Vec<_>>().join(" ")
}

/// SQLite's word for an index whose first column has to be known (<https://sqlite.org/fileformat2.html#stat1tab>).
const NO_SKIP_SCAN: &str = "noskipscan";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_tells_little_and_the_rest_tells_much() {
        let check = |columns, unique, expected: &str| {
            assert_eq!(stat(columns, unique), format!("{ROWS} {expected} noskipscan"));
        };
        check(1, false, "100000");
        check(2, true, "100000 1");
        check(2, false, "100000 10");
        check(4, false, "100000 1000 10 10");
    }
}
