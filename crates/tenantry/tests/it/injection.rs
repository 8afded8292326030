//! SQL injection: what gets into a statement reaches at most the rows of the tenant in whose scope it runs.

use axum::{
    Router,
    body::Body,
    extract::{Query, State},
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::BodyExt;
use notes_suite::people;
use sqlx::{AssertSqlSafe, Row, Sqlite, TypeInfo, ValueRef};
use tenantry::{Front, ScopedPool, Tenancy, within};
use tower::ServiceExt;

use crate::{
    deployment::{Deployment, config},
    setup::{migrator, register, scope},
};

/// What is typed into a search box, by people who mean harm.
const PAYLOADS: &[&str] = &[
    "'",
    "' OR '1'='1",
    "' OR 1=1 --",
    "' OR 1=1 /*",
    "%' OR 1=1 OR title LIKE '%",
    "' UNION SELECT title FROM notes --",
    "' UNION ALL SELECT body FROM main.notes --",
    "' UNION SELECT title FROM \"main\".\"notes\" AS n WHERE n.\"_tenant\" = 2 --",
    "' UNION SELECT title FROM notes WHERE _tenant IS NOT NULL --",
    "' UNION SELECT title FROM notes WHERE [_tenant] <> 0 --",
    "' UNION SELECT password FROM users --",
    "' UNION SELECT group_concat(password) FROM (SELECT * FROM users UNION SELECT * FROM users) --",
    "' UNION SELECT sql FROM sqlite_master --",
    "' UNION SELECT sql FROM sqlite_schema UNION SELECT tbl_name FROM sqlite_temp_master --",
    "' UNION SELECT name FROM pragma_table_info('notes') --",
    "' UNION SELECT file FROM pragma_database_list --",
    "' UNION SELECT id FROM _tenantry_tenants --",
    "' UNION SELECT stat FROM sqlite_stat1 --",
    "' UNION SELECT load_extension('evil') --",
    "' UNION SELECT readfile('/etc/passwd') --",
    "' UNION SELECT hex(_tenantry_next_id(1)) --",
    "' AND (SELECT count(*) FROM notes) > 3 --",
    "' AND 1 = (SELECT CASE WHEN (SELECT max(id) FROM users) > 1 THEN abs(-9223372036854775807 - 1) END) --",
    "' AND 1 IN notes --",
    "' AND EXISTS (WITH notes AS (SELECT * FROM main.notes) SELECT 1 FROM notes WHERE title LIKE 'Globex%') --",
    "'; DROP TABLE notes; --",
    "'; DELETE FROM notes; --",
    "'; UPDATE users SET password = 'x'; --",
    "'; ATTACH DATABASE '/tmp/stolen.db' AS stolen; --",
    "'; PRAGMA writable_schema = 1; --",
    "'; VACUUM INTO '/tmp/stolen.db'; --",
    "'; INSERT INTO notes (title, body, _tenant) VALUES ('x', 'y', 2); --",
    "' UNION SELECT title FROM notes NOT INDEXED --",
    "' UNION SELECT n.title FROM notes n FULL JOIN notes m ON 0 --",
    "' UNION VALUES ((SELECT title FROM notes ORDER BY rowid DESC)) --",
    "' UNION SELECT title FROM notes GROUP BY title HAVING (SELECT count(*) FROM users) > 0 --",
    "' UNION SELECT ?1 || ?2 || ?3 --",
    "' UNION SELECT randomblob(100000000000) --",
];

/// What only globex has.
const SECRET: &str = "Globex-Secret";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_box_of_the_notes_application_finds_ones_own_notes() {
    let deployment = Deployment::start_shared().await;
    let (acme, globex) = (deployment.by_path("acme"), deployment.by_path("globex"));
    let mut browser = people::admin(&globex).await.unwrap();
    browser.click("New note").await.unwrap();
    browser.submit("#note", &[("title", SECRET), ("body", SECRET)]).await.unwrap();
    let mut browser = people::admin(&acme).await.unwrap();
    for payload in PAYLOADS {
        browser.click("Search").await.unwrap();
        let page = browser.submit("#search", &[("q", payload)]).await.unwrap();
        page.expect_status(StatusCode::OK).unwrap();
        assert!(!page.source().contains(SECRET), "{payload}: {}", page.source());
    }
}

/// A search that puts its statement together from what it is given.
async fn search(State(db): State<ScopedPool<Sqlite>>, Query(asked): Query<Vec<(String, String)>>) -> Response {
    let text = format!("SELECT title FROM notes WHERE title LIKE '%{}%'", asked[0].1);
    match sqlx::query(AssertSqlSafe(text)).fetch_all(&db).await {
        Ok(rows) => {
            let value = |row: &sqlx::sqlite::SqliteRow| {
                let raw = row.try_get_raw(0).unwrap();
                format!(
                    "{}: {:?}",
                    raw.type_info().name(),
                    row.try_get_unchecked::<Vec<u8>, _>(0).map(String::from_utf8)
                )
            };
            rows.iter().map(value).collect::<Vec<_>>().join("\n").into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

struct Careless {
    tenancy: Tenancy,
    db: ScopedPool<Sqlite>,
    front: Front<Router>,
    _folder: tempfile::TempDir,
}

impl Careless {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenancy = Tenancy::with(config(folder.path())).await.unwrap();
        let db = tenancy.sqlite();
        let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT);
                      CREATE TABLE users (id INTEGER PRIMARY KEY, password TEXT NOT NULL);";
        db.migrate(&migrator(schema)).await.unwrap();
        register(&tenancy, &["acme", "globex"]).await;
        let front = tenancy.wrap(Router::new().route("/search", get(search)).with_state(db.clone()));
        let careless = Self { tenancy, db, front, _folder: folder };
        for (slug, word) in [("acme", "Acme-Own"), ("globex", SECRET)] {
            within(scope(&careless.tenancy, slug), async {
                for id in 1..=5 {
                    let insert = sqlx::query("INSERT INTO notes (title, body) VALUES (? || ' ' || ?, ?)");
                    insert.bind(word).bind(id).bind(word).execute(&careless.db).await.unwrap();
                    sqlx::query("INSERT INTO users (password) VALUES (?)")
                        .bind(word)
                        .execute(&careless.db)
                        .await
                        .unwrap();
                }
            })
            .await;
        }
        careless
    }

    async fn ask(&self, payload: &str) -> (StatusCode, String) {
        let encoded: String = payload.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let request = Request::get(format!("/t/acme/search?q={encoded}")).body(Body::empty()).unwrap();
        let response = self.front.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// All that a tenant has.
    async fn rows(&self, slug: &str) -> Vec<(i64, String)> {
        let all =
            "SELECT id, title || coalesce(body, '') FROM notes UNION ALL SELECT id, password FROM users ORDER BY 1, 2";
        within(scope(&self.tenancy, slug), sqlx::query_as(all).fetch_all(&self.db)).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_injected_reaches_the_tenants_own_rows_at_most() {
    let careless = Careless::start().await;
    let before = (careless.rows("acme").await, careless.rows("globex").await);
    for payload in PAYLOADS {
        let (_, answer) = careless.ask(payload).await;
        assert!(!answer.contains(SECRET) && !answer.contains("globex"), "{payload}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains(".db"), "{payload}: {answer}");
    }
    assert_eq!((careless.rows("acme").await, careless.rows("globex").await), before);
}

#[tokio::test]
async fn the_injection_is_real_and_stays_within_the_tenant() {
    let careless = Careless::start().await;
    for (payload, own) in [("' OR 1=1 --", 5), ("nothing' UNION ALL SELECT password FROM users --", 5), ("nothing", 0)]
    {
        let (status, answer) = careless.ask(payload).await;
        assert_eq!((status, answer.matches("Acme-Own").count()), (StatusCode::OK, own), "{payload}: {answer}");
    }
    // It is told how its schema looks to the application, and not how it is stored.
    let (status, answer) = careless.ask("nothing' UNION SELECT sql FROM sqlite_master --").await;
    assert!(
        status == StatusCode::OK && answer.contains("CREATE TABLE notes") && !answer.contains("_tenant"),
        "{answer}"
    );
    // Whether a condition holds among others' rows cannot be told either.
    let (_, none) = careless.ask("' AND (SELECT count(*) FROM notes) > 5 --").await;
    let (_, some) = careless.ask("' AND (SELECT count(*) FROM notes) > 4 --").await;
    assert!(none.is_empty() && some.contains("Acme-Own"), "{none} {some}");
}
