-- What tenants have used, hour by hour.

CREATE SCHEMA IF NOT EXISTS tenantry_usage;
REVOKE ALL ON SCHEMA tenantry_usage FROM PUBLIC;
SET LOCAL search_path = tenantry_usage, pg_catalog;

CREATE TABLE layout (version bigint NOT NULL);
INSERT INTO layout VALUES (1);

CREATE TABLE usage (
    tenant bigint NOT NULL,
    hour bigint NOT NULL, -- since the beginning of 1970
    bytes_received bigint NOT NULL DEFAULT 0,
    bytes_sent bigint NOT NULL DEFAULT 0,
    bytes_uploaded bigint NOT NULL DEFAULT 0,
    handling_nanos bigint NOT NULL DEFAULT 0,
    jobs_done bigint NOT NULL DEFAULT 0,
    jobs_failed bigint NOT NULL DEFAULT 0,
    jobs_queued bigint NOT NULL DEFAULT 0,
    refusals bigint NOT NULL DEFAULT 0,
    request_nanos bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    rows_changed bigint NOT NULL DEFAULT 0,
    rows_read bigint NOT NULL DEFAULT 0,
    statement_nanos bigint NOT NULL DEFAULT 0,
    statements bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, hour)
);

CREATE INDEX usage_by_hour ON usage (hour);

-- Which batch of a process was written last.
CREATE TABLE batches (
    process bigint PRIMARY KEY,
    number bigint NOT NULL,
    hour bigint NOT NULL
);
