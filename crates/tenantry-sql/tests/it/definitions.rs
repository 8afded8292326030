//! What tables and indexes become.

use crate::migrations::Schema;

/// The hidden row id of table 1, as it is printed.
const HIDDEN: &str = r#""_tenant" INTEGER NOT NULL, "_tenant_rowid" INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT (_tenantry_next_id(#)) CONSTRAINT "_tenantry_row_id" CHECK (typeof("_tenant_rowid") = 'integer')"#;
const HIDDEN_KEY: &str = r#"PRIMARY KEY ("_tenant", "_tenant_rowid")"#;
const ID: &str = r#""_tenant" INTEGER NOT NULL, "id" INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT (_tenantry_next_id(#)) CONSTRAINT "_tenantry_row_id" CHECK (typeof("id") = 'integer')"#;
const ID_KEY: &str = r#"PRIMARY KEY ("_tenant", "id")"#;

/// Checks what is between the parentheses of the table that is created, as number 1.
#[track_caller]
fn table(body: &str, expected: &str) {
    in_schema(&Schema::of(&[]), 1, body, expected, &[]);
}

#[track_caller]
fn in_schema(schema: &Schema, number: i64, body: &str, expected: &str, more: &[&str]) {
    let expected = expected.replace("HIDDEN_KEY", HIDDEN_KEY).replace("HIDDEN", HIDDEN);
    let expected = expected.replace("ID_KEY", ID_KEY).replace("IDENT", ID).replace('#', &number.to_string());
    let created = format!("CREATE TABLE \"main\".\"t\" {expected}");
    let steps: Vec<_> = std::iter::once(created.as_str()).chain(more.iter().copied()).collect();
    schema.check(&format!("CREATE TABLE t {body}"), &steps);
}

