-- Step 2: settings.

PRAGMA user_version = 2;

-- What is set for the tenant, as an object whose keys are paths; and the tenant that has the rest.
ALTER TABLE tenants ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tenants ADD COLUMN template INTEGER;
-- Which settings the application has.
ALTER TABLE catalog ADD COLUMN settings TEXT;
CREATE INDEX tenants_by_template ON tenants (template) WHERE template IS NOT NULL;
