-- Step 1: the first tables.
--
-- A write changes one tenant and draws one version, so a version belongs to one change: both unique indexes say so,
-- and a page of changes can be cut anywhere.

PRAGMA application_id = 1416524921;
PRAGMA user_version = 1;

-- The number of the last change, in a single row.
CREATE TABLE catalog (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;

INSERT INTO catalog (one, version) VALUES (1, 0);

-- AUTOINCREMENT: the id of a removed tenant is not given away again. Times are milliseconds of UTC.
CREATE TABLE tenants (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    status     TEXT    NOT NULL,
    plan       TEXT    NOT NULL,
    placement  TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revision   INTEGER NOT NULL UNIQUE
) STRICT;

-- Slugs (position 0) and aliases in one space of names.
CREATE TABLE names (
    name     TEXT    NOT NULL PRIMARY KEY,
    tenant   INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    UNIQUE (tenant, position)
) STRICT, WITHOUT ROWID;

-- What is left of a removed tenant, so that a mirror learns of the removal.
CREATE TABLE removed (
    id      INTEGER NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL UNIQUE
) STRICT;
