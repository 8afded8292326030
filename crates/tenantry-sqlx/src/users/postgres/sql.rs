//! The statements. Numbered parameters are the same thing in all of them that have them: `$1` is the tenant, `$2` the name.

pub(super) const FIND: &str = "
    SELECT name, display_name, mail, roles, password_hash FROM tenantry_users.users WHERE tenant = $1 AND name = $2";

/// Whoever adds a user of the tenant waits here for others that do.
pub(super) const QUEUE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('tenantry_users', $1))";

pub(super) const COUNT: &str = "SELECT count(*) FROM tenantry_users.users WHERE tenant = $1";

pub(super) const ADD: &str = "
    INSERT INTO tenantry_users.users (tenant, name, display_name, mail, roles, password_hash)
    VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) const CHANGE: &str = "
    UPDATE tenantry_users.users SET
        display_name = coalesce($3, display_name), mail = CASE WHEN $4 THEN $5 ELSE mail END,
        roles = coalesce($6, roles), password_hash = coalesce($7, password_hash)
    WHERE tenant = $1 AND name = $2";

pub(super) const REHASH: &str = "
    UPDATE tenantry_users.users SET password_hash = $4 WHERE tenant = $1 AND name = $2 AND password_hash = $3";

pub(super) const REMOVE: &str = "DELETE FROM tenantry_users.users WHERE tenant = $1 AND name = $2";

/// No name is empty, so that those behind the empty one are all.
pub(super) const LIST: &str = "
    SELECT name, display_name, mail, roles, password_hash FROM tenantry_users.users
    WHERE tenant = $1 AND name > coalesce($2, '') ORDER BY name LIMIT $3";

pub(super) const FORGET: &str = "DELETE FROM tenantry_users.users WHERE tenant = $1";
