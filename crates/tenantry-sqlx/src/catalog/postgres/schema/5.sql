-- Step 5: what was good for one use, and was used.

UPDATE tenantry.catalog SET layout = 5;

-- Times are milliseconds of UTC.
CREATE TABLE tenantry.catalog_spent (
    id    text   NOT NULL PRIMARY KEY,
    until bigint NOT NULL
);

CREATE INDEX catalog_spent_by_time ON tenantry.catalog_spent (until);
