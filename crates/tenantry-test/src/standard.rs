//! A schema with one of everything, for tests that bring none of their own.

/// One statement each, in the order of their dependencies.
pub const STATEMENTS: &[&str] = &[
    "CREATE TABLE teams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        motto TEXT COLLATE NOCASE DEFAULT 'Go',
        parent INTEGER REFERENCES teams (id) ON DELETE SET NULL
    )",
    "CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        team INTEGER REFERENCES teams (id) ON DELETE CASCADE ON UPDATE CASCADE,
        email TEXT COLLATE NOCASE UNIQUE,
        age INTEGER CHECK (age IS NULL OR age <> 13),
        score REAL DEFAULT 1.5,
        data JSON,
        shown TEXT GENERATED ALWAYS AS (coalesce(email, '?') || ':' || coalesce(age, '')) VIRTUAL
    )",
    "CREATE TABLE tags (
        slug TEXT PRIMARY KEY,
        label TEXT,
        weight INTEGER NOT NULL DEFAULT 1,
        doubled INTEGER GENERATED ALWAYS AS (weight + weight) STORED
    )",
    "CREATE TABLE members (
        team INTEGER NOT NULL REFERENCES teams (id) ON DELETE RESTRICT,
        tag TEXT NOT NULL REFERENCES tags (slug) ON UPDATE CASCADE,
        level INTEGER DEFAULT 0,
        note TEXT,
        PRIMARY KEY (team, tag)
    ) WITHOUT ROWID",
    "CREATE TABLE log (at INTEGER, line TEXT, raw BLOB)",
    "CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        tag TEXT REFERENCES tags (slug) DEFERRABLE INITIALLY DEFERRED,
        price INTEGER NOT NULL DEFAULT 5,
        amount INTEGER CHECK (typeof(amount) <> 'blob'),
        UNIQUE (tag, price)
    )",
    "CREATE TABLE codes (code INTEGER NOT NULL)",
    "CREATE INDEX users_by_team ON users (team, age DESC)",
    "CREATE UNIQUE INDEX log_once ON log (at) WHERE line = 'once'",
    "CREATE INDEX users_by_lower ON users (lower(email))",
    "CREATE INDEX items_of_worth ON items (price) WHERE amount > 1",
    "CREATE VIEW grown AS SELECT id, team, email, age FROM users WHERE age > 1",
    "CREATE VIEW team_sizes (team, size) AS
        SELECT t.name, count(u.id) FROM teams t LEFT JOIN users u ON u.team = t.id GROUP BY t.id, t.name",
    "CREATE VIEW grown_teams AS SELECT g.id, t.name AS team FROM grown g JOIN main.teams t ON t.id = g.team",
    "CREATE TRIGGER item_logged AFTER INSERT ON items WHEN new.price > 2 BEGIN
        INSERT INTO log (at, line) VALUES (new.id, 'item');
    END",
];

/// An identifier between double quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
