//! Errors, as SeaORM's own driver gives them.

use std::error::Error as StdError;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tenantry_sqlx::ScopeError;

/// The reason for which Tenantry did not run a statement, if that is what an error of SeaORM is about.
///
/// ```
/// # fn example(error: &sea_orm::DbErr) {
/// use tenantry_seaorm::scope_error;
/// use tenantry_sqlx::ScopeError;
///
/// match scope_error(error) {
///     Some(ScopeError::Refused(refused)) => println!("{}: {refused}", refused.code),
///     Some(other) => println!("{other}"),
///     None => println!("an error of the database: {:?}", error.sql_err()),
/// }
/// # }
/// ```
pub fn scope_error(error: &DbErr) -> Option<&ScopeError> {
    // `DbErr` has a `RuntimeErr` for its source, which has none, so that sqlx's error is not in the chain.
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(RuntimeErr::SqlxError(error)) = error.downcast_ref() {
            return ScopeError::of(error);
        }
        next = error.source();
    }
    None
}

/// The error of a statement that is executed.
pub(crate) fn executing(error: sqlx::Error) -> DbErr {
    acquiring(error).unwrap_or_else(DbErr::Exec)
}

/// The error of a statement that asks for rows, or that begins or ends a transaction.
pub(crate) fn querying(error: sqlx::Error) -> DbErr {
    acquiring(error).unwrap_or_else(DbErr::Query)
}

/// What SeaORM says when there is no connection. Otherwise the error, for the variant that is right.
fn acquiring(error: sqlx::Error) -> Result<DbErr, RuntimeErr> {
    match error {
        sqlx::Error::PoolTimedOut => Ok(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        sqlx::Error::PoolClosed => Ok(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
        error if is_about_the_tenant(&error) => Ok(DbErr::Conn(RuntimeErr::SqlxError(error.into()))),
        error => Err(RuntimeErr::SqlxError(error.into())),
    }
}

/// Whether there is no connection for the tenant, whatever the statement.
fn is_about_the_tenant(error: &sqlx::Error) -> bool {
    ScopeError::of(error).is_some_and(|error| {
        matches!(
            error,
            ScopeError::NoScope(_)
                | ScopeError::NotAdmitted(_)
                | ScopeError::Placement { .. }
                | ScopeError::Unavailable(_)
        )
    })
}
