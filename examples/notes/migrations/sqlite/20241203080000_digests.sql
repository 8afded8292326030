CREATE TABLE digests (
    id         INTEGER PRIMARY KEY,
    notes      INTEGER NOT NULL CHECK (notes >= 0),
    text       TEXT    NOT NULL,
    created_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
);
