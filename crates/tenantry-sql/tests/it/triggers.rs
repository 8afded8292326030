//! What triggers become.

use crate::migrations::Schema;

const NOTES: &str = r#"(SELECT "id", "title", "by" FROM "notes" WHERE "notes"."_tenant" = NEW."_tenant")"#;
const LOG: &str = r#"(SELECT "at", "line" FROM "log" WHERE "log"."_tenant" = NEW."_tenant")"#;

fn schema() -> Schema {
    Schema::of(&[
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title, by)",
        "CREATE TABLE log (at, line)",
        "CREATE TABLE old (x)",
        "CREATE TABLE countries (code PRIMARY KEY)",
        "CREATE VIEW titles(t) AS SELECT title FROM notes",
        "CREATE VIEW main_only AS WITH notes AS (SELECT * FROM main.notes) SELECT * FROM notes",
    ])
}

#[track_caller]
fn check(body: &str, expected: &str) {
    let expected = expected.replace("NOTES", NOTES).replace("LOG", LOG);
    schema().check(
        &format!("CREATE TRIGGER x AFTER INSERT ON notes {body}"),
        &[&format!("CREATE TRIGGER \"main\".\"x\" AFTER INSERT ON \"notes\" {expected}")],
    );
}

#[test]
fn statements_of_a_trigger_stay_with_the_tenant_of_its_row() {
    check(
        "BEGIN INSERT INTO log VALUES (NEW.rowid, new.title), (1, 2); INSERT INTO log (line) SELECT title FROM notes; END",
        r#"BEGIN INSERT INTO "log" ("at", "line", "_tenant") VALUES ("new"."id", new.title, NEW."_tenant"), (1, 2, NEW."_tenant"); INSERT INTO "log" (line, "_tenant") SELECT title, NEW."_tenant" FROM NOTES AS "notes"; END"#,
    );
    check(
        "BEGIN UPDATE log SET line = (SELECT max(id) FROM notes) WHERE at = 1 OR 1; DELETE FROM log; END",
        r#"BEGIN UPDATE "log" SET line = (SELECT max(id) FROM NOTES AS "notes") WHERE "log"."_tenant" = NEW."_tenant" AND (at = 1 OR 1); DELETE FROM "log" WHERE "log"."_tenant" = NEW."_tenant"; END"#,
    );
    check(
        "BEGIN UPDATE OR IGNORE log AS l SET line = n.title FROM notes n WHERE n.id = l.at; END",
        r#"BEGIN UPDATE OR IGNORE "log" AS l SET line = n.title FROM NOTES n WHERE "l"."_tenant" = NEW."_tenant" AND (n.id = l.at); END"#,
    );
    check(
        "BEGIN INSERT OR IGNORE INTO notes (id) VALUES (NEW.by); END",
        r#"BEGIN INSERT OR IGNORE INTO "notes" (id, "_tenant") VALUES (_tenantry_new_id(1, NEW.by), NEW."_tenant"); END"#,
    );
    check(
        "BEGIN INSERT INTO notes(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET title = excluded.title; SELECT 1; END",
        r#"BEGIN INSERT INTO "notes"(id, "_tenant") VALUES (1, NEW."_tenant") ON CONFLICT ("_tenant", id) DO UPDATE SET title = excluded.title; SELECT 1; END"#,
    );
}

#[test]
fn conditions_are_scoped() {
    check(
        "FOR EACH ROW WHEN EXISTS (SELECT 1 FROM log WHERE log.rowid = NEW.oid) BEGIN SELECT RAISE(ABORT, 'no'); END",
        r#"FOR EACH ROW WHEN EXISTS (SELECT 1 FROM (SELECT "at", "line", "_tenant_rowid" AS "_tenant_rowid_79" FROM "log" WHERE "log"."_tenant" = NEW."_tenant") AS "log" WHERE "log"."_tenant_rowid_79" = "new"."id") BEGIN SELECT RAISE(ABORT, 'no'); END"#,
    );
}

