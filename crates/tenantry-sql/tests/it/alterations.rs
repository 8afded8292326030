//! What changes of the schema become, and what is no definition.

use tenantry_sql::{Action, ChangeKind, Name, Relation, RowId};

use crate::migrations::Schema;

#[test]
fn tables_are_altered() {
    let schema = Schema::of(&[
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE c (a REFERENCES p ON DELETE SET NULL, b, FOREIGN KEY (b) REFERENCES p ON DELETE CASCADE)",
        "CREATE TABLE waits (x REFERENCES renamed(id) ON DELETE SET NULL)",
        "CREATE VIEW v AS SELECT 1",
    ]);
    schema.check(
        "ALTER TABLE main.c ADD COLUMN d INT NOT NULL DEFAULT 3 CHECK (d > 0) COLLATE nocase",
        &[r#"ALTER TABLE "main"."c" ADD COLUMN "d" INT NOT NULL DEFAULT 3 CHECK (d > 0) COLLATE nocase"#],
    );
    schema.check("ALTER TABLE c ADD d UNIQUE", &[r#"ALTER TABLE "main"."c" ADD COLUMN "d" UNIQUE"#]);
    schema.check("ALTER TABLE c RENAME COLUMN b TO 'd'", &[r#"ALTER TABLE "main"."c" RENAME COLUMN "b" TO "d""#]);
    schema.check("ALTER TABLE c DROP b", &[r#"ALTER TABLE "main"."c" DROP COLUMN "b""#]);
    schema.check(
        "ALTER TABLE p RENAME TO renamed",
        &[
            r#"ALTER TABLE "main"."p" RENAME TO "renamed""#,
            r#"CREATE TRIGGER IF NOT EXISTS "main"."_tenantry_fk_3_1_delete" AFTER DELETE ON "renamed" BEGIN UPDATE "waits" SET "x" = NULL WHERE "waits"."_tenant" = OLD."_tenant" AND OLD."id" = "waits"."x"; END"#,
        ],
    );
    for (statement, expected) in [
        ("ALTER TABLE c ADD _tenant", "[S04]"),
        ("ALTER TABLE c RENAME a TO _tenant", "[S04]"),
        ("ALTER TABLE c DROP _tenant_rowid", "[S04]"),
        ("ALTER TABLE c RENAME TO _tenantry_c", "[S04]"),
        ("ALTER TABLE _tenantry_tables ADD x", "[S04]"),
        ("ALTER TABLE c ADD d CHECK (rowid > 1)", "[S06]"),
        ("ALTER TABLE c ADD d DEFAULT (load_extension('x'))", "[S09]"),
        ("ALTER TABLE v RENAME TO w", "[S03]"),
        ("ALTER TABLE c ADD CHECK (a > 0)", "[S02]"),
        ("ALTER TABLE c DROP CONSTRAINT x", "[S02]"),
    ] {
        schema.refused(statement, expected);
    }
}

#[test]
fn keys_of_added_and_dropped_columns_change_the_stored_text() {
    let schema = Schema::of(&[
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE c (k REFERENCES p ON DELETE CASCADE, b, FOREIGN KEY (b) REFERENCES p ON DELETE SET NULL)",
    ]);
    let create = |number| {
        format!(
            r#"CREATE TRIGGER IF NOT EXISTS "main"."_tenantry_fk_2_{number}_delete" AFTER DELETE ON "p" BEGIN UPDATE "c" SET "b" = NULL WHERE "c"."_tenant" = OLD."_tenant" AND OLD."id" = "c"."b"; END"#
        )
    };
    let drop = r#"DROP TRIGGER IF EXISTS "main"."_tenantry_fk_2_2_delete""#;
    // The key of the column stands before those of the table, whose triggers are numbered anew.
    schema.check(
        "ALTER TABLE c ADD d INT REFERENCES p CHECK (d > 0)",
        &[
            r#"ALTER TABLE "main"."c" ADD COLUMN "d" INT CHECK (d > 0)"#,
            r#"c: T(_tenant, k, FOREIGN KEY (_tenant, k) REFERENCES p (_tenant, id), FOREIGN KEY ("_tenant", "d") REFERENCES "p" ("_tenant", "id"))"#,
            drop,
            &create(3),
        ],
    );
    schema.check(
        "ALTER TABLE c DROP COLUMN k",
        &[drop, "c: T(_tenant, k)", r#"ALTER TABLE "main"."c" DROP COLUMN "k""#, &create(1)],
    );
}

#[test]
fn things_are_dropped() {
    let schema = Schema::of(&[
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE c (k DEFAULT 7 REFERENCES p ON DELETE SET DEFAULT ON UPDATE SET NULL)",
        "CREATE VIEW v AS SELECT 1",
    ]);
    schema.check("DROP INDEX IF EXISTS i", &[r#"DROP INDEX IF EXISTS "main"."i""#]);
    schema.check("DROP TRIGGER main.x", &[r#"DROP TRIGGER IF EXISTS "main"."x""#]);
    schema.check("DROP VIEW v", &[]);
    schema.check(
        "DROP TABLE c",
        &[
            r#"DROP TRIGGER IF EXISTS "main"."_tenantry_fk_2_1_delete""#,
            r#"DROP TRIGGER IF EXISTS "main"."_tenantry_fk_2_1_update""#,
            r#"DROP TABLE "main"."c""#,
        ],
    );
    schema.check(
        "DROP TABLE IF EXISTS p",
        &[
            r#"UPDATE "main"."c" SET "k" = 7 WHERE (SELECT foreign_keys FROM pragma_foreign_keys) AND EXISTS (SELECT 1 FROM "main"."p" WHERE "p"."_tenant" = "c"."_tenant" AND "p"."id" = "c"."k")"#,
            r#"DROP TABLE IF EXISTS "main"."p""#,
        ],
    );
    for (statement, expected) in [
        ("DROP TABLE nowhere", "[S03]"),
        ("DROP TABLE v", "[S03]"),
        ("DROP TABLE sqlite_stat1", "[S03]"),
        ("DROP TABLE _tenantry_tables", "[S04]"),
        ("DROP TRIGGER _tenantry_fk_2_1_delete", "[S04]"),
        ("DROP VIEW c", "[S03]"),
        ("DROP TABLE temp.c", "[S15]"),
    ] {
        schema.refused(statement, expected);
    }
}

#[test]
fn what_is_there_already_changes_nothing() {
    let schema = Schema::of(&["CREATE TABLE t (a)", "CREATE VIEW v AS SELECT 1"]);
    for statement in [
        "CREATE TABLE IF NOT EXISTS t (a, b)",
        "CREATE VIEW IF NOT EXISTS v AS SELECT 2",
        "DROP TABLE IF EXISTS x",
        "DROP VIEW IF EXISTS x",
    ] {
        let change = schema.convert(statement).unwrap();
        assert_eq!((change.kind, change.steps.len()), (ChangeKind::Nothing, 0), "{statement}");
    }
}

#[test]
fn views_are_of_the_application_only() {
    let schema = Schema::of(&["CREATE TABLE t (a)"]);
    schema.check("CREATE VIEW v (x) AS SELECT a FROM t /* c */ WHERE a > 1", &[]);
    for (statement, expected) in [
        ("CREATE VIEW v AS SELECT * FROM nowhere", "[S03]"),
        ("CREATE VIEW v AS SELECT total_changes()", "[S11]"),
        ("CREATE VIEW v AS SELECT ?", "[S02]"),
        ("CREATE TEMP VIEW v AS SELECT 1", "[S15]"),
        ("CREATE VIEW _tenantry_master AS SELECT 1", "[S04]"),
    ] {
        schema.refused(statement, expected);
    }
}

#[test]
fn other_statements_pass_or_are_refused() {
    let schema = Schema::of(&["CREATE TABLE t (a)"]);
    for pass in [
        "BEGIN IMMEDIATE",
        "COMMIT",
        "SAVEPOINT x",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA defer_foreign_keys(1)",
        "PRAGMA legacy_alter_table = OFF",
        "PRAGMA foreign_key_check",
    ] {
        assert_eq!(schema.convert(pass).unwrap().kind, ChangeKind::Pass, "{pass}");
        schema.check(pass, &[pass]);
    }
    for rows in ["INSERT INTO t VALUES (1)", "SELECT 1", "PRAGMA legacy_alter_table = ON", "PRAGMA table_info(t)"] {
        assert_eq!(schema.convert(rows).unwrap().kind, ChangeKind::Rows, "{rows}");
    }
    for (statement, expected) in [
        ("", "[S01]"),
        ("CREATE TABLE a (b); DROP TABLE t", "[S01]"),
        ("CREATE TABLE x AS SELECT * FROM t", "[S08]"),
        ("CREATE TABLE x (a, _Tenant)", "[S04]"),
        ("CREATE TABLE _tenantry_tables (a)", "[S04]"),
        ("CREATE TABLE x (a CHECK (a IN (SELECT 1)))", "[S02]"),
        ("CREATE TABLE x (a CHECK (rowid > 1))", "[S06]"),
        ("CREATE TABLE x (a INTEGER GENERATED ALWAYS)", "[S18]"),
        ("CREATE TABLE x (a DEFAULT (load_extension('x')))", "[S09]"),
        ("CREATE TABLE other.x (a)", "[S03]"),
        ("CREATE TEMP TABLE x (a)", "[S15]"),
        ("CREATE VIRTUAL TABLE x USING fts5(a)", "[S13]"),
        ("VACUUM", "[S16]"),
        ("ANALYZE", "[S16]"),
        ("ATTACH 'x' AS y", "[S16]"),
        ("EXPLAIN CREATE TABLE x (a)", "[S17]"),
    ] {
        schema.refused(statement, expected);
    }
}

#[test]
fn the_schema_is_read() {
    let schema = Schema::of(&[
        "CREATE TABLE p (a, id INTEGER PRIMARY KEY AUTOINCREMENT, up AS (a))",
        "CREATE TABLE \"c\" (x REFERENCES p ON DELETE SET NULL, y DEFAULT 3, FOREIGN KEY (y) REFERENCES z(k) ON UPDATE SET DEFAULT DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TABLE w (k PRIMARY KEY) WITHOUT ROWID",
        "CREATE VIEW v(a, b) AS SELECT 1, /* two */ 2",
        "CREATE TABLE countries (code)",
        "CREATE TABLE sqlite_sequence (name, seq)",
    ]);
    let table = |name: &str| schema.map().table(&Name::from(name)).unwrap();
    let p = table("P");
    assert_eq!((p.number, p.auto_increment, &p.row_id), (1, true, &RowId::Column("id".into())));
    assert_eq!(p.physical_columns().collect::<Vec<_>>(), ["_tenant", "id", "a", "up"]);
    assert_eq!(p.insertable().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["a", "id"]);
    let [x, y] = table("c").foreign_keys.as_slice() else { panic!("two keys") };
    assert_eq!((x.on_delete.clone(), x.of_column, x.deferred), (Action::SetNull, true, false));
    assert_eq!((y.on_update.clone(), y.of_column, y.deferred), (Action::SetDefault(vec!["3".to_owned()]), false, true));
    assert_eq!(table("c").id_column(), Some("_tenant_rowid"));
    assert_eq!((table("w").id_column(), table("w").primary_key.as_slice()), (None, [Name::from("k")].as_slice()));
    assert!(matches!(schema.map().relation(&"countries".into()), Some(Relation::Global(_))));
    let Some(Relation::View(view)) = schema.map().relation(&"v".into()) else { panic!("a view") };
    assert_eq!((view.columns.as_ref().unwrap().len(), view.body.as_str()), (2, "SELECT 1, 2"));
    assert!(schema.map().relation(&"sqlite_sequence".into()).is_none());
}
