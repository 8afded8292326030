//! What is not adopted, and what is said then. Nothing is left of it.

use sqlx::ConnectOptions;
use tenantry_core::Placement;

use super::*;

#[tokio::test]
async fn a_tenant_is_adopted_once() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let first = target.adopt(ACME, &source).await.unwrap();
    let again = target.adopt(ACME, &source).await.unwrap();
    assert!(again.already && !first.already);
    assert_eq!(again.tables, first.tables);
    source.run("UPDATE settings SET title = 'changed'").await;
    let refused = target.refused(ACME, &source).await;
    assert!(matches!(&refused, AdoptError::Otherwise { .. }) && refused.is_before_all(), "{refused}");
    assert!(refused.to_string().contains("tenant acme was adopted from postgres://"), "{refused}");
    assert_eq!(target.column(ACME, "SELECT title FROM settings").await, ["old"]);
}

#[tokio::test]
async fn a_tenant_that_was_used_keeps_its_rows() {
    let target = Target::new(LIBRARY).await;
    target.execute(ACME, "INSERT INTO authors (name) VALUES ('mine')").await;
    let before = target.left(ACME).await;
    let refused = target.refused(ACME, &Source::library().await).await;
    assert!(matches!(&refused, AdoptError::Used { table, .. } if table == "authors"), "{refused}");
    assert_eq!(target.left(ACME).await, before);
    let mut active = tenant(GLOBEX);
    active.status = Status::Active;
    let from = Source::library().await;
    let refused = adopt(&target.options, &active, &from.instance(), AdoptOptions::default()).await.unwrap_err();
    assert!(matches!(refused, AdoptError::Served(_)), "{refused}");
    assert!(target.left(GLOBEX).await.is_empty());
}

#[tokio::test]
async fn schemas_that_differ_are_refused() {
    let target = Target::new(LIBRARY).await;
    let source = Source::new(LIBRARY).await;
    let changes = [
        ("ALTER TABLE loans ADD extra text", "table loans", "column extra text"),
        ("ALTER TABLE loans ALTER note TYPE text", "table loans", "column note text"),
        ("ALTER TABLE loans ALTER note SET NOT NULL", "table loans", "NOT NULL"),
        ("ALTER TABLE loans ALTER note SET DEFAULT 'x'", "table loans", "DEFAULT 'x'::text"),
        ("ALTER TABLE loans ADD CHECK (day > '2000-01-01')", "table loans", "constraint loans_day_check CHECK"),
        ("ALTER TABLE countries DROP name", "table countries", ""),
        ("CREATE INDEX loans_by_note ON loans (note)", "index loans_by_note", "all of it"),
        ("DROP INDEX authors_by_name", "index authors_by_name", ""),
        ("CREATE TABLE more (id int)", "table more", "all of it"),
        ("DROP TABLE settings", "table settings", ""),
        ("ALTER TYPE mood ADD VALUE 'angry'", "type mood", "one of 'sad', 'glad', 'angry'"),
        ("ALTER TYPE edition ADD ATTRIBUTE place text", "type edition", "column place text"),
        ("ALTER DOMAIN percent ADD CHECK (VALUE <> 50)", "type percent", "domain over integer"),
        ("ALTER SEQUENCE \"Books_id_seq\" INCREMENT BY 10", "sequence Books_id_seq", "by 10"),
        (
            "DROP VIEW titles; CREATE VIEW titles AS SELECT id AS one FROM \"Books\"",
            "view titles",
            "column one integer",
        ),
        ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "", ""),
        (
            "CREATE TRIGGER touch BEFORE UPDATE ON loans FOR EACH ROW EXECUTE FUNCTION f()",
            "trigger touch on loans",
            "all of it",
        ),
    ];
    for (change, ..) in changes {
        source.run(change).await;
    }
    let refused = target.refused(ACME, &source).await;
    assert!(refused.is_before_all());
    let AdoptError::Schema(differences) = refused else { panic!("{refused}") };
    for (change, object, fact) in changes {
        let is_there = differences.iter().any(|difference| {
            difference.object == object && difference.only_source.iter().any(|only| only.contains(fact))
                || difference.object == object && fact.is_empty() && !difference.only_shared.is_empty()
        });
        assert!(is_there || object.is_empty(), "{change}: {differences:?}");
    }
    assert!(target.left(ACME).await.is_empty());
}

#[tokio::test]
async fn migrations_that_differ_are_refused() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let record = "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on \
                  timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time \
                  bigint NOT NULL); INSERT INTO _sqlx_migrations VALUES (1, 'test', now(), true, '', 0)";
    source.run(record).await;
    target.adopt(GLOBEX, &source).await.unwrap();
    source.run("INSERT INTO _sqlx_migrations VALUES (2, 'more', now(), true, '', 0)").await;
    let refused = target.refused(ACME, &source).await;
    let AdoptError::Schema(differences) = refused else { panic!("{refused}") };
    assert_eq!(differences.len(), 1);
    assert_eq!((&*differences[0].object, &*differences[0].only_source), ("the migrations", &["2 more".to_owned()][..]));
}

