//! Stores of local users: in one SQLite file, or in a PostgreSQL database (feature `postgres`).

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

#[cfg(feature = "postgres")]
pub use self::postgres::PgUsers;
pub use self::sqlite::SqliteUsers;

use sqlx::{ColumnIndex, Decode, Row, Type};
use tenantry_resource::directory::LocalUser;

/// A row of `users`, whose roles are a list in JSON.
fn user<R: Row>(row: &R) -> Result<LocalUser, sqlx::Error>
where
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
{
    let roles: String = row.try_get("roles")?;
    Ok(LocalUser {
        name: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        mail: row.try_get("mail")?,
        roles: serde_json::from_str(&roles).map_err(|error| sqlx::Error::Decode(error.into()))?,
        password_hash: row.try_get("password_hash")?,
    })
}

fn written(roles: &[String]) -> Result<String, sqlx::Error> {
    serde_json::to_string(roles).map_err(|error| sqlx::Error::Encode(error.into()))
}
