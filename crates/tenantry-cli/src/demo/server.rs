//! The demo on a PostgreSQL server: the role that serves.

use std::{fmt::Write as _, path::Path, str::FromStr};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, postgres::PgConnectOptions};
use tenantry::{MasterKeys, Purpose, TenantId, sql::Quoted};

use crate::failure::Failure;

/// Makes the role that serves, with a password of the demo's own, and gives the URL with which it logs in. It owns
/// nothing, so that row-level security holds for it.
pub(super) async fn application_url(owner: &str, folder: &Path) -> Result<String, Failure> {
    // What sqlx says of a URL may repeat its password.
    let options = PgConnectOptions::from_str(owner)
        .map_err(|_| Failure::misused("--database is no URL like postgres://user:password@host:5432/database"))?;
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    let role = format!("{database}_app");
    let password = password(folder)?;
    make(&options, &role, &password).await.map_err(|error| {
        let hint = "name an empty database and a role that may create roles: CREATE ROLE … LOGIN CREATEROLE CREATEDB";
        Failure::other("database", format!("the role {role} cannot be made: {error}")).hint(hint)
    })?;
    Ok(options.username(&role).password(&password).to_url_lossy().into())
}

async fn make(options: &PgConnectOptions, role: &str, password: &str) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut connection)
        .await?;
    let verb = if exists { "ALTER" } else { "CREATE" };
    let name = Quoted::new(role);
    // The password consists of hexadecimal digits.
    connection.execute(AssertSqlSafe(format!("{verb} ROLE {name} LOGIN PASSWORD '{password}'"))).await?;
    // It owns the databases of tenants with one of their own, which the owner makes for it.
    connection.execute(AssertSqlSafe(format!("GRANT {name} TO CURRENT_USER"))).await?;
    connection.close().await
}

fn password(folder: &Path) -> Result<String, Failure> {
    let keys = MasterKeys::load_or_create(folder.join("notes.key"))?;
    let key = keys.current(Purpose::new("password of the demo's role"), TenantId::new(0));
    let mut password = String::new();
    for byte in key.secret().iter().take(24) {
        // Writing to a text cannot fail.
        write!(password, "{byte:02x}").ok();
    }
    Ok(password)
}
