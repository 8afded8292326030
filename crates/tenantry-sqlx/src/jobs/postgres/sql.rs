//! The statements. Numbered parameters are the same thing in all of them that have them: `$1` is the queue, `$2` the tenant.

/// Unless the tenant has as many as it may. Those who push at the same moment may together have a few more.
pub(super) const PUSH: &str = "
    INSERT INTO tenantry_jobs.jobs
        (queue, tenant, id, state, due, priority, attempts_max, unique_key, payload, metadata, signature)
    SELECT $1, $2, $3, $4, tenantry_jobs.now_ms() + $5, $6, $7, $8, $9, $10, $11
    WHERE coalesce((SELECT later + ready + running + dead FROM tenantry_jobs.turns WHERE queue = $1 AND tenant = $2), 0)
        < $12
    ON CONFLICT DO NOTHING";

/// How many the tenant has.
pub(super) const HELD: &str = "
    SELECT coalesce((SELECT later + ready + running + dead FROM tenantry_jobs.turns WHERE queue = $1 AND tenant = $2), 0)";

pub(super) const TAKE: &str = "
    SELECT id, tenant, attempt, lost, attempts_max, priority, payload, metadata, signature
    FROM tenantry_jobs.take($1, $2, $3)";

pub(super) const DONE: &str = "DELETE FROM tenantry_jobs.jobs WHERE id = $1 AND worker = $2 AND state = 'running'";

pub(super) const AGAIN: &str = "
    UPDATE tenantry_jobs.jobs
    SET state = 'later', due = tenantry_jobs.now_ms() + $3, failure = $4, worker = NULL, lease_ends = NULL
    WHERE id = $1 AND worker = $2 AND state = 'running'";

pub(super) const DEAD: &str = "
    UPDATE tenantry_jobs.jobs SET state = 'dead', failure = $3, worker = NULL, lease_ends = NULL
    WHERE id = $1 AND worker = $2 AND state = 'running'";

pub(super) const RETURNED: &str = "
    UPDATE tenantry_jobs.jobs SET state = 'ready', attempt = attempt - 1, worker = NULL, lease_ends = NULL
    WHERE id = $1 AND worker = $2 AND state = 'running'";

pub(super) const TEND: &str = "SELECT due, lost, dead FROM tenantry_jobs.tend($1, $2, $3, $4, $5, $6)";

pub(super) const PARK: &str = "
    UPDATE tenantry_jobs.turns SET parked_until = tenantry_jobs.now_ms() + $3 WHERE queue = $1 AND tenant = $2";

pub(super) const TICK: &str = "
    INSERT INTO tenantry_jobs.ticks AS t (queue, tenant, schedule, tick) VALUES ($1, $2, $3, $4)
    ON CONFLICT (queue, tenant, schedule) DO UPDATE SET tick = excluded.tick WHERE t.tick < excluded.tick";

pub(super) const LAST_TICK: &str =
    "SELECT tick FROM tenantry_jobs.ticks WHERE queue = $1 AND tenant = $2 AND schedule = $3";

pub(super) const FORGET: &str = "SELECT tenantry_jobs.forget($1)";

pub(super) const COUNTS: &str = "
    SELECT queue, later, ready, running, dead FROM tenantry_jobs.turns WHERE tenant = $1 ORDER BY queue";

pub(super) const DEAD_JOBS: &str = "
    SELECT id, attempt, failure, payload, metadata, signature FROM tenantry_jobs.jobs
    WHERE queue = $1 AND tenant = $2 AND state = 'dead' ORDER BY number LIMIT $3";

/// Unless an unfinished job has its unique key by now.
pub(super) const REVIVE: &str = "
    UPDATE tenantry_jobs.jobs j SET state = 'ready', attempt = 0, lost = 0, failure = NULL
    WHERE queue = $1 AND tenant = $2 AND id = $3 AND state = 'dead' AND NOT EXISTS (
        SELECT FROM tenantry_jobs.jobs o
        WHERE o.queue = $1 AND o.tenant = $2 AND o.unique_key = j.unique_key AND o.state <> 'dead'
    )";

pub(super) const DISCARD: &str =
    "DELETE FROM tenantry_jobs.jobs WHERE queue = $1 AND tenant = $2 AND id = $3 AND state = 'dead'";
