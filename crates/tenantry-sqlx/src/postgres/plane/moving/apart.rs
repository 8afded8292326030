//! In which rows a copy is not what it is a copy of.
//!
//! Of each row of the source comes a digest, and its place there. On the side of the copy they are compared with the digests
//! of its rows; then the rows themselves come that the copy does not have. What is found waits in tables of the session.

use std::ops::ControlFlow;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, TENANT};

use super::super::copy::Source;
use crate::{
    MoveError,
    postgres::adopt::{
        self, Place, Rows,
        few::{self, Fields},
        stage,
    },
};

/// How rows of a table are known again when they have changed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Key {
    /// The columns of the primary key; none if there is none.
    pub(super) columns: Vec<String>,
    /// Those that no statement changes: identities for always.
    pub(super) fixed: Vec<String>,
}

/// Of all tables that the application has, in the order of [`Rows::all`].
pub(super) async fn keys(shared: &mut PgConnection) -> Result<Vec<Key>, sqlx::Error> {
    let text = "SELECT ARRAY(SELECT a.attname::text FROM pg_index i \
                             CROSS JOIN unnest(i.indkey) WITH ORDINALITY k (number, at) \
                             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
                             WHERE i.indrelid = c.oid AND i.indisprimary AND k.at <= i.indnkeyatts ORDER BY k.at) AS columns, \
                       ARRAY(SELECT a.attname::text FROM pg_attribute a \
                             WHERE a.attrelid = c.oid AND a.attidentity = 'a' AND NOT a.attisdropped) AS fixed \
                FROM tenantry.tables t JOIN pg_class c ON c.oid = t.logical ORDER BY t.number";
    sqlx::query_as(text).fetch_all(shared).await
}

/// The rows that are not the same of a table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Apart {
    /// How many the source has that the copy has not.
    pub(super) missing: u64,
    /// How many the copy has that the source has not.
    pub(super) stale: u64,
}

impl Apart {
    /// How many have changed, or are new, or gone.
    pub(super) fn changed(self) -> u64 {
        self.missing.max(self.stale)
    }
}

/// What the table of the session is called that has the places of rows that are not the same, in the copy as `mine` and in
/// the source as `theirs`.
pub(super) fn places(at: usize) -> String {
    format!("pg_temp._tenantry_apart{at}")
}

/// A table that is compared with its copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared<'a> {
    /// Its number among all.
    pub(super) at: usize,
    pub(super) rows: &'a Rows,
    pub(super) key: &'a Key,
    pub(super) fields: &'a Fields,
    /// Where the copy is.
    pub(super) copy: Place,
}