#[test]
fn columns_stay_as_they_are_written() {
    table(
        r#"(a, [b c] VARCHAR(10) NOT NULL ON CONFLICT IGNORE DEFAULT 'x' COLLATE nocase, "d" AS (a+1) STORED, 'e' INT CONSTRAINT "k" CHECK ("e" > 0) NULL)"#,
        r#"(HIDDEN, "a", "b c" VARCHAR(10) NOT NULL ON CONFLICT IGNORE DEFAULT 'x' COLLATE nocase, "d" AS (a+1) STORED, "e" INT CONSTRAINT "k" CHECK ("e" > 0) NULL, HIDDEN_KEY) WITHOUT ROWID"#,
    );
    table(
        "(a DECIMAL(10, -2) DEFAULT (1 + 2), b DEFAULT -3, c DEFAULT word, d GENERATED ALWAYS AS (a) VIRTUAL, e DEFAULT CURRENT_TIMESTAMP)",
        r#"(HIDDEN, "a" DECIMAL(10, -2) DEFAULT (1 + 2), "b" DEFAULT -3, "c" DEFAULT word, "d" GENERATED ALWAYS AS (a) VIRTUAL, "e" DEFAULT CURRENT_TIMESTAMP, HIDDEN_KEY) WITHOUT ROWID"#,
    );
    table("(a /* what */ INT -- why\n , b)", r#"(HIDDEN, "a" INT, "b", HIDDEN_KEY) WITHOUT ROWID"#);
    table(
        "(a INT, CHECK (a > 0), CONSTRAINT b CHECK (t.a < 9) ON CONFLICT ABORT)",
        r#"(HIDDEN, "a" INT, CHECK (a > 0), CONSTRAINT b CHECK (t.a < 9) ON CONFLICT ABORT, HIDDEN_KEY) WITHOUT ROWID"#,
    );
}

#[test]
fn a_column_may_have_the_name_of_a_row_id() {
    table("(rowid, a CHECK (rowid > 1))", r#"(HIDDEN, "rowid", "a" CHECK (rowid > 1), HIDDEN_KEY) WITHOUT ROWID"#);
}

#[test]
fn the_row_id_comes_after_the_tenant() {
    table("(a, id INTEGER PRIMARY KEY)", r#"(IDENT, "a", ID_KEY) WITHOUT ROWID"#);
    for same in [
        "(id integer primary key, a)",
        "(id \"INTEGER\" PRIMARY KEY ASC, a)",
        "(id [Integer], a, PRIMARY KEY (id))",
        "(id INTEGER, a, PRIMARY KEY ('ID' COLLATE binary DESC))",
        "(id INTEGER NOT NULL DEFAULT 5 PRIMARY KEY AUTOINCREMENT, a)",
    ] {
        table(same, r#"(IDENT, "a", ID_KEY) WITHOUT ROWID"#);
    }
    table(
        "(id INTEGER PRIMARY KEY ON CONFLICT IGNORE CHECK (id > 0) UNIQUE, a)",
        r#"("_tenant" INTEGER NOT NULL, "id" INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT (_tenantry_next_id(1)) CHECK (id > 0) CONSTRAINT "_tenantry_row_id" CHECK (typeof("id") = 'integer'), "a", UNIQUE ("_tenant", "id"), PRIMARY KEY ("_tenant", "id") ON CONFLICT IGNORE) WITHOUT ROWID"#,
    );
}

#[test]
fn a_key_that_is_no_row_id_is_unique() {
    for (body, column, key) in [
        ("(id INTEGER PRIMARY KEY DESC)", r#""id" INTEGER"#, r#"UNIQUE ("_tenant", "id" DESC)"#),
        ("(id INT PRIMARY KEY)", r#""id" INT"#, r#"UNIQUE ("_tenant", "id")"#),
        ("(id INTEGER(8) PRIMARY KEY)", r#""id" INTEGER(8)"#, r#"UNIQUE ("_tenant", "id")"#),
        ("(id BIG INTEGER PRIMARY KEY)", r#""id" BIG INTEGER"#, r#"UNIQUE ("_tenant", "id")"#),
        ("(id TEXT CONSTRAINT k PRIMARY KEY)", r#""id" TEXT"#, r#"CONSTRAINT "k" UNIQUE ("_tenant", "id")"#),
        (
            "(id INTEGER, PRIMARY KEY (id, id) ON CONFLICT FAIL)",
            r#""id" INTEGER"#,
            r#"UNIQUE ("_tenant", id, id) ON CONFLICT FAIL"#,
        ),
    ] {
        table(body, &format!("(HIDDEN, {column}, {key}, HIDDEN_KEY) WITHOUT ROWID"));
    }
    // Only a STRICT table has no NULL in its primary key.
    table(
        "(id TEXT PRIMARY KEY, n INT UNIQUE) STRICT",
        r#"(HIDDEN, "id" TEXT NOT NULL, "n" INT, UNIQUE ("_tenant", "id"), UNIQUE ("_tenant", "n"), HIDDEN_KEY) STRICT, WITHOUT ROWID"#,
    );
}

#[test]
fn a_table_without_row_id_has_its_own_key() {
    table(
        "(k TEXT, v, PRIMARY KEY (k COLLATE nocase DESC)) WITHOUT ROWID",
        r#"("_tenant" INTEGER NOT NULL, "k" TEXT, "v", PRIMARY KEY ("_tenant", k COLLATE nocase DESC)) WITHOUT ROWID"#,
    );
    table(
        "(k INTEGER PRIMARY KEY, v) STRICT, WITHOUT rowid",
        r#"("_tenant" INTEGER NOT NULL, "k" INTEGER, "v", PRIMARY KEY ("_tenant", "k")) STRICT, WITHOUT ROWID"#,
    );
}

#[test]
fn unique_constraints_are_prefixed() {
    table(
        "(a UNIQUE ON CONFLICT REPLACE, b, c, CONSTRAINT u UNIQUE (b, c COLLATE rtrim) UNIQUE ('c'))",
        r#"(HIDDEN, "a", "b", "c", UNIQUE ("_tenant", "a") ON CONFLICT REPLACE, CONSTRAINT "u" UNIQUE ("_tenant", b, c COLLATE rtrim), UNIQUE ("_tenant", 'c'), HIDDEN_KEY) WITHOUT ROWID"#,
    );
}

fn parents() -> Schema {
    Schema::of(&[
        "CREATE TABLE p (id INTEGER PRIMARY KEY, a, b, UNIQUE (a, b))",
        "CREATE TABLE q (a, b, PRIMARY KEY (b, a))",
        "CREATE TABLE bare (a)",
        "CREATE TABLE waits (x REFERENCES t (k) ON DELETE SET NULL)",
        "CREATE TABLE countries (code PRIMARY KEY)",
        "CREATE VIEW v AS SELECT 1",
    ])
}

#[test]
fn foreign_keys_are_prefixed() {
    // Those who waited for the table get their trigger.
    let waiting = r#"CREATE TRIGGER IF NOT EXISTS "main"."_tenantry_fk_4_1_delete" AFTER DELETE ON "t" BEGIN UPDATE "waits" SET "x" = NULL WHERE "waits"."_tenant" = OLD."_tenant" AND OLD."k" = "waits"."x"; END"#;
    for (body, columns, keys) in [
        ("(k REFERENCES p)", r#""k""#, r#"FOREIGN KEY ("_tenant", "k") REFERENCES "p" ("_tenant", "id")"#),
        (
            "(k CONSTRAINT f REFERENCES p(id) ON DELETE CASCADE ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED)",
            r#""k""#,
            r#"CONSTRAINT "f" FOREIGN KEY ("_tenant", "k") REFERENCES "p" ("_tenant", "id") ON DELETE CASCADE ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED"#,
        ),
        (
            "(k, l, FOREIGN KEY (k, l) REFERENCES q)",
            r#""k", "l""#,
            r#"FOREIGN KEY ("_tenant", "k", "l") REFERENCES "q" ("_tenant", "b", "a")"#,
        ),
        (
            "(k, FOREIGN KEY (k) REFERENCES p (id) MATCH FULL ON DELETE CASCADE ON DELETE NO ACTION NOT DEFERRABLE INITIALLY DEFERRED)",
            r#""k""#,
            r#"FOREIGN KEY ("_tenant", "k") REFERENCES "p" ("_tenant", "id")"#,
        ),
        // DEFERRABLE belongs to the last key before it.
        (
            "(k REFERENCES later(x), l INT DEFERRABLE INITIALLY DEFERRED)",
            r#""k", "l" INT"#,
            r#"FOREIGN KEY ("_tenant", "k") REFERENCES "later" ("_tenant", "x") DEFERRABLE INITIALLY DEFERRED"#,
        ),
        (
            "(k REFERENCES countries ON DELETE SET NULL)",
            r#""k""#,
            r#"FOREIGN KEY ("k") REFERENCES "countries" ON DELETE SET NULL"#,
        ),
        (
            "(k REFERENCES currencies(x) ON UPDATE SET DEFAULT)",
            r#""k""#,
            r#"FOREIGN KEY ("k") REFERENCES "currencies" ("x") ON UPDATE SET DEFAULT"#,
        ),
    ] {
        in_schema(&parents(), 5, body, &format!("(HIDDEN, {columns}, HIDDEN_KEY, {keys}) WITHOUT ROWID"), &[waiting]);
    }
}

#[test]
fn triggers_set_null_and_defaults() {
    let schema = Schema::of(&["CREATE TABLE p (id INTEGER PRIMARY KEY)"]);
    in_schema(
        &schema,
        2,
        "(id INTEGER PRIMARY KEY, up REFERENCES t ON DELETE SET NULL, a DEFAULT 'it''s', b DEFAULT word REFERENCES p(id) ON UPDATE SET DEFAULT)",
        r#"(IDENT, "up", "a" DEFAULT 'it''s', "b" DEFAULT word, ID_KEY, FOREIGN KEY ("_tenant", "up") REFERENCES "t" ("_tenant", "id"), FOREIGN KEY ("_tenant", "b") REFERENCES "p" ("_tenant", "id")) WITHOUT ROWID"#,
        &[
            r#"CREATE TRIGGER IF NOT EXISTS "main"."_tenantry_fk_2_1_delete" AFTER DELETE ON "t" BEGIN UPDATE "t" SET "up" = NULL WHERE "t"."_tenant" = OLD."_tenant" AND OLD."id" = "t"."up"; END"#,
            r#"CREATE TRIGGER IF NOT EXISTS "main"."_tenantry_fk_2_2_update" AFTER UPDATE OF "id" ON "p" WHEN OLD."id" IS NOT NEW."id" BEGIN UPDATE "t" SET "b" = 'word' WHERE "t"."_tenant" = OLD."_tenant" AND OLD."id" = "t"."b"; END"#,
        ],
    );
    schema.refused("CREATE TABLE new (a REFERENCES p ON DELETE SET NULL)", "[S14] the foreign key to \"p\"");
    schema.refused("CREATE TABLE t (a DEFAULT (\"b\"), FOREIGN KEY (a) REFERENCES p ON DELETE SET DEFAULT)", "[S14]");
}

#[test]
fn foreign_keys_that_cannot_be_resolved_are_refused() {
    for (body, expected) in [
        ("(k REFERENCES later)", "[S14] the foreign key to \"later\" at 1:30"),
        ("(k REFERENCES bare)", "which has no primary key"),
        ("(k REFERENCES q)", "refer to as many columns as there are"),
        ("(k REFERENCES v(x))", "refer to a table, not to a view"),
        ("(k REFERENCES _tenantry_tables)", "[S04]"),
    ] {
        parents().refused(&format!("CREATE TABLE t {body}"), expected);
    }
    parents().refused("CREATE TABLE currencies (k REFERENCES p)", "[S14]");
    parents().refused("CREATE TABLE currencies (k REFERENCES later(x))", "[S14]");
    parents().refused("ALTER TABLE countries ADD k REFERENCES p", "[S14]");
}

#[test]
fn global_tables_stay_as_they_are() {
    parents().check(
        "/* a */ CREATE TABLE currencies (code INTEGER PRIMARY KEY, /* b */ n CHECK (rowid > 0), in_ REFERENCES countries, up REFERENCES currencies) ; ",
        &["CREATE TABLE currencies (code INTEGER PRIMARY KEY, n CHECK (rowid > 0), in_ REFERENCES countries, up REFERENCES currencies)"],
    );
    for statement in [
        "CREATE INDEX i ON countries (code DESC)",
        "ALTER TABLE countries ADD COLUMN name TEXT",
        "ALTER TABLE countries DROP name",
    ] {
        parents().check(statement, &[statement]);
    }
    parents().check("DROP TABLE countries", &[r#"DROP TABLE "main"."countries""#]);
    parents().refused("ALTER TABLE countries RENAME TO lands", "[S13]");
    parents().refused("ALTER TABLE p RENAME TO currencies", "[S13]");
}

#[test]
fn indexes_are_prefixed() {
    parents().check(
        "CREATE UNIQUE INDEX IF NOT EXISTS main.i ON p (a COLLATE nocase DESC, lower(b), 'a') WHERE b IS NOT NULL",
        &[
            r#"CREATE UNIQUE INDEX IF NOT EXISTS "main"."i" ON "p" ("_tenant", a COLLATE nocase DESC, lower(b), 'a') WHERE b IS NOT NULL"#,
        ],
    );
    for (statement, expected) in [
        ("CREATE INDEX i ON p (rowid)", "[S06]"),
        ("CREATE INDEX i ON p (a) WHERE oid > 3", "[S06]"),
        ("CREATE INDEX i ON p ('_tenant')", "[S04]"),
        ("CREATE INDEX i ON p (a + _tenant)", "[S04]"),
        ("CREATE INDEX i ON p (load_extension(a))", "[S09]"),
        ("CREATE INDEX i ON v (a)", "[S03]"),
        ("CREATE INDEX temp.i ON p (a)", "[S15]"),
        ("CREATE INDEX _tenantry_i ON p (a)", "[S04]"),
    ] {
        parents().refused(statement, expected);
    }
}
