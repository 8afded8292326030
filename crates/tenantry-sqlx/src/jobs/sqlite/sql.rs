//! The statements. Numbered parameters are the same thing in all of them that have them: `?1` is the queue, `?2` the tenant.

/// Unless the tenant has as many as it may.
pub(super) const PUSH: &str = "
    INSERT INTO jobs (queue, tenant, id, state, due, priority, attempts_max, unique_key, payload, metadata, signature)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
    WHERE coalesce((SELECT later + ready + running + dead FROM turns WHERE queue = ?1 AND tenant = ?2), 0) < ?12
    ON CONFLICT DO NOTHING";

/// How many the tenant has.
pub(super) const HELD: &str =
    "SELECT coalesce((SELECT later + ready + running + dead FROM turns WHERE queue = ?1 AND tenant = ?2), 0)";

pub(super) const TAKE: &str = "
    UPDATE jobs SET state = 'running', worker = ?2, lease_ends = ?3, attempt = attempt + 1
    WHERE number = (
        SELECT number FROM jobs
        WHERE queue = ?1 AND state = 'ready' AND tenant = (
            SELECT tenant FROM turns WHERE queue = ?1 AND ready > 0 AND parked_until IS NULL
            ORDER BY start, tenant LIMIT 1
        )
        ORDER BY priority DESC, number LIMIT 1
    )
    RETURNING id, tenant, attempt, lost, attempts_max, priority, payload, metadata, signature";

pub(super) const DONE: &str = "DELETE FROM jobs WHERE id = ?1 AND worker = ?2 AND state = 'running'";

pub(super) const AGAIN: &str = "
    UPDATE jobs SET state = 'later', due = ?3, failure = ?4, worker = NULL, lease_ends = NULL
    WHERE id = ?1 AND worker = ?2 AND state = 'running'";

pub(super) const DEAD: &str = "
    UPDATE jobs SET state = 'dead', failure = ?3, worker = NULL, lease_ends = NULL
    WHERE id = ?1 AND worker = ?2 AND state = 'running'";

pub(super) const RETURNED: &str = "
    UPDATE jobs SET state = 'ready', attempt = attempt - 1, worker = NULL, lease_ends = NULL
    WHERE id = ?1 AND worker = ?2 AND state = 'running'";

/// Where a third of the lease is over. No two attempts have the same name, so that ids and names need not be in pairs.
pub(super) const EXTEND: &str = "
    UPDATE jobs SET lease_ends = ?1
    WHERE id IN (SELECT value FROM json_each(?3)) AND worker IN (SELECT value FROM json_each(?4))
    AND state = 'running' AND lease_ends < ?2";

pub(super) const LOST: &str = "
    UPDATE jobs SET
        state = CASE WHEN attempt < attempts_max THEN 'ready' ELSE 'dead' END,
        lost = lost + 1, failure = ?3, worker = NULL, lease_ends = NULL
    WHERE number IN (
        SELECT number FROM jobs WHERE queue = ?1 AND state = 'running' AND lease_ends < ?2 ORDER BY lease_ends LIMIT ?4
    )
    RETURNING state = 'dead' AS dead";

pub(super) const DUE: &str = "
    UPDATE jobs SET state = 'ready'
    WHERE number IN (SELECT number FROM jobs WHERE queue = ?1 AND state = 'later' AND due <= ?2 ORDER BY due LIMIT ?3)";

pub(super) const UNPARK: &str = "UPDATE turns SET parked_until = NULL WHERE queue = ?1 AND parked_until <= ?2";

/// A tenant that is ahead of the clock keeps its place, so that it gains nothing by having no jobs for a moment.
pub(super) const SWEEP: &str = "
    DELETE FROM turns
    WHERE queue = ?1 AND later = 0 AND ready = 0 AND running = 0 AND dead = 0
    AND start <= (SELECT now FROM clocks WHERE queue = ?1)";

pub(super) const PARK: &str = "UPDATE turns SET parked_until = ?3 WHERE queue = ?1 AND tenant = ?2";

pub(super) const TICK: &str = "
    INSERT INTO ticks (queue, tenant, schedule, tick) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (queue, tenant, schedule) DO UPDATE SET tick = excluded.tick WHERE tick < excluded.tick";

pub(super) const LAST_TICK: &str = "SELECT tick FROM ticks WHERE queue = ?1 AND tenant = ?2 AND schedule = ?3";

pub(super) const QUEUES: &str = "SELECT queue FROM turns WHERE tenant = ?1";

pub(super) const FORGET: &str = "DELETE FROM jobs WHERE queue = ?1 AND tenant = ?2";

pub(super) const FORGET_TURNS: &str = "DELETE FROM turns WHERE tenant = ?1";

pub(super) const FORGET_TICKS: &str = "DELETE FROM ticks WHERE tenant = ?1";

pub(super) const COUNTS: &str = "SELECT queue, later, ready, running, dead FROM turns WHERE tenant = ?1 ORDER BY queue";

pub(super) const DEAD_JOBS: &str = "
    SELECT id, attempt, failure, payload, metadata, signature FROM jobs
    WHERE queue = ?1 AND tenant = ?2 AND state = 'dead' ORDER BY number LIMIT ?3";

/// Unless an unfinished job has its unique key by now.
pub(super) const REVIVE: &str = "
    UPDATE OR IGNORE jobs SET state = 'ready', attempt = 0, lost = 0, failure = NULL
    WHERE queue = ?1 AND tenant = ?2 AND id = ?3 AND state = 'dead'";

pub(super) const DISCARD: &str = "DELETE FROM jobs WHERE queue = ?1 AND tenant = ?2 AND id = ?3 AND state = 'dead'";
