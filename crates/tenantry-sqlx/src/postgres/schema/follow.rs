//! Makes the shared tables follow the application's, and checks that they have.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Name, Quoted, SHARED_SCHEMA};

use super::{
    difference::{self, Step},
    error::SchemaError,
    followed,
    install::{self, Meta},
    model::{self, Model},
    numbering,
    shape::{ON_LOGICAL_TABLES, Surroundings},
};
use crate::scoped::ScopeError;

/// After a definition on `public`: the same for the shared tables. `using` has the expressions by which types of columns
/// change. Runs within the transaction that the definition ran in, and leaves only `pg_catalog` on the search path.
pub(super) async fn follow(owner: &mut PgConnection, using: &[(Name, String)]) -> Result<(), sqlx::Error> {
    model::print_qualified(owner).await?;
    let Meta { application, globals, .. } = install::meta(owner).await?;
    followed::forget_dropped(owner).await?;
    numbering::forget_dropped(owner).await?;
    followed::number_new(owner, &globals).await?;
    rename_tables(owner).await?;
    let (mut actual, expected, logical) = compared(owner, &application).await?;
    let renames = difference::renames(&actual, &expected);
    if !renames.is_empty() {
        run(owner, &renames).await?;
        actual = Model::read(owner, SHARED_SCHEMA, &application).await?;
    }
    run(owner, &difference::difference(&actual, &expected, using, &application)).await?;
    followed::remember_shared(owner).await?;
    // What is new is numbered by a shared sequence until all tenants have what they count with.
    if let Some(changed) = numbering::change(owner, &actual).await? {
        let (present, expected, _) = compared(owner, &application).await?;
        run(owner, &difference::difference(&present, &expected, &[], &application)).await?;
        changed.complete(owner).await?;
    }
    permit(owner, &logical, &application).await
}

/// Refuses what does not correspond.
pub(super) async fn check(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    model::print_qualified(owner).await?;
    let application = install::meta(owner).await?.application;
    match differences(owner, &application).await?.into_iter().next() {
        None => Ok(()),
        Some(Step { what, .. }) => Err(SchemaError::Apart { what }.into()),
    }
}

/// All that does not correspond. Only `pg_catalog` must be on the search path.
pub(super) async fn differences(connection: &mut PgConnection, role: &str) -> Result<Vec<Step>, sqlx::Error> {
    let (actual, expected, _) = compared(connection, role).await?;
    let mut steps = difference::renames(&actual, &expected);
    steps.extend(difference::difference(&actual, &expected, &[], role));
    Ok(steps)
}

/// The shared schema as it is, as it should be, and the application's.
async fn compared(connection: &mut PgConnection, role: &str) -> Result<(Model, Model, Model), sqlx::Error> {
    let text = "SELECT extname::text FROM pg_extension";
    let extensions: HashSet<String> = sqlx::query_scalar(text).fetch_all(&mut *connection).await?.into_iter().collect();
    let followed = followed::read(connection).await?;
    let logical = Model::read(connection, "public", role).await?;
    let numbered = numbering::read(connection).await?;
    let surroundings = Surroundings { followed: &followed, extensions: &extensions, numbered: &numbered };
    let expected = surroundings.shape(&logical).map_err(ScopeError::from)?;
    let actual = Model::read(connection, SHARED_SCHEMA, role).await?;
    Ok((actual, expected, logical))
}

async fn rename_tables(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    for table in followed::read(owner).await? {
        if let (Some(to), Some(from)) = (table.logical, table.shared)
            && to != from
        {
            let (shared, from, to) = (Quoted::new(SHARED_SCHEMA), Quoted::new(&from), Quoted::new(&to));
            let text = format!("ALTER TABLE {shared}.{from} RENAME TO {to}");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *owner).await?;
        }
    }
    Ok(())
}

/// Lets the application's role look at what is new in `public`.
async fn permit(owner: &mut PgConnection, logical: &Model, role: &str) -> Result<(), sqlx::Error> {
    let mut steps = Vec::new();
    for (name, table) in &logical.tables {
        if !table.grants.iter().map(String::as_str).eq(ON_LOGICAL_TABLES.iter().copied()) {
            difference::grant("TABLE", "public", name, ON_LOGICAL_TABLES, role, &mut steps);
        }
    }
    let text = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' \
                AND NOT has_table_privilege($1, oid, 'SELECT')";
    let views: Vec<String> = sqlx::query_scalar(text).bind(role).fetch_all(&mut *owner).await?;
    for view in views {
        difference::grant("TABLE", "public", &view, &["SELECT"], role, &mut steps);
    }
    run(owner, &steps).await
}

async fn run(owner: &mut PgConnection, steps: &[Step]) -> Result<(), sqlx::Error> {
    for Step { what, sql } in steps {
        tracing::debug!(what, sql, "the shared tables follow");
        sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&mut *owner).await?;
    }
    Ok(())
}
