//! What a survey says of an instance.

use std::collections::BTreeMap;

use tenantry_sqlx::adopt::{Survey, Verdict, survey};

use super::*;

fn verdicts(survey: &Survey) -> BTreeMap<&str, Verdict> {
    survey.objects.iter().map(|object| (object.name.as_str(), object.verdict)).collect()
}

fn notes_of<'s>(survey: &'s Survey, name: &str) -> &'s [String] {
    &survey.objects.iter().find(|object| object.name == name).unwrap().notes
}

#[tokio::test]
async fn the_example_can_be_adopted() {
    let deployment = Deployment::new();
    let file = deployment.file("acme");
    notes(&file, "acme").await;
    let survey = survey(&deployment.options(), &file).await.unwrap();
    assert!(survey.is_adoptable() && !survey.is_compared, "{survey:?}");
    assert_eq!(survey.convertible(), survey.objects.len());
    let verdicts = verdicts(&survey);
    assert_eq!((verdicts["notes"], verdicts["settings"]), (Verdict::AsIs, Verdict::Changed));
    assert_eq!((verdicts["note_overview"], verdicts["notes_touch"]), (Verdict::AsIs, Verdict::Changed));
    assert_eq!(verdicts["tags"], Verdict::Decide);
    let notes = survey.objects.iter().find(|object| object.name == "notes").unwrap();
    assert_eq!(notes.rows, Some(2));
    assert!(notes.bytes.is_some_and(|bytes| bytes > 0));
    assert!(!deployment.file("shared.db").exists(), "a survey makes nothing");
}

const IN_THE_WAY: &str = "
    PRAGMA foreign_keys = OFF;
    CREATE TABLE fine (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, b INT AS (a + 1)) STRICT;
    CREATE TABLE orphan (id INTEGER PRIMARY KEY, up REFERENCES nowhere (x));
    CREATE TABLE ours (id INTEGER PRIMARY KEY, _tenant TEXT);
    CREATE TABLE _tenantry_mine (a);
    CREATE TABLE hidden (rowid, _rowid_, oid);
    CREATE TABLE asks (a DEFAULT (sqlite_version()));
    CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE search USING fts5 (body);
    CREATE VIRTUAL TABLE places USING rtree (id, x0, x1);
    CREATE INDEX fine_a ON fine (a + 1);
    CREATE INDEX ours_t ON ours (_tenant);
    CREATE VIEW good AS SELECT * FROM fine;
    CREATE VIEW bad AS SELECT sqlite_version();
    CREATE VIEW onto AS SELECT * FROM ours;
    CREATE TRIGGER works AFTER INSERT ON fine BEGIN DELETE FROM orphan WHERE id = NEW.id; END;
    CREATE TRIGGER fails AFTER INSERT ON fine BEGIN INSERT INTO orphan (up) VALUES (last_insert_rowid()); END;
    CREATE TRIGGER instead INSTEAD OF INSERT ON good BEGIN INSERT INTO fine (a) VALUES (NEW.a); END;
    INSERT INTO orphan VALUES (1, NULL);";

#[tokio::test]
async fn each_object_has_a_verdict() {
    let deployment = Deployment::new();
    let file = deployment.file("source");
    instance_of(&file, IN_THE_WAY).await;
    let survey = survey(&deployment.options(), &file).await.unwrap();
    let verdicts = verdicts(&survey);
    for name in
        ["ours", "_tenantry_mine", "hidden", "asks", "search", "places", "ours_t", "bad", "onto", "fails", "instead"]
    {
        assert_eq!(verdicts[name], Verdict::InTheWay, "{name}: {:?}", notes_of(&survey, name));
    }
    assert_eq!(
        (verdicts["fine"], verdicts["pairs"], verdicts["fine_a"]),
        (Verdict::AsIs, Verdict::AsIs, Verdict::AsIs)
    );
    assert_eq!(
        (verdicts["orphan"], verdicts["good"], verdicts["works"]),
        (Verdict::Decide, Verdict::AsIs, Verdict::Changed)
    );
    assert!(notes_of(&survey, "ours")[0].contains("S04"), "{:?}", notes_of(&survey, "ours"));
    assert!(notes_of(&survey, "asks")[0].contains("S09") && notes_of(&survey, "fails")[0].contains("S11"));
    assert!(notes_of(&survey, "orphan").iter().any(|note| note.contains("nowhere")));
    assert!(notes_of(&survey, "fine").iter().any(|note| note.contains("STRICT")));
    assert!(!survey.is_adoptable());
    // And so it is.
    let refused = deployment.adopt(ACME, &file).await.unwrap_err();
    assert!(matches!(&refused, AdoptError::Refused { .. } | AdoptError::HiddenRowId(_)), "{refused}");
}

#[tokio::test]
async fn it_is_compared_with_the_shared_database() {
    let deployment = Deployment::new();
    deployment.pool.migrate(&NOTES).await.unwrap();
    let (same, other) = (deployment.file("same"), deployment.file("other"));
    notes(&same, "acme").await;
    instance_of(&other, "CREATE TABLE t (a)").await;
    let same = survey(&deployment.options(), &same).await.unwrap();
    assert!(same.is_adoptable() && same.is_compared);
    let other = survey(&deployment.options(), &other).await.unwrap();
    assert!(!other.is_adoptable() && other.differences.iter().any(|one| one.object == "table notes"));
}

#[tokio::test]
async fn broken_references_are_a_problem_and_bad_files_are_errors() {
    let deployment = Deployment::new();
    let file = deployment.file("broken");
    instance_of(&file, "PRAGMA foreign_keys = OFF; CREATE TABLE c (c REFERENCES p (x)); CREATE TABLE p (x UNIQUE); INSERT INTO c VALUES (1)").await;
    let surveyed = survey(&deployment.options(), &file).await.unwrap();
    assert!(!surveyed.is_adoptable() && surveyed.problems.len() == 1);
    assert!(survey(&deployment.options(), &deployment.file("missing")).await.is_err());
}
