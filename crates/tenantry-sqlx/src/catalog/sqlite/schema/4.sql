-- Step 4: what is being done to tenants, step by step.

PRAGMA user_version = 4;

-- From when on what a tenant has may be erased, and how often it was begun anew.
ALTER TABLE tenants ADD COLUMN erase_at INTEGER;
ALTER TABLE tenants ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

-- AUTOINCREMENT: a number stands for one operation for ever. Times are milliseconds of UTC.
CREATE TABLE operations (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant       INTEGER NOT NULL,
    slug         TEXT    NOT NULL,
    verb         TEXT    NOT NULL,
    input        TEXT    NOT NULL,
    steps        INTEGER NOT NULL,
    direction    TEXT    NOT NULL,
    amounts      TEXT    NOT NULL,
    problem      TEXT,
    outcome      TEXT,
    worker       TEXT    NOT NULL,
    leased_until INTEGER NOT NULL,
    began_at     INTEGER NOT NULL,
    ended_at     INTEGER
) STRICT;

-- One at a time for each tenant.
CREATE UNIQUE INDEX operations_unfinished ON operations (tenant) WHERE outcome IS NULL;

CREATE INDEX operations_abandoned ON operations (leased_until) WHERE outcome IS NULL;

CREATE INDEX operations_by_tenant ON operations (tenant, id);
