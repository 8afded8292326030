-- Step 5: what was good for one use, and was used.

PRAGMA user_version = 5;

-- Times are milliseconds of UTC.
CREATE TABLE spent (
    id    TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_by_time ON spent (until);
