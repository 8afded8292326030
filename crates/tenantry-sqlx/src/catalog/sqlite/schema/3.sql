-- Step 3: who did what to which tenant.

PRAGMA user_version = 3;

-- Each entry is tied to the one before it. Times are milliseconds of UTC.
CREATE TABLE audit (
    number INTEGER NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    origin TEXT    NOT NULL,
    why    TEXT,
    verb   TEXT    NOT NULL,
    tenant INTEGER,
    slug   TEXT,
    detail TEXT    NOT NULL,
    link   BLOB    NOT NULL
) STRICT;

CREATE INDEX audit_by_tenant ON audit (tenant, number) WHERE tenant IS NOT NULL;

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
    SELECT raise(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'the audit log is only added to');
END;
