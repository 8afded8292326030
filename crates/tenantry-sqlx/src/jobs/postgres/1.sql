-- Jobs, and whose turn it is: as in SQLite, where it says how turns are taken.
--
-- Whoever takes jobs, or changes many of them, locks the queue's clock first. Everybody else has one job and one turn at a time,
-- the job first. So nobody waits in a circle.

CREATE SCHEMA IF NOT EXISTS tenantry_jobs;
REVOKE ALL ON SCHEMA tenantry_jobs FROM PUBLIC;
SET LOCAL search_path = tenantry_jobs, pg_catalog;

CREATE TABLE layout (version bigint NOT NULL);
INSERT INTO layout VALUES (1);

CREATE TABLE jobs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    queue text NOT NULL,
    tenant bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('later', 'ready', 'running', 'dead')),
    due bigint NOT NULL, -- in milliseconds since 1970, as all times here; the server's clock counts
    priority bigint NOT NULL,
    attempt bigint NOT NULL DEFAULT 0,
    lost bigint NOT NULL DEFAULT 0,
    attempts_max bigint NOT NULL,
    unique_key text,
    worker text, -- the name of the attempt, which its worker has given it
    lease_ends bigint,
    failure text,
    payload bytea NOT NULL,
    metadata text NOT NULL,
    signature bytea NOT NULL
);

CREATE INDEX jobs_order ON jobs (queue, tenant, state, priority DESC, number);
CREATE INDEX jobs_later ON jobs (queue, due) WHERE state = 'later';
CREATE INDEX jobs_leases ON jobs (queue, lease_ends) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_unique ON jobs (queue, tenant, unique_key) WHERE unique_key IS NOT NULL AND state <> 'dead';

CREATE TABLE turns (
    queue text NOT NULL,
    tenant bigint NOT NULL,
    start bigint NOT NULL,
    parked_until bigint,
    later bigint NOT NULL,
    ready bigint NOT NULL,
    running bigint NOT NULL,
    dead bigint NOT NULL,
    PRIMARY KEY (queue, tenant)
);

CREATE INDEX turns_next ON turns (queue, start, tenant) WHERE ready > 0 AND parked_until IS NULL;
CREATE INDEX turns_parked ON turns (queue, parked_until) WHERE parked_until IS NOT NULL;
CREATE INDEX turns_empty ON turns (queue, start) WHERE later = 0 AND ready = 0 AND running = 0 AND dead = 0;

CREATE TABLE clocks (queue text PRIMARY KEY, now bigint NOT NULL);

CREATE TABLE ticks (
    queue text NOT NULL,
    tenant bigint NOT NULL,
    schedule text NOT NULL,
    tick bigint NOT NULL,
    PRIMARY KEY (queue, tenant, schedule)
);

CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE
    RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

CREATE FUNCTION clock(of text) RETURNS bigint LANGUAGE sql STABLE
    RETURN coalesce((SELECT now FROM tenantry_jobs.clocks WHERE queue = of), 0);

