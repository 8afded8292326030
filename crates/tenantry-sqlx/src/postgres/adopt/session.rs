//! The settings under which values read the same everywhere.

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};

/// Connects, and sees to it that values are written here and read there in the same way, and that nothing ends it because
/// it takes long.
pub(in crate::postgres) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    settle(&mut connection).await?;
    Ok(connection)
}

/// The same for a connection that is at hand.
pub(in crate::postgres) async fn settle(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SETTINGS).execute(connection).await.map(drop)
}

/// What pg_dump sets, for the same reasons. With nothing but `pg_catalog` on the search path, names that are values have
/// their schema in front.
const SETTINGS: &str = "
SET search_path = pg_catalog;
SET client_encoding = 'UTF8';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SET extra_float_digits = 3;
SET bytea_output = 'hex';
SET lc_monetary = 'C';
SET xmloption = 'content';
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout';
";
