-- Step 1: the first tables.
--
-- A write changes one tenant and draws one version, so a version belongs to one change: both unique constraints say so,
-- and a page of changes can be cut anywhere.

DO $$ BEGIN
    -- Whoever may not make schemas may still use one that was made for him.
    IF to_regnamespace('tenantry') IS NULL THEN
        CREATE SCHEMA tenantry;
    END IF;
END $$;

-- In a single row: which step led here, the number of the last change, and the last id that was given away.
CREATE TABLE tenantry.catalog (
    one     boolean NOT NULL PRIMARY KEY CHECK (one),
    layout  bigint  NOT NULL,
    version bigint  NOT NULL,
    last_id bigint  NOT NULL
);

INSERT INTO tenantry.catalog (one, layout, version, last_id) VALUES (true, 1, 0, 0);

-- Times are milliseconds of UTC.
CREATE TABLE tenantry.catalog_tenants (
    id         bigint NOT NULL PRIMARY KEY,
    status     text   NOT NULL,
    plan       text   NOT NULL,
    placement  text   NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revision   bigint NOT NULL UNIQUE
);

-- Slugs (position 0) and aliases in one space of names.
CREATE TABLE tenantry.catalog_names (
    name     text   COLLATE "C" NOT NULL PRIMARY KEY,
    tenant   bigint NOT NULL REFERENCES tenantry.catalog_tenants (id) ON DELETE CASCADE,
    position bigint NOT NULL,
    UNIQUE (tenant, position)
);

-- What is left of a removed tenant, so that a mirror learns of the removal.
CREATE TABLE tenantry.catalog_removed (
    id      bigint NOT NULL PRIMARY KEY,
    version bigint NOT NULL UNIQUE
);
