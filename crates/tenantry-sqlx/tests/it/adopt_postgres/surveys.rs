//! What a survey says of an instance.

use std::collections::BTreeMap;

use tempfile::TempDir;
use tenantry_sqlx::adopt::{Survey, Verdict, postgres::survey};

use super::*;
use crate::adopt::notes;

fn verdicts(survey: &Survey) -> BTreeMap<String, Verdict> {
    let objects = survey.objects.iter();
    objects.map(|object| (format!("{} {}", object.kind, object.name), object.verdict)).collect()
}

#[tokio::test]
async fn what_would_be_adopted_is_said_to_be() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let surveyed = survey(&target.options, &source.instance()).await.unwrap();
    assert!(surveyed.is_adoptable() && surveyed.is_compared && surveyed.bytes > 1_000_000, "{surveyed:?}");
    assert!(surveyed.source.starts_with("postgres://") && !surveyed.source.contains("secret"), "{}", surveyed.source);
    let verdicts = verdicts(&surveyed);
    for (object, verdict) in [
        ("table authors", Verdict::AsIs),
        ("table countries", Verdict::Changed),
        ("index authors_by_name", Verdict::AsIs),
        ("view titles", Verdict::AsIs),
        ("sequence Books_id_seq", Verdict::Changed),
        ("type mood", Verdict::AsIs),
    ] {
        assert_eq!(verdicts[object], verdict, "{object}");
    }
    let books = surveyed.objects.iter().find(|object| object.name == "Books").unwrap();
    assert!(books.rows == Some(3) && books.bytes > Some(0), "{books:?}");
    let sequence = surveyed.objects.iter().find(|object| object.name == "Books_id_seq").unwrap();
    assert_eq!(sequence.notes, ["gives ids to all tenants, and goes on after 5 at least"]);
    target.adopt(ACME, &source).await.unwrap();
}

#[tokio::test]
async fn what_is_in_the_way_is_said() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    target.adopt(GLOBEX, &source).await.unwrap();
    source.run("INSERT INTO countries VALUES ('de', 'Deutschland')").await;
    let surveyed = survey(&target.options, &source.instance()).await.unwrap();
    assert!(!surveyed.is_adoptable() && surveyed.differences.is_empty());
    assert!(surveyed.problems[0].contains("countries belongs to all tenants"), "{:?}", surveyed.problems);
    for change in [
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON loans FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one",
        "CREATE TABLE parts (id int) PARTITION BY LIST (id)",
        "CREATE INDEX brin ON loans USING brin (day)",
    ] {
        source.run(change).await;
    }
    let surveyed = survey(&target.options, &source.instance()).await.unwrap();
    let verdicts = verdicts(&surveyed);
    for (object, verdict) in [
        ("function f", Verdict::Decide),
        ("trigger touch", Verdict::InTheWay),
        ("materialized view kept", Verdict::InTheWay),
        ("table parts", Verdict::InTheWay),
        ("index brin", Verdict::InTheWay),
    ] {
        assert_eq!(verdicts[object], verdict, "{object}");
    }
    let differs = |object: &str| surveyed.differences.iter().any(|difference| difference.object == object);
    assert!(differs("table parts") && differs("trigger touch on loans") && differs("index brin"), "{surveyed:?}");
}

#[tokio::test]
async fn a_survey_changes_nothing() {
    let target = Target::without_schema().await;
    let source = Source::library().await;
    let surveyed = survey(&target.options, &source.instance()).await.unwrap();
    assert!(!surveyed.is_compared && !surveyed.is_adoptable());
    assert!(surveyed.problems[0].contains("start the application once"), "{:?}", surveyed.problems);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenantry%'";
    let made: i64 = sqlx::query_scalar(schemas).fetch_one(&mut target.admin().await).await.unwrap();
    assert_eq!(made, 0);
}

#[tokio::test]
async fn a_file_is_surveyed_as_well() {
    let (target, folder) = (Target::of_notes().await, TempDir::new().unwrap());
    let file = folder.path().join("notes.db");
    notes(&file, "acme").await;
    let surveyed = survey(&target.options, &Instance::Sqlite(file)).await.unwrap();
    assert!(surveyed.is_adoptable() && surveyed.is_compared, "{surveyed:?}");
    let verdicts = verdicts(&surveyed);
    assert_eq!((verdicts["table notes"], verdicts["trigger notes_touch"]), (Verdict::AsIs, Verdict::Decide));
    let other = Target::new(LIBRARY).await;
    let file = folder.path().join("other.db");
    notes(&file, "acme").await;
    let surveyed = survey(&other.options, &Instance::Sqlite(file)).await.unwrap();
    assert!(surveyed.differences.iter().any(|difference| difference.object == "table notes"), "{surveyed:?}");
}