#[test]
fn the_row_of_a_deletion_is_the_old_one() {
    schema().check(
        "CREATE TRIGGER IF NOT EXISTS main.\"a b\" BEFORE DELETE ON main.log -- why\n BEGIN /* what */ DELETE FROM notes WHERE id = OLD.rowid; END;",
        &[
            r#"CREATE TRIGGER IF NOT EXISTS "main"."a b" BEFORE DELETE ON "log" BEGIN DELETE FROM "notes" WHERE "notes"."_tenant" = OLD."_tenant" AND (id = "old"."_tenant_rowid"); END"#,
        ],
    );
    schema().check(
        "CREATE TRIGGER x UPDATE OF title, by ON notes BEGIN DELETE FROM log; END",
        &[
            r#"CREATE TRIGGER "main"."x" UPDATE OF title, by ON "notes" BEGIN DELETE FROM "log" WHERE "log"."_tenant" = NEW."_tenant"; END"#,
        ],
    );
}

#[test]
fn views_are_expanded() {
    check(
        "BEGIN INSERT INTO log (line) SELECT t FROM titles; END",
        r#"BEGIN INSERT INTO "log" (line, "_tenant") SELECT t, NEW."_tenant" FROM (WITH "titles"("t") AS (SELECT title FROM NOTES AS "notes") SELECT * FROM "titles") AS "titles"; END"#,
    );
}

#[test]
fn what_a_trigger_may_not_do_is_refused() {
    for (body, expected) in [
        ("SELECT 1 FROM notes AS new", "[S19] table \"new\" in a trigger"),
        ("DELETE FROM old", "[S19]"),
        ("UPDATE notes AS OLD SET id = 1", "[S19]"),
        ("INSERT INTO log SELECT * FROM \"old\"", "[S19]"),
        ("SELECT 1 WHERE 1 IN old", "[S19]"),
        ("SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c)", "[S02] a common table expression in a trigger"),
        ("SELECT * FROM main_only", "[S02] a common table expression in a trigger"),
        ("SELECT ?", "[S02] a parameter"),
        ("SELECT last_insert_rowid()", "[S11]"),
        ("SELECT load_extension('x')", "[S09]"),
        ("INSERT INTO countries VALUES (1)", "[S03]"),
        ("UPDATE log SET _tenant = 2", "[S04]"),
        ("SELECT NEW._tenant", "[S04]"),
        ("DELETE FROM temp.log", "[S03]"),
        ("SELECT * FROM temp.log", "[S03]"),
        ("INSERT INTO titles VALUES (1)", "[S03]"),
        ("SELECT rowid FROM notes, log", "[S06]"),
    ] {
        schema().refused(&format!("CREATE TRIGGER x AFTER INSERT ON notes BEGIN {body}; END"), expected);
    }
    for (header, expected) in [
        ("TRIGGER x INSTEAD OF INSERT ON titles", "[S13] INSTEAD OF"),
        ("TRIGGER x AFTER INSERT ON titles", "[S13] trigger on view"),
        ("TRIGGER x AFTER INSERT ON countries", "[S13] trigger on global table"),
        ("TRIGGER x AFTER INSERT ON nowhere", "[S03]"),
        ("TEMP TRIGGER x AFTER INSERT ON notes", "[S15]"),
        ("TRIGGER temp.x AFTER INSERT ON notes", "[S15]"),
        ("TRIGGER _tenantry_x AFTER INSERT ON notes", "[S04]"),
    ] {
        schema().refused(&format!("CREATE {header} BEGIN SELECT 1; END"), expected);
    }
}

#[test]
fn new_and_old_are_seen_with_their_names_only() {
    // Without them, this is SQLite's to refuse; it must not become the row of the trigger.
    check("BEGIN SELECT rowid; END", "BEGIN SELECT rowid; END");
    check("BEGIN SELECT rowid FROM notes; END", r#"BEGIN SELECT "notes"."id" FROM NOTES AS "notes"; END"#);
}
