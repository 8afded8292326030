-- What tenants have used, hour by hour.

PRAGMA application_id = 1416525159; -- "Tnug" in ASCII
PRAGMA user_version = 1;

CREATE TABLE usage (
    tenant INTEGER NOT NULL,
    hour INTEGER NOT NULL, -- since the beginning of 1970
    bytes_received INTEGER NOT NULL DEFAULT 0,
    bytes_sent INTEGER NOT NULL DEFAULT 0,
    bytes_uploaded INTEGER NOT NULL DEFAULT 0,
    handling_nanos INTEGER NOT NULL DEFAULT 0,
    jobs_done INTEGER NOT NULL DEFAULT 0,
    jobs_failed INTEGER NOT NULL DEFAULT 0,
    jobs_queued INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    request_nanos INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    rows_changed INTEGER NOT NULL DEFAULT 0,
    rows_read INTEGER NOT NULL DEFAULT 0,
    statement_nanos INTEGER NOT NULL DEFAULT 0,
    statements INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_by_hour ON usage (hour);

-- Which batch of a process was written last.
CREATE TABLE batches (
    process INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    hour INTEGER NOT NULL
) STRICT;
