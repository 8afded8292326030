//! The schema of a source and that of the shared database.

use tenantry_resource::within;

use super::*;

const SHARED: &str = "
CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (title <> ''), UNIQUE (title));
CREATE INDEX by_title ON notes (title DESC);
CREATE VIEW titles AS SELECT title FROM notes;
CREATE TRIGGER touch AFTER INSERT ON notes BEGIN UPDATE notes SET title = title WHERE id = NEW.id; END;
";

#[tokio::test]
async fn what_is_written_differently_is_the_same() {
    let deployment = Deployment::new();
    deployment.migrate(&[SHARED]).await.unwrap();
    let file = deployment.file("source");
    let written = "
        create view if not exists titles as select title from \"notes\";
        create table if not exists [Notes] (
            \"id\" integer primary key, -- the number
            title text unique check(title<>'') not null
        );
        create trigger touch after insert on notes for each row begin update notes set title=title where id=new.id; end;
        create index \"by_title\" on notes(\"title\" desc);
        INSERT INTO notes (title) VALUES ('x');";
    instance_of(&file, written).await;
    deployment.adopt(ACME, &file).await.unwrap();
    within(deployment.scope(ACME), async {
        assert_eq!(rows(&deployment.pool, "SELECT id FROM notes").await, [["integer 1"]]);
    })
    .await;
}

#[tokio::test]
async fn differences_are_told_one_by_one() {
    let deployment = Deployment::new();
    deployment.migrate(&[SHARED]).await.unwrap();
    let file = deployment.file("source");
    instance_of(
        &file,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, UNIQUE (title));
         CREATE TABLE other (a);
         CREATE INDEX by_title ON notes (title);
         CREATE VIEW titles AS SELECT title FROM notes;",
    )
    .await;
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    let AdoptError::Schema(differences) = &refused else { panic!("{refused}") };
    let told: Vec<_> = differences
        .iter()
        .map(|one| (one.object.as_str(), one.only_source.join(" | "), one.only_shared.join(" | ")))
        .collect();
    let said = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (
                "index by_title",
                said("create index by_title on notes ( title )"),
                said("create index by_title on notes ( title desc )")
            ),
            ("table notes", said(""), said("CHECK (title <> '')")),
            ("table other", said("all of it"), said("")),
            ("trigger touch", said(""), said("all of it")),
        ]
    );
    let mut raw = raw(&deployment).await;
    assert!(rows(&mut raw, "SELECT * FROM _tenantry_adoptions").await.is_empty(), "nothing has begun");
}

#[tokio::test]
async fn migrations_are_compared_even_where_the_schema_is_the_same() {
    let deployment = Deployment::new();
    let table = "CREATE TABLE t (a)";
    deployment.migrate(&[table, "INSERT INTO t VALUES ('seed')"]).await.unwrap();
    let file = deployment.file("source");
    crate::scoped::migrator(&[table]).run(&mut instance(&file).await).await.unwrap();
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    let AdoptError::Schema(differences) = &refused else { panic!("{refused}") };
    assert_eq!(
        (differences[0].object.as_str(), differences[0].only_shared.join(" ")),
        ("the migrations", "2 test".to_owned())
    );
}

#[tokio::test]
async fn a_new_shared_database_takes_the_schema_in_any_order() {
    let deployment = Deployment::new();
    let file = deployment.file("source");
    instance_of(
        &file,
        "CREATE TABLE child (id INTEGER PRIMARY KEY, up REFERENCES parent ON DELETE SET NULL);
         CREATE VIEW second AS SELECT * FROM first;
         CREATE VIEW first AS SELECT * FROM parent;
         CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TRIGGER log AFTER INSERT ON child BEGIN INSERT INTO logged SELECT NEW.id FROM second; END;
         CREATE TABLE logged (what);
         INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1), (2, 1);",
    )
    .await;
    let adopted = deployment.adopt(ACME, &file).await.unwrap();
    assert!(adopted.took_schema);
    let mut instance = instance(&file).await;
    within(deployment.scope(ACME), async {
        for statement in [
            "SELECT * FROM logged",
            "INSERT INTO child (up) VALUES (1) RETURNING id",
            "DELETE FROM parent RETURNING id",
            "SELECT * FROM child",
            "SELECT * FROM logged",
        ] {
            assert_eq!(rows(&deployment.pool, statement).await, rows(&mut instance, statement).await, "{statement}");
        }
    })
    .await;
    within(deployment.scope(GLOBEX), async {
        assert!(rows(&deployment.pool, "SELECT * FROM child").await.is_empty(), "new tenants begin without rows");
    })
    .await;
}

#[tokio::test]
async fn what_has_no_shared_form_is_refused_and_leaves_nothing() {
    let deployment = Deployment::new();
    let file = deployment.file("source");
    instance_of(
        &file,
        "CREATE TABLE fine (a); CREATE VIRTUAL TABLE search USING fts5 (body); INSERT INTO search VALUES ('x')",
    )
    .await;
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Refused { object, .. } if object == "table search"), "{refused}");
    let mut raw = raw(&deployment).await;
    assert!(rows(&mut raw, "SELECT * FROM _tenantry_master").await.is_empty());
    // In a database of its own it can be what it is.
    let adopted = deployment.adopt(3, &file).await.unwrap();
    assert!(adopted.tables.iter().any(|table| table.name == "search_content" && table.rows == 1));
    within(deployment.scope(3), async {
        assert_eq!(rows(&deployment.pool, "SELECT count(*) FROM search WHERE body MATCH 'x'").await, [["integer 1"]]);
    })
    .await;
}

#[tokio::test]
async fn tables_of_all_tenants_have_to_be_equal() {
    let schema = "CREATE TABLE countries (code TEXT PRIMARY KEY, name); CREATE TABLE people (id INTEGER PRIMARY KEY, \
                  country REFERENCES countries);";
    let global = |options: &mut SqliteOptions| options.global = vec!["countries".into()];
    let deployment = Deployment::with(global);
    let mut options = deployment.options();
    global(&mut options);
    let adopted = async |id, name: &str, rows: &str| {
        let file = deployment.file(name);
        instance_of(
            &file,
            &format!("{schema} INSERT INTO countries VALUES {rows}; INSERT INTO people VALUES (1, 'at')"),
        )
        .await;
        adopt(&options, &tenant(id), &file, AdoptOptions::default()).await
    };
    // The first one brings them.
    adopted(ACME, "one", "('at', 'Austria'), ('ch', 'Switzerland')").await.unwrap();
    let refused = adopted(GLOBEX, "two", "('at', 'Österreich'), ('ch', 'Switzerland'), ('de', 'x')").await.unwrap_err();
    let AdoptError::Global { table, keys } = &refused else { panic!("{refused}") };
    assert_eq!(
        (table.as_str(), keys.join("; ")),
        ("countries", "row 1 of the source; row 3 of the source; row 1 of the shared table".to_owned())
    );
    adopted(GLOBEX, "three", "('at', 'Austria'), ('ch', 'Switzerland')").await.unwrap();
    for id in [ACME, GLOBEX] {
        within(deployment.scope(id), async {
            let joined = "SELECT people.id, name FROM people JOIN countries ON code = country";
            assert_eq!(rows(&deployment.pool, joined).await.len(), 1);
        })
        .await;
    }
}
