-- Users, each of one tenant.

CREATE SCHEMA IF NOT EXISTS tenantry_users;
REVOKE ALL ON SCHEMA tenantry_users FROM PUBLIC;
SET LOCAL search_path = tenantry_users, pg_catalog;

CREATE TABLE layout (version bigint NOT NULL);
INSERT INTO layout VALUES (1);

CREATE TABLE users (
    tenant bigint NOT NULL,
    name text COLLATE "C" NOT NULL, -- compared byte for byte
    display_name text NOT NULL,
    mail text,
    roles text NOT NULL CHECK (json_typeof(roles::json) = 'array'),
    password_hash text NOT NULL,
    PRIMARY KEY (tenant, name)
);
