-- Step 3: who did what to which tenant.

UPDATE tenantry.catalog SET layout = 3;

-- Each entry is tied to the one before it. Times are milliseconds of UTC.
CREATE TABLE tenantry.catalog_audit (
    number bigint NOT NULL PRIMARY KEY,
    at     bigint NOT NULL,
    who    text   NOT NULL,
    origin text   NOT NULL,
    why    text,
    verb   text   NOT NULL,
    tenant bigint,
    slug   text,
    detail text   NOT NULL,
    link   bytea  NOT NULL
);

CREATE INDEX catalog_audit_by_tenant ON tenantry.catalog_audit (tenant, number) WHERE tenant IS NOT NULL;

CREATE FUNCTION tenantry.catalog_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END $$;

CREATE TRIGGER catalog_audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON tenantry.catalog_audit
    FOR EACH STATEMENT EXECUTE FUNCTION tenantry.catalog_audit_stays();