CREATE FUNCTION lock_clock(of text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tenantry_jobs.clocks (queue, now) VALUES (of, 0) ON CONFLICT (queue) DO NOTHING;
    PERFORM FROM tenantry_jobs.clocks WHERE queue = of FOR UPDATE;
END $$;

CREATE FUNCTION job_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tenantry_jobs.turns AS t (queue, tenant, start, later, ready, running, dead)
    VALUES (
        new.queue, new.tenant, tenantry_jobs.clock(new.queue),
        (new.state = 'later')::int, (new.state = 'ready')::int, 0, 0
    )
    ON CONFLICT (queue, tenant) DO UPDATE SET
        start = CASE WHEN t.ready = 0 AND excluded.ready = 1 THEN greatest(t.start, excluded.start) ELSE t.start END,
        later = t.later + excluded.later,
        ready = t.ready + excluded.ready;
    RETURN NULL;
END $$;

CREATE FUNCTION job_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.state = 'running' THEN
        UPDATE tenantry_jobs.clocks c SET now = greatest(c.now, t.start)
        FROM tenantry_jobs.turns t WHERE c.queue = new.queue AND t.queue = new.queue AND t.tenant = new.tenant;
    END IF;
    UPDATE tenantry_jobs.turns SET
        start = CASE
            WHEN new.state = 'running' THEN start + 1
            WHEN old.state = 'running' AND new.attempt < old.attempt THEN start - 1
            WHEN new.state = 'ready' AND ready = 0 THEN greatest(start, tenantry_jobs.clock(new.queue))
            ELSE start
        END,
        later = later + (new.state = 'later')::int - (old.state = 'later')::int,
        ready = ready + (new.state = 'ready')::int - (old.state = 'ready')::int,
        running = running + (new.state = 'running')::int - (old.state = 'running')::int,
        dead = dead + (new.state = 'dead')::int - (old.state = 'dead')::int
    WHERE queue = new.queue AND tenant = new.tenant;
    RETURN NULL;
END $$;

CREATE FUNCTION job_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tenantry_jobs.turns SET
        later = later - (old.state = 'later')::int,
        ready = ready - (old.state = 'ready')::int,
        running = running - (old.state = 'running')::int,
        dead = dead - (old.state = 'dead')::int
    WHERE queue = old.queue AND tenant = old.tenant;
    RETURN NULL;
END $$;

CREATE TRIGGER job_added AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION job_added();
CREATE TRIGGER job_moved AFTER UPDATE OF state ON jobs FOR EACH ROW WHEN (old.state <> new.state)
    EXECUTE FUNCTION job_moved();
CREATE TRIGGER job_removed AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION job_removed();

-- The next job of the tenant whose turn it is.
CREATE FUNCTION take(from_queue text, for_attempt text, lease bigint) RETURNS SETOF jobs LANGUAGE plpgsql AS $$
DECLARE
    whose bigint;
BEGIN
    PERFORM tenantry_jobs.lock_clock(from_queue);
    SELECT t.tenant INTO whose FROM tenantry_jobs.turns t
        WHERE t.queue = from_queue AND t.ready > 0 AND t.parked_until IS NULL
        ORDER BY t.start, t.tenant LIMIT 1;
    RETURN QUERY UPDATE tenantry_jobs.jobs j SET
        state = 'running', worker = for_attempt, lease_ends = tenantry_jobs.now_ms() + lease, attempt = j.attempt + 1
    WHERE j.number = (
        SELECT n.number FROM tenantry_jobs.jobs n
        WHERE n.queue = from_queue AND n.tenant = whose AND n.state = 'ready'
        ORDER BY n.priority DESC, n.number LIMIT 1
    )
    RETURNING j.*;
END $$;

-- What goes on while a worker is there, which holds these jobs in attempts of these names.
CREATE FUNCTION tend(of_queue text, lease bigint, step bigint, why text, held text[], attempts text[])
RETURNS TABLE (due bigint, lost bigint, dead bigint) LANGUAGE plpgsql AS $$
DECLARE
    time bigint := tenantry_jobs.now_ms();
BEGIN
    UPDATE tenantry_jobs.jobs SET lease_ends = time + lease
        WHERE id = ANY (held) AND worker = ANY (attempts) AND state = 'running' AND lease_ends < time + lease * 2 / 3;
    PERFORM tenantry_jobs.lock_clock(of_queue);
    WITH ended AS (
        UPDATE tenantry_jobs.jobs j SET
            state = CASE WHEN j.attempt < j.attempts_max THEN 'ready' ELSE 'dead' END,
            lost = j.lost + 1, failure = why, worker = NULL, lease_ends = NULL
        WHERE j.number IN (
            SELECT n.number FROM tenantry_jobs.jobs n
            WHERE n.queue = of_queue AND n.state = 'running' AND n.lease_ends < time ORDER BY n.lease_ends LIMIT step
        )
        RETURNING j.state
    )
    SELECT count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'dead') INTO lost, dead FROM ended;
    UPDATE tenantry_jobs.jobs SET state = 'ready' WHERE number IN (
        SELECT n.number FROM tenantry_jobs.jobs n
        WHERE n.queue = of_queue AND n.state = 'later' AND n.due <= time ORDER BY n.due LIMIT step
    );
    GET DIAGNOSTICS due = ROW_COUNT;
    UPDATE tenantry_jobs.turns t SET parked_until = NULL WHERE t.queue = of_queue AND t.parked_until <= time;
    DELETE FROM tenantry_jobs.turns t
        WHERE t.queue = of_queue AND t.later = 0 AND t.ready = 0 AND t.running = 0 AND t.dead = 0
        AND t.start <= tenantry_jobs.clock(of_queue);
    RETURN NEXT;
END $$;

-- Everything of a tenant.
CREATE FUNCTION forget(gone bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    dropped bigint;
BEGIN
    PERFORM tenantry_jobs.lock_clock(queue)
        FROM (SELECT queue FROM tenantry_jobs.turns WHERE tenant = gone ORDER BY queue) AS queues;
    DELETE FROM tenantry_jobs.jobs
        WHERE tenant = gone AND queue IN (SELECT queue FROM tenantry_jobs.turns WHERE tenant = gone);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    DELETE FROM tenantry_jobs.turns WHERE tenant = gone;
    DELETE FROM tenantry_jobs.ticks WHERE tenant = gone;
    RETURN dropped;
END $$;
