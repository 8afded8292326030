//! How far the numbers of a tenant have come.

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, SHARED_SCHEMA};

use super::{Numbered, super::{migrate::enter, model::{Column, Sequence}}};

/// The column that a sequence numbers.
pub(super) struct Target<'a> {
    pub(super) table: &'a str,
    pub(super) column: &'a Column,
    pub(super) sequence: &'a Sequence,
}

impl Target<'_> {
    /// Whether the numbers are what is in the column, and nothing is made of them.
    pub(super) fn is_plain(&self) -> bool {
        let is_default = |text: &str| text.starts_with("nextval('") && text.ends_with("'::regclass)");
        matches!(self.column.kind.as_str(), "smallint" | "integer" | "bigint")
            && (!self.column.identity.is_empty() || self.column.expression.as_deref().is_some_and(is_default))
    }

    /// The last number that a tenant has among its rows, if it is one that the sequence could have given.
    pub(super) async fn highest(&self, owner: &mut PgConnection, tenant: i64) -> Result<Option<i64>, sqlx::Error> {
        enter(owner, Some(tenant)).await?;
        let Sequence { start, minimum, maximum, increment, .. } = *self.sequence;
        let (last, from, to) = if increment > 0 { ("max", start, maximum) } else { ("min", minimum, start) };
        let (schema, table, column) = (Quoted::new(SHARED_SCHEMA), Quoted::new(self.table), Quoted::new(&self.column.name));
        let text = format!("SELECT {last}({column})::bigint FROM {schema}.{table} WHERE _tenant = $1 AND {column} BETWEEN $2 AND $3");
        let query = sqlx::query_scalar(AssertSqlSafe(text)).persistent(false).bind(tenant).bind(from).bind(to);
        query.fetch_one(owner).await
    }

    /// Whether a tenant has rows.
    pub(super) async fn is_inhabited(&self, owner: &mut PgConnection, tenant: i64) -> Result<bool, sqlx::Error> {
        enter(owner, Some(tenant)).await?;
        let (schema, table) = (Quoted::new(SHARED_SCHEMA), Quoted::new(self.table));
        let text = format!("SELECT EXISTS (SELECT 1 FROM {schema}.{table} WHERE _tenant = $1)");
        sqlx::query_scalar(AssertSqlSafe(text)).persistent(false).bind(tenant).fetch_one(owner).await
    }
}

/// The last number that a tenant was given, if it was given any.
pub(super) async fn counted(
    owner: &mut PgConnection,
    numbered: &Numbered,
    tenant: i64,
) -> Result<Option<i64>, sqlx::Error> {
    if numbered.is_gapless() {
        enter(owner, Some(tenant)).await?;
        let text = "SELECT last FROM tenantry.counters WHERE number = $1 AND _tenant = $2";
        return sqlx::query_scalar(text).bind(numbered.number).bind(tenant).fetch_optional(owner).await;
    }
    of_sequence(owner, &numbered.sequence_of(tenant)).await
}

/// The last number that a sequence has given, if it has given any. Its name is quoted.
pub(super) async fn of_sequence(owner: &mut PgConnection, sequence: &str) -> Result<Option<i64>, sqlx::Error> {
    let text = format!("SELECT last_value FROM {sequence} WHERE is_called");
    sqlx::query_scalar(AssertSqlSafe(text)).persistent(false).fetch_optional(owner).await
}
