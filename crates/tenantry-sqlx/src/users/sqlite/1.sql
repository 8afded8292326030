-- Users, each of one tenant.

PRAGMA application_id = 1416525171; -- "Tnus" in ASCII
PRAGMA user_version = 1;

CREATE TABLE users (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL, -- compared byte for byte
    display_name TEXT NOT NULL,
    mail TEXT,
    roles TEXT NOT NULL CHECK (json_type(roles) = 'array'),
    password_hash TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
