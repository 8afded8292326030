//! The rows of a table, where they are, and their checksum.

use std::fmt;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, SHARED_SCHEMA, TENANT};

use super::copy::stage;

/// What a row as a whole is called: as no column is.
const ROW: &str = "_tenantry_row";

/// The rows of a table.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::postgres) struct Rows {
    /// The table.
    pub(in crate::postgres) table: String,
    /// Whether all tenants read it.
    pub(in crate::postgres) is_global: bool,
    /// Its columns; those left out that are computed.
    pub(in crate::postgres) columns: Vec<String>,
    /// What each of them takes: `bytea` for bytes, `D` or `T` for times, or another category of types.
    pub(in crate::postgres) kinds: Vec<String>,
}

/// Where rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Place {
    /// In an instance's own table.
    Public,
    /// In the table that has the rows before they are a tenant's: that of this number.
    Stage(usize),
    /// In the shared table: those of this tenant.
    Tenant(i64),
    /// In the shared table that all tenants read.
    Global,
}

/// The rows of a table, counted and summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) struct Sum {
    pub(in crate::postgres) rows: u64,
    /// The sum of the digests of the rows, which does not depend on their order.
    digest: [u64; 2],
}

impl Rows {
    /// Of all tables that the application has.
    pub(in crate::postgres) async fn all(owner: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
        let text = "SELECT c.relname::text AS \"table\", t.global AS is_global, \
                           ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
                                 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum) AS columns, \
                           ARRAY(SELECT CASE WHEN 'bytea'::regtype IN (y.oid, y.typbasetype) THEN 'bytea' \
                                             ELSE y.typcategory::text END \
                                 FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid \
                                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                                 AND a.attgenerated = '' ORDER BY a.attnum) AS kinds \
                    FROM tenantry.tables t JOIN pg_class c ON c.oid = t.logical ORDER BY t.number";
        sqlx::query_as(text).fetch_all(owner).await
    }

    /// The columns, as statements name them.
    pub(in crate::postgres) fn list(&self) -> String {
        self.columns.iter().map(|column| Quoted::new(column).to_string()).collect::<Vec<_>>().join(", ")
    }

    /// The application's own table, of this name also at the instance.
    pub(in crate::postgres) fn public(&self) -> String {
        format!("public.{}", Quoted::new(&self.table))
    }

    /// The shared table.
    pub(in crate::postgres) fn shared(&self) -> String {
        format!("{}.{}", Quoted::new(SHARED_SCHEMA), Quoted::new(&self.table))
    }

    /// Deletes those of the tenant $1.
    pub(in crate::postgres) fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE {TENANT} = $1", self.shared())
    }

    /// Makes those of another table those of the tenant $1, or of all tenants.
    pub(in crate::postgres) fn insert(&self, from: &str) -> String {
        let (into, list) = (self.shared(), self.list());
        let (first, values) = match self.is_global {
            true => (list.clone(), list),
            false => (format!("{TENANT}, {list}"), format!("$1, {list}")),
        };
        format!("INSERT INTO {into} ({first}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {from}")
    }
}

impl Sum {
    /// Of the rows in a place.
    pub(in crate::postgres) async fn of(
        rows: &Rows,
        place: Place,
        connection: &mut PgConnection,
    ) -> Result<Self, sqlx::Error> {
        let (from, tenant) = match place {
            Place::Public => (rows.public(), None),
            Place::Stage(at) => (stage(at), None),
            Place::Global => (rows.shared(), None),
            Place::Tenant(tenant) => (format!("{} WHERE {TENANT} = $1", rows.shared()), Some(tenant)),
        };
        let half = |from: u8| format!("('x' || encode(substr(digest, {from}, 8), 'hex'))::bit(64)::bigint");
        let text = format!(
            "SELECT count(*), coalesce(sum({}), 0)::text, coalesce(sum({}), 0)::text \
             FROM (SELECT sha256(convert_to({ROW}::text, 'UTF8')) AS digest FROM (SELECT {} FROM {from}) {ROW}) digests",
            half(1),
            half(9),
            rows.list(),
        );
        let query = sqlx::query_as(AssertSqlSafe(text)).persistent(false);
        let query = tenant.into_iter().fold(query, |query, tenant| query.bind(tenant));
        let (rows, high, low): (i64, String, String) = query.fetch_one(connection).await?;
        Ok(Self { rows: rows.unsigned_abs(), digest: [wrapped(&high)?, wrapped(&low)?] })
    }
}

/// The checksum.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.digest[0], self.digest[1])
    }
}

/// The last 64 bits of a number, which PostgreSQL writes without bounds.
fn wrapped(sum: &str) -> Result<u64, sqlx::Error> {
    let sum: i128 = sum.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let rest = sum.rem_euclid(1 << 64);
    u64::try_from(rest).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
