//! How far the move of a tenant's rows has come, as the shared database remembers it.
//!
//! It is asked before each step, so that one that is taken again after later ones does no harm: a copy over rows that the
//! tenant has gone on to work with, for instance. Afterwards it says that the rows have left, and where they are: whoever
//! looks for them where they were makes no new ones.

use sqlx::PgConnection;
use tenantry_core::{Moving, Placement, TenantId};

use super::super::{At, PgRows, own};
use crate::postgres::schema;

/// How far a move has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing that is remembered.
    Nothing,
    /// The tenant works where it was, and if not, it cannot change anything.
    Begun,
    /// The copy has been proved, and nobody can change the source: the catalog may have been switched.
    Proved,
    /// Nothing is left of the source.
    Left,
}

/// How far this move has come.
pub(super) async fn reached(plane: &PgRows, moving: &Moving) -> Result<Reached, sqlx::Error> {
    let Some((place, reached)) = last(plane, moving.from.id).await? else { return Ok(Reached::Nothing) };
    if place != moving.to.placement.as_str() {
        return Ok(Reached::Nothing);
    }
    Ok(match reached.as_str() {
        PROVED => Reached::Proved,
        LEFT if !has_source(plane, moving).await? => Reached::Left,
        BEGUN => Reached::Begun,
        _ => Reached::Nothing,
    })
}

/// Whether there are rows where they are to come from, or could be.
pub(super) async fn has_source(plane: &PgRows, moving: &Moving) -> Result<bool, sqlx::Error> {
    is_there(plane, moving.from.id, &moving.from.placement).await
}

/// Whether a tenant has a place.
pub(super) async fn is_there(plane: &PgRows, tenant: TenantId, placement: &Placement) -> Result<bool, sqlx::Error> {
    if *placement == Placement::Dedicated {
        return own::exists(plane, tenant).await;
    }
    let mut owner = plane.to.take().await?;
    let is_there = schema::has_tenant(&mut owner, tenant.get()).await?;
    owner.give_back();
    Ok(is_there)
}

/// Whether the last move of a tenant's rows was proved that brought them to a place, and what they have left is still there.
pub(super) async fn is_proved_to(plane: &PgRows, tenant: TenantId, placement: &Placement) -> Result<bool, sqlx::Error> {
    let last = last(plane, tenant).await?;
    Ok(last.is_some_and(|(place, reached)| place == placement.as_str() && reached == PROVED))
}

/// Remembers that a move has begun, or is begun anew: what was proved is not proved any more.
pub(super) async fn begin(plane: &PgRows, moving: &Moving) -> Result<(), sqlx::Error> {
    set(plane, moving, BEGUN).await
}

/// Remembers that the copy was proved.
pub(super) async fn prove(plane: &PgRows, moving: &Moving) -> Result<(), sqlx::Error> {
    set(plane, moving, PROVED).await
}

/// Remembers that nothing is left of the source.
pub(super) async fn leave(plane: &PgRows, moving: &Moving) -> Result<(), sqlx::Error> {
    set(plane, moving, LEFT).await
}

/// Remembers nothing of a tenant's moves. There may be no record at all.
pub(in crate::postgres::plane) async fn forget(plane: &PgRows, tenant: TenantId) -> Result<(), sqlx::Error> {
    let mut owner = plane.to.take().await?;
    if is_kept(&mut owner).await? {
        let text = "DELETE FROM tenantry.moves WHERE tenant = $1";
        sqlx::query(text).bind(tenant.get()).execute(&mut *owner).await?;
    }
    owner.give_back();
    Ok(())
}

/// Forgets that a tenant's rows have left a place, since others come there.
pub(in crate::postgres::plane) async fn come_back(plane: &PgRows, to: At) -> Result<(), sqlx::Error> {
    let (tenant, placement) = match to {
        At::Own(tenant) => (tenant, Placement::Dedicated),
        At::Shared(tenant) => (tenant, Placement::Shared),
    };
    let mut owner = plane.to.take().await?;
    let text = "DELETE FROM tenantry.moves WHERE tenant = $1 AND place <> $2 AND reached = 'left'";
    sqlx::query(text).bind(tenant.get()).bind(placement.as_str()).execute(&mut *owner).await?;
    owner.give_back();
    Ok(())
}

async fn is_kept(owner: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT to_regclass('tenantry.moves') IS NOT NULL").fetch_one(owner).await
}

/// Where the rows of a tenant were moved to, or are being moved, and how far that has come.
async fn last(plane: &PgRows, tenant: TenantId) -> Result<Option<(String, String)>, sqlx::Error> {
    let mut owner = plane.to.take().await?;
    let text = "SELECT place, reached FROM tenantry.moves WHERE tenant = $1";
    let last = sqlx::query_as(text).bind(tenant.get()).fetch_optional(&mut *owner).await?;
    owner.give_back();
    Ok(last)
}

async fn set(plane: &PgRows, moving: &Moving, reached: &str) -> Result<(), sqlx::Error> {
    let mut owner = plane.to.take().await?;
    let text = "INSERT INTO tenantry.moves (tenant, place, reached) VALUES ($1, $2, $3) \
                ON CONFLICT (tenant) DO UPDATE SET place = excluded.place, reached = excluded.reached";
    let query = sqlx::query(text).bind(moving.to.id.get()).bind(moving.to.placement.as_str()).bind(reached);
    query.execute(&mut *owner).await?;
    owner.give_back();
    Ok(())
}

const BEGUN: &str = "begun";
const PROVED: &str = "proved";
const LEFT: &str = "left";
