-- Step 4: what is being done to tenants, step by step.

UPDATE tenantry.catalog SET layout = 4;

-- From when on what a tenant has may be erased, and how often it was begun anew.
ALTER TABLE tenantry.catalog_tenants ADD COLUMN erase_at bigint, ADD COLUMN epoch bigint NOT NULL DEFAULT 0;

-- Times are milliseconds of UTC.
CREATE TABLE tenantry.catalog_operations (
    id           bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant       bigint NOT NULL,
    slug         text   NOT NULL,
    verb         text   NOT NULL,
    input        text   NOT NULL,
    steps        bigint NOT NULL,
    direction    text   NOT NULL,
    amounts      text   NOT NULL,
    problem      text,
    outcome      text,
    worker       text   NOT NULL,
    leased_until bigint NOT NULL,
    began_at     bigint NOT NULL,
    ended_at     bigint
);

-- One at a time for each tenant.
CREATE UNIQUE INDEX catalog_operations_unfinished ON tenantry.catalog_operations (tenant) WHERE outcome IS NULL;

CREATE INDEX catalog_operations_abandoned ON tenantry.catalog_operations (leased_until) WHERE outcome IS NULL;

CREATE INDEX catalog_operations_by_tenant ON tenantry.catalog_operations (tenant, id);
