//! The definitions of a source, run on a shared database in memory: what is refused there would be refused.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnectOptions;

use super::super::takeover::waits;
use crate::{
    SqliteOptions,
    scoped::ScopeError,
    shared::{keeper::Keeper, migrate::Work, template::Object},
};

/// Why objects are refused, by their places.
pub(super) async fn rehearse(
    options: &SqliteOptions,
    objects: &[Object],
) -> Result<BTreeMap<usize, String>, sqlx::Error> {
    let mut refused = BTreeMap::new();
    // What fails half-way leaves the rest in doubt: the rehearsal begins again without it.
    while let Some((at, why)) = attempt(options, objects, &mut refused).await? {
        refused.insert(at, why);
    }
    Ok(refused)
}

async fn attempt(
    options: &SqliteOptions,
    objects: &[Object],
    refused: &mut BTreeMap<usize, String>,
) -> Result<Option<(usize, String)>, sqlx::Error> {
    let memory = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let keeper = Keeper::open(&memory, options.busy_timeout, options.limits, options.global.clone()).await?;
    let mut owner = keeper.owner().await?;
    let session = owner.session();
    let mut work = Work::begin(&keeper, session, &mut owner).await?;
    let mut left: Vec<usize> = Vec::new();
    for kind in ["table", "index", "view", "trigger"] {
        let of_kind = objects.iter().enumerate().filter(|(_, object)| object.kind == kind);
        left.extend(of_kind.map(|(at, _)| at).filter(|at| !refused.contains_key(at)));
    }
    loop {
        let mut waiting = Vec::new();
        for at in &left {
            let Some(sql) = objects.get(*at).and_then(|object| object.sql.as_ref()) else { continue };
            match work.statement(sql).await {
                Ok(()) => {}
                Err(error) if waits(&error) => waiting.push((*at, said(&error))),
                Err(error) => return Ok(Some((*at, said(&error)))),
            }
        }
        if waiting.len() == left.len() {
            refused.extend(waiting);
            break;
        }
        left = waiting.into_iter().map(|(at, _)| at).collect();
    }
    Ok(work.end().await.err().map(|error| (usize::MAX, said(&error))))
}

fn said(error: &sqlx::Error) -> String {
    match (ScopeError::of(error), error.as_database_error()) {
        (Some(ScopeError::Refused(refused)), _) => refused.to_string(),
        (None, Some(database)) => format!("SQLite says: {}", database.message()),
        _ => error.to_string(),
    }
}