impl Compared<'_> {
    /// Takes the digests of the copy's rows, which nobody changes: before anybody has to wait for the comparison.
    pub(super) async fn digest(self, writing: &mut PgConnection) -> Result<(), sqlx::Error> {
        let make = format!(
            "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {}",
            self.mine(),
            digested("t.ctid AS place, t.xmin AS wrote", self.rows, self.copy)
        );
        sqlx::raw_sql(AssertSqlSafe(make)).execute(writing).await.map(drop)
    }

    /// Finds the rows that are not the same, and brings those that are missing to the table's stage.
    pub(super) async fn find(
        self,
        source: Source,
        reading: &mut PgConnection,
        writing: &mut PgConnection,
    ) -> Result<Apart, sqlx::Error> {
        let (mine, theirs, places) = (self.mine(), self.theirs(), places(self.at));
        let make = format!("CREATE TEMPORARY TABLE {theirs} (place tid, digest uuid) ON COMMIT DROP");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *writing).await?;
        let rest = format!("FROM ({}) digested", digested("t.ctid AS place", self.rows, source.place(self.rows)));
        let digest = Fields { row: "place, digest".to_owned(), size: DIGEST_BYTES.to_string() };
        pass(&digest, &rest, (&theirs, "place, digest"), reading, writing).await?;
        // Rows that are alike are counted, unless there is a key, so that there are none.
        let nth =
            if self.key.columns.is_empty() { "row_number() OVER (PARTITION BY digest ORDER BY place)" } else { "1" };
        let counted = |of: &str| format!("SELECT place, digest, {nth} AS nth FROM {of}");
        let compare = format!(
            "CREATE TEMPORARY TABLE {places} ON COMMIT DROP AS SELECT mine.place AS mine, theirs.place AS theirs \
             FROM ({}) mine FULL JOIN ({}) theirs USING (digest, nth) WHERE mine.place IS NULL OR theirs.place IS NULL",
            counted(&mine),
            counted(&theirs),
        );
        sqlx::raw_sql(AssertSqlSafe(compare)).execute(&mut *writing).await?;
        adopt::make_stage(&stage(self.at), self.rows, writing).await?;
        let text = AssertSqlSafe(format!("SELECT theirs::text FROM {places} WHERE theirs IS NOT NULL ORDER BY theirs"));
        let missing: Vec<String> = sqlx::query_scalar(text).persistent(false).fetch_all(&mut *writing).await?;
        for some in missing.chunks(AT_ONCE) {
            self.bring(source, some, reading, writing).await?;
        }
        let text = AssertSqlSafe(format!("SELECT count(mine) FROM {places}"));
        let stale: i64 = sqlx::query_scalar(text).persistent(false).fetch_one(writing).await?;
        Ok(Apart { missing: u64::try_from(missing.len()).unwrap_or(u64::MAX), stale: stale.unsigned_abs() })
    }

    /// Proves that the copy has become the same: that its rows have the digests that came from the source, each as often.
    ///
    /// A row that is still where it was when the digests of the copy were taken, and written by the same transaction, is the
    /// same row: within a transaction no place is given to another one. So only what has come since is digested.
    pub(super) async fn prove(self, writing: &mut PgConnection) -> Result<(), MoveError> {
        let (mine, theirs, places) = (self.mine(), self.theirs(), places(self.at));
        let (copy, condition) = whose(self.rows, self.copy);
        let text = format!(
            "WITH was AS (SELECT * FROM {mine} m WHERE NOT EXISTS (SELECT FROM {places} a WHERE a.mine = m.place)), \
                  now AS MATERIALIZED (SELECT was.place, CASE WHEN was.place IS NULL THEN {} END AS digest FROM {copy} t \
                      LEFT JOIN was ON was.place = t.ctid AND was.wrote = t.xmin WHERE {condition}), \
                  come AS (SELECT digest FROM now WHERE place IS NULL), \
                  missing AS (SELECT s.digest FROM {theirs} s JOIN {places} a ON a.theirs = s.place) \
             SELECT (SELECT count(*) FROM {theirs}), (SELECT count(*) FROM now), \
                    (SELECT count(place) FROM now) = (SELECT count(*) FROM was) \
                    AND NOT EXISTS (TABLE come EXCEPT ALL TABLE missing) \
                    AND NOT EXISTS (TABLE missing EXCEPT ALL TABLE come)",
            digest(self.rows)
        );
        let query = sqlx::query_as(AssertSqlSafe(text)).persistent(false);
        match query.fetch_one(writing).await? {
            (_, _, true) => Ok(()),
            (source_rows, copied, false) => {
                Err(MoveError::Mismatch { table: self.rows.table.clone(), source_rows, copied })
            }
        }
    }

    /// Brings the rows that are in these places of the source. A place is that of a row for as long as the transaction lasts
    /// that has found it there.
    async fn bring(
        self,
        source: Source,
        places: &[String],
        reading: &mut PgConnection,
        writing: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let (from, condition) = whose(self.rows, source.place(self.rows));
        let places: Vec<_> = places.iter().map(|place| format!("\"{place}\"")).collect();
        let rest = format!("FROM {from} t WHERE {condition} AND t.ctid = ANY ('{{{}}}'::tid[])", places.join(","));
        pass(self.fields, &rest, (&stage(self.at), &self.rows.list()), reading, writing).await
    }

    /// What the table of the session is called that has the digests of the copy.
    fn mine(self) -> String {
        format!("pg_temp._tenantry_mine{}", self.at)
    }

    /// And the one that has those of the source.
    fn theirs(self) -> String {
        format!("pg_temp._tenantry_theirs{}", self.at)
    }
}

/// What a list says of the rows in a place, and their digests.
fn digested(list: &str, rows: &Rows, place: Place) -> String {
    let (from, condition) = whose(rows, place);
    format!("SELECT {list}, {} AS digest FROM {from} t WHERE {condition}", digest(rows))
}

/// The digest of a row, which is called `t`: 128 bits of SHA-256.
fn digest(rows: &Rows) -> String {
    let list: Vec<_> = rows.columns.iter().map(|column| format!("t.{}", Quoted::new(column))).collect();
    format!("encode(substr(sha256(convert_to(ROW({})::text, 'UTF8')), 1, 16), 'hex')::uuid", list.join(", "))
}

/// The table that has the rows, and which of its rows they are.
fn whose(rows: &Rows, place: Place) -> (String, String) {
    match place {
        Place::Public | Place::Stage(_) => (rows.public(), "true".to_owned()),
        Place::Global => (rows.shared(), "true".to_owned()),
        Place::Tenant(tenant) => (rows.shared(), format!("t.{TENANT} = {tenant}")),
    }
}

/// Passes the columns of a list on, from a query that ends with `rest` to a table of the session.
async fn pass(
    fields: &Fields,
    rest: &str,
    (into, list): (&str, &str),
    reading: &mut PgConnection,
    writing: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if let Some(few) = few::few(fields, rest, reading).await? {
        return few::put(&few, (into, list), writing).await;
    }
    let (out, into) = (format!("COPY (SELECT {list} {rest}) TO STDOUT"), format!("COPY {into} ({list}) FROM STDIN"));
    let mut told = |_: u64| ControlFlow::Continue(());
    adopt::pipe(&out, &into, reading, writing, &mut told).await?;
    Ok(())
}

/// So many rows are asked for in one statement.
const AT_ONCE: usize = 10_000;

/// The bytes of a place and a digest.
const DIGEST_BYTES: u32 = 24;
