//! Errors of the shared database, as a private one would say them.

use std::{borrow::Cow, error::Error as StdError, fmt};

use sqlx::{
    error::{DatabaseError, ErrorKind},
    postgres::PgDatabaseError,
};
use tenantry_core::TenantId;
use tenantry_sql::{SHARED_SCHEMA, TENANT};

use super::schema::gone::GONE;

/// Says an error of the shared database as a private one would: without the column of the tenant and the schema of the
/// shared tables. Codes, and names of tables, columns and constraints are those of a private database already.
pub(super) fn translate(error: sqlx::Error) -> sqlx::Error {
    let sqlx::Error::Database(original) = error else { return error };
    let Some(postgres) = original.try_downcast_ref::<PgDatabaseError>() else { return sqlx::Error::Database(original) };
    let shows = |text: Option<&str>| text.is_some_and(|text| OURS.iter().any(|ours| text.contains(ours)));
    let texts = [Some(postgres.message()), postgres.detail(), postgres.hint(), postgres.r#where(), postgres.schema()];
    if !texts.into_iter().any(shows) {
        return sqlx::Error::Database(original);
    }
    let mut message = said(postgres.message());
    if postgres.r#where().is_some_and(|place| place.contains("tenantry.next_id")) {
        message = without_sequence(&message);
    }
    sqlx::Error::Database(Box::new(Translated { original, message }))
}

/// Whether the connection is gone, or no longer known to be at the beginning of an answer.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // Class 57P: an operator intervened (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Whether a change was refused because the rows have been moved.
pub(super) fn is_moved(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(GONE))
}

/// Whether a statement was refused, before it did anything, since it was prepared when tables had other columns. The code
/// (0A000, feature_not_supported) says much else, and the message may be in any language.
pub(crate) fn is_stale(error: &sqlx::Error) -> bool {
    let postgres = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    postgres.is_some_and(|error| error.routine() == Some("RevalidateCachedQuery"))
}

/// Whether there is no such database (3D000, invalid_catalog_name).
pub(super) fn has_no_database(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("3D000"))
}

/// A row that has no place.
pub(super) struct RowFailure {
    pub(super) table: Option<String>,
    pub(super) message: String,
}

/// What an error says of a tenant's row, in its details as well: without what only the shared database has.
pub(super) fn of_row(error: &sqlx::Error, tenant: Option<TenantId>) -> Option<RowFailure> {
    let postgres = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    // Classes 22 and 23: a value that is none of the type's, or breaks a constraint.
    if !postgres.code().starts_with("22") && !postgres.code().starts_with("23") {
        return None;
    }
    let number = tenant.map(|tenant| format!("({tenant}, "));
    let own = |detail: &str| match &number {
        Some(number) => said(detail).replace(number, "("),
        None => said(detail),
    };
    let detail = postgres.detail().map(|detail| format!(" ({})", own(detail).trim_end_matches('.')));
    let message = format!("{}{}", said(postgres.message()), detail.unwrap_or_default());
    Some(RowFailure { table: postgres.table().map(str::to_owned), message })
}

/// The message without what only the shared database has.
fn said(message: &str) -> String {
    let (column, schema) = (format!("{TENANT}, "), format!("{SHARED_SCHEMA}."));
    message.replace(&column, "").replace(&schema, "")
}

/// The message without the name of a sequence of the tenant's own, which has the tenant's number in it.
fn without_sequence(message: &str) -> String {
    let split = message.split_once(" \"t").and_then(|(before, rest)| Some((before, rest.split_once('"')?.1)));
    split.map_or_else(|| message.to_owned(), |(before, after)| format!("{before}{after}"))
}

/// What is nowhere on a private database: the column of the tenant, and schemas of Tenantry's.
const OURS: [&str; 3] = [TENANT, "tenantry_", "tenantry."];

/// An error of PostgreSQL that is shown without what only the shared database has.
struct Translated {
    original: Box<dyn DatabaseError>,
    message: String,
}

impl fmt::Display for Translated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Without the details, which have the tenant's number in them.
impl fmt::Debug for Translated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, constraint) = (self.original.code(), self.original.constraint());
        f.debug_struct("PgDatabaseError")
            .field("code", &code)
            .field("message", &self.message)
            .field("table", &self.original.table())
            .field("constraint", &constraint)
            .finish_non_exhaustive()
    }
}

impl StdError for Translated {}

impl DatabaseError for Translated {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.original.code()
    }

    // By these three an error is asked of which database it is, and the answer is that of PostgreSQL's own.
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.original.as_error()
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self.original.as_error_mut()
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self.original.into_error()
    }

    fn is_transient_in_connect_phase(&self) -> bool {
        self.original.is_transient_in_connect_phase()
    }

    fn constraint(&self) -> Option<&str> {
        self.original.constraint()
    }

    fn table(&self) -> Option<&str> {
        self.original.table()
    }

    fn kind(&self) -> ErrorKind {
        self.original.kind()
    }
}
