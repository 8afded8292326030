-- Step 2: settings.

UPDATE tenantry.catalog SET layout = 2;

-- What is set for the tenant, as an object whose keys are paths; and the tenant that has the rest.
ALTER TABLE tenantry.catalog_tenants ADD COLUMN settings text NOT NULL DEFAULT '{}', ADD COLUMN template bigint;
-- Which settings the application has.
ALTER TABLE tenantry.catalog ADD COLUMN settings text;
CREATE INDEX catalog_tenants_by_template ON tenantry.catalog_tenants (template) WHERE template IS NOT NULL;
