-- Jobs, and whose turn it is.

PRAGMA application_id = 1416522338; -- "Tnjb" in ASCII
PRAGMA user_version = 1;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    queue TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    -- later: its time has not come. running: a worker has it. dead: it was given up. What is done is not here any more.
    state TEXT NOT NULL CHECK (state IN ('later', 'ready', 'running', 'dead')),
    due INTEGER NOT NULL, -- in milliseconds since 1970, as all times here
    priority INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    attempts_max INTEGER NOT NULL,
    unique_key TEXT,
    worker TEXT, -- the name of the attempt, which its worker has given it
    lease_ends INTEGER,
    failure TEXT,
    payload BLOB NOT NULL,
    metadata TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE INDEX jobs_order ON jobs (queue, tenant, state, priority DESC, number);
CREATE INDEX jobs_later ON jobs (queue, due) WHERE state = 'later';
CREATE INDEX jobs_leases ON jobs (queue, lease_ends) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_unique ON jobs (queue, tenant, unique_key) WHERE unique_key IS NOT NULL AND state <> 'dead';

-- Tenants with jobs, by queue. `start` is when the tenant's next job begins, counted in jobs: the smallest one is next. The
-- clock shows the start of the job that was taken last. A tenant that has had no ready job begins where the clock is: it
-- neither waits behind what others have collected, nor comes before them for the time that it had no jobs.
CREATE TABLE turns (
    queue TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    start INTEGER NOT NULL,
    parked_until INTEGER,
    later INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    running INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    PRIMARY KEY (queue, tenant)
) STRICT, WITHOUT ROWID;

CREATE INDEX turns_next ON turns (queue, start, tenant) WHERE ready > 0 AND parked_until IS NULL;
CREATE INDEX turns_parked ON turns (queue, parked_until) WHERE parked_until IS NOT NULL;
CREATE INDEX turns_empty ON turns (queue, start) WHERE later = 0 AND ready = 0 AND running = 0 AND dead = 0;

CREATE TABLE clocks (
    queue TEXT PRIMARY KEY,
    now INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last tick of each schedule that has had its job.
CREATE TABLE ticks (
    queue TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    tick INTEGER NOT NULL,
    PRIMARY KEY (queue, tenant, schedule)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
    INSERT INTO turns (queue, tenant, start, later, ready, running, dead)
    VALUES (
        new.queue, new.tenant, coalesce((SELECT now FROM clocks WHERE queue = new.queue), 0),
        new.state = 'later', new.state = 'ready', 0, 0
    )
    ON CONFLICT (queue, tenant) DO UPDATE SET
        start = CASE WHEN ready = 0 AND excluded.ready = 1 THEN max(start, excluded.start) ELSE start END,
        later = later + excluded.later,
        ready = ready + excluded.ready;
END;

CREATE TRIGGER job_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
    INSERT INTO clocks (queue, now)
    SELECT queue, start FROM turns WHERE new.state = 'running' AND queue = new.queue AND tenant = new.tenant
    ON CONFLICT (queue) DO UPDATE SET now = max(now, excluded.now);
    UPDATE turns SET
        start = CASE
            WHEN new.state = 'running' THEN start + 1
            -- It was taken for nothing.
            WHEN old.state = 'running' AND new.attempt < old.attempt THEN start - 1
            WHEN new.state = 'ready' AND ready = 0 THEN max(start, (SELECT now FROM clocks WHERE queue = new.queue))
            ELSE start
        END,
        later = later + (new.state = 'later') - (old.state = 'later'),
        ready = ready + (new.state = 'ready') - (old.state = 'ready'),
        running = running + (new.state = 'running') - (old.state = 'running'),
        dead = dead + (new.state = 'dead') - (old.state = 'dead')
    WHERE queue = new.queue AND tenant = new.tenant;
END;

CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
    UPDATE turns SET
        later = later - (old.state = 'later'),
        ready = ready - (old.state = 'ready'),
        running = running - (old.state = 'running'),
        dead = dead - (old.state = 'dead')
    WHERE queue = old.queue AND tenant = old.tenant;
END;