#[tokio::test]
async fn tables_of_all_tenants_have_to_have_the_same_rows() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    // The first one brings them.
    target.adopt(GLOBEX, &source).await.unwrap();
    source.run("UPDATE countries SET name = 'Switzerland' WHERE code = 'ch'").await;
    let refused = target.refused(ACME, &source).await;
    assert!(refused.is_before_all());
    let refused = refused.to_string();
    assert!(refused.contains("countries belongs to all tenants"), "{refused}");
    assert!(refused.contains("the checksums of all 2 rows"), "{refused}");
    source.run("INSERT INTO countries VALUES ('de', 'Deutschland')").await;
    let refused = target.refused(ACME, &source).await.to_string();
    assert!(refused.contains("3 rows in the source, 2 in the shared table"), "{refused}");
    assert!(target.left(ACME).await.is_empty());
}

#[tokio::test]
async fn what_is_no_instance_is_said() {
    let target = Target::new(LIBRARY).await;
    let ours = Source(TestDatabase::new().await.unwrap());
    ours.run("CREATE SCHEMA tenantry; CREATE TABLE tenantry.meta (layout int)").await;
    let refused = target.refused(ACME, &ours).await;
    assert!(refused.to_string().contains("is a shared database of Tenantry"), "{refused}");
    let empty = Source(TestDatabase::new().await.unwrap());
    let refused = target.refused(ACME, &empty).await;
    assert!(refused.to_string().contains("has no tables in its schema public"), "{refused}");
    let nowhere: Instance = "postgres://ann:hush@127.0.0.1:1/notes".parse().unwrap();
    let refused = adopt(&target.options, &tenant(ACME), &nowhere, AdoptOptions::default()).await.unwrap_err();
    assert!(refused.is_before_all());
    let said = format!("{refused} {nowhere:?}");
    assert!(said.contains("postgres://ann@127.0.0.1:1/notes cannot be reached") && !said.contains("hush"), "{said}");
    let unmigrated = Target::without_schema().await;
    let refused = unmigrated.refused(ACME, &Source::library().await).await;
    assert!(matches!(refused, AdoptError::Unmigrated), "{refused}");
    let mut own = tenant(ACME);
    own.placement = Placement::Dedicated;
    let from = Source::library().await;
    let refused = adopt(&target.options, &own, &from.instance(), AdoptOptions::default()).await.unwrap_err();
    assert!(refused.is_before_all());
    let (refused, name) = (refused.to_string(), format!("{}_{ACME}", target.database.name()));
    assert!(refused.contains(&format!("CREATE DATABASE \"{name}\" OWNER")) && refused.contains("pg_dump"), "{refused}");
}

/// What PostgreSQL's tools bring, the application's own migrations and statements stand for here.
#[tokio::test]
async fn a_database_of_a_tenants_own_is_filled_as_the_error_says() {
    let notes = sqlx::migrate!("../../examples/notes/migrations/postgres");
    let target = Target::of_notes().await;
    let mut own = tenant(ACME);
    own.placement = Placement::Dedicated;
    let from = Instance::Sqlite("notes.db".into());
    let refused = adopt(&target.options, &own, &from, AdoptOptions::default()).await.unwrap_err();
    let AdoptError::OwnDatabase { database, role, .. } = refused else { panic!("{refused}") };
    let create = format!("CREATE DATABASE \"{database}\" OWNER \"{role}\" TEMPLATE template0");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut target.admin().await).await.unwrap();
    let mut connection = target.options.application.clone().database(&database).connect().await.unwrap();
    notes.run(&mut connection).await.unwrap();
    sqlx::raw_sql("INSERT INTO tags (name) VALUES ('old')").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    own.status = Status::Active;
    let admission = Arc::new(Admission::new(Arc::new([own].into_iter().collect::<Mirror>()), Plans::default()));
    let pool = ScopedPool::postgres(target.options.clone(), Some(Arc::clone(&admission)));
    pool.migrate(&notes).await.unwrap();
    let scope = admission.admit_id(TenantId::new(ACME)).unwrap();
    let names: Vec<String> = within(scope, sqlx::query_scalar("SELECT name FROM tags").fetch_all(&pool)).await.unwrap();
    assert_eq!(names, ["old"]);
}

#[tokio::test]
async fn the_database_of_an_instance_is_not_taken_for_the_shared_one() {
    let target = Target::without_schema().await;
    let mut owner = PgConnection::connect(target.database.url()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)").execute(&mut owner).await.unwrap();
    let refused = target.refused(ACME, &Source::library().await).await.to_string();
    assert!(refused.contains("table public.t has rows") && refused.contains("tenantry adopt"), "{refused}");
}
