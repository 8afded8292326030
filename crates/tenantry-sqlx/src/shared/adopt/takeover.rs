//! A shared database that has no schema yet takes that of the source.

use sqlx::{AssertSqlSafe, SqliteConnection, migrate::Migrate};
use tenantry_sql::Code;

use super::{
    agreement::has_migrations,
    error::AdoptError,
    source::{MIGRATIONS, SOURCE},
};
use crate::{
    scoped::ScopeError,
    shared::{
        migrate::{Schema, Work},
        template::Object,
    },
};

/// Runs the definitions of the source as those of a migration, in an order in which they can be.
pub(super) async fn define(mut work: Work<'_>, objects: &[Object]) -> Result<Schema, AdoptError> {
    let mut left: Vec<&Object> = Vec::new();
    for kind in ["table", "index", "view", "trigger"] {
        left.extend(objects.iter().filter(|object| object.kind == kind));
    }
    while !left.is_empty() {
        let mut postponed = Vec::new();
        let mut first_refusal = None;
        for object in &left {
            let Some(sql) = &object.sql else { continue };
            match work.statement(sql).await {
                Ok(()) => {}
                // It may name something that comes later.
                Err(error) if waits(&error) => {
                    first_refusal.get_or_insert((*object, error));
                    postponed.push(*object);
                }
                Err(error) => return Err(AdoptError::of_definition(described(object), error)),
            }
        }
        if let Some((object, error)) = first_refusal.filter(|_| postponed.len() == left.len()) {
            return Err(AdoptError::of_definition(described(object), error));
        }
        left = postponed;
    }
    Ok(work.end().await?)
}

/// Takes over which migrations have run, so that the next one is the next one here as well.
pub(super) async fn history(owner: &mut SqliteConnection) -> Result<(), AdoptError> {
    if !has_migrations(SOURCE, owner).await? {
        return Ok(());
    }
    copy_migrations(owner).await.map_err(AdoptError::Database)
}

/// Notes the migrations of the source in `main`, which has noted none.
pub(in crate::shared) async fn copy_migrations(owner: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    owner.ensure_migrations_table(MIGRATIONS).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
    let columns = "version, description, installed_on, success, checksum, execution_time";
    let text = format!("INSERT INTO main.{MIGRATIONS} ({columns}) SELECT {columns} FROM {SOURCE}.{MIGRATIONS}");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(owner).await.map(drop)
}

/// What an object is called in messages.
pub(super) fn described(object: &Object) -> String {
    format!("{} {}", object.kind, object.name)
}

/// Whether something is refused that could pass when more is defined: that names what is not there, or refers to the
/// primary key of a table that is not there.
pub(super) fn waits(error: &sqlx::Error) -> bool {
    let Some(ScopeError::Refused(refused)) = ScopeError::of(error) else { return false };
    matches!(refused.code, Code::Relation | Code::Constraint)
}
