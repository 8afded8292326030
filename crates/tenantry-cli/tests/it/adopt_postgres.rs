//! Instances become tenants whose rows are on a PostgreSQL server.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use tenantry::{ScopedPool, config::Config};
use tenantry_test::server::TestDatabase;

use crate::Home;

/// The database that tenants share, and where commands find it.
struct Target {
    home: Home,
    database: TestDatabase,
}

impl Target {
    async fn new() -> Self {
        let mut database = TestDatabase::new().await.unwrap();
        let application = database.role("app").await.unwrap().url;
        let home = Home::new();
        let toml = format!("[database]\nurl = \"{}\"\napplication_url = \"{application}\"", database.url());
        home.write("tenantry.toml", &toml);
        Self { home, database }
    }

    /// What the application does at its start.
    async fn migrate(&self) {
        let config = Config::load(self.home.path("tenantry.toml")).unwrap();
        let pool = ScopedPool::postgres(config.postgres_options().unwrap().unwrap(), None);
        pool.migrate(&sqlx::migrate!("../../examples/notes/migrations/postgres")).await.unwrap();
    }

    /// How many rows there are for each tenant, in the order of their creation.
    async fn titles(&self) -> Vec<String> {
        let mut admin = PgConnection::connect(&self.database.admin_url()).await.unwrap();
        let text =
            "SELECT string_agg(title, ', ' ORDER BY id) FROM tenantry_shared.notes GROUP BY _tenant ORDER BY _tenant";
        sqlx::query_scalar(text).fetch_all(&mut admin).await.unwrap()
    }

    fn show(&self, line: &str) -> String {
        self.home.show(&self.home.run(line))
    }
}

const ROWS: &str = "
    INSERT INTO users (email, name, password_hash) VALUES ('ada@acme', 'Ada', 'x');
    INSERT INTO notes (user_id, title) VALUES (1, 'one'), (1, 'two');
    INSERT INTO settings (id, site_title) VALUES (1, 'acme')";

async fn instance() -> TestDatabase {
    let database = TestDatabase::new().await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::migrate!("../../examples/notes/migrations/postgres").run(&mut connection).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_on_a_server_and_in_a_file_become_tenants() {
    let (target, source) = (Target::new().await, instance().await);
    let url = source.url();
    let refused = target.show(&format!("adopt acme --from {url}"));
    assert!(
        refused.contains("error[schema_differs]: the shared database has no tables yet; start the application"),
        "{refused}"
    );
    let planned = target.show(&format!("plan {url}"));
    assert!(planned.starts_with("exit 3") && planned.contains("the shared database has no tables yet"), "{planned}");
    target.migrate().await;
    let planned = target.show(&format!("plan {url}"));
    assert!(planned.starts_with("exit 0") && planned.ends_with("it can be adopted now\n"), "{planned}");
    let adopted = target.show(&format!("adopt acme --from {url}"));
    assert!(adopted.starts_with("exit 0") && adopted.contains("acme has the 4 rows of postgres://"), "{adopted}");
    assert!(adopted.contains(", and is active") && adopted.contains("notes        2     [sum]"), "{adopted}");
    let again = target.show(&format!("adopt acme --from {url}"));
    assert!(again.contains("acme had the 4 rows of postgres://"), "{again}");

    let file = SqliteConnectOptions::new().filename(target.home.path("notes.db")).create_if_missing(true);
    let mut file: SqliteConnection = file.connect().await.unwrap();
    sqlx::migrate!("../../examples/notes/migrations/sqlite").run(&mut file).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
    assert!(target.show("plan notes.db").starts_with("exit 0"));
    target.home.step("tenant create globex");
    let adopted = target.show("adopt globex --from notes.db");
    assert!(adopted.contains("globex has the 4 rows of notes.db, and is active"), "{adopted}");
    assert_eq!(target.titles().await, ["one, two", "one, two"]);

    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("UPDATE notes SET title = 'changed'").execute(&mut connection).await.unwrap();
    let refused = target.show(&format!("adopt acme --from {url}"));
    assert!(refused.contains("error[tenant_used]: tenant acme was adopted from postgres://"), "{refused}");
    for shown in [planned, adopted, again, refused] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_tenant_on_a_server() {
    let (target, source) = (Target::new().await, instance().await);
    target.migrate().await;
    let mut connection = PgConnection::connect(source.url()).await.unwrap();
    let change = "ALTER TABLE tags ADD colour text; UPDATE notes SET title = 'x'";
    sqlx::raw_sql(AssertSqlSafe(change)).execute(&mut connection).await.unwrap();
    let refused = target.show(&format!("adopt acme --from {}", source.url()));
    assert!(refused.contains("error[schema_differs]: the schema of the source differs"), "{refused}");
    let planned = target.show(&format!("plan {}", source.url()));
    assert!(
        planned.starts_with("exit 3") && planned.contains("only the instance has: column colour text"),
        "{planned}"
    );
    for (from, says) in [
        ("postgres://ann:hush@127.0.0.1:1/notes", "error[source]: postgres://ann@127.0.0.1:1/notes cannot be reached"),
        ("postgres://ann:hu/sh@db/notes", "error[usage]: the URL is not like postgres://"),
        (
            "postgres://ann@db/notes?pasword=hush",
            "error[usage]: the URL has the parameter \"pasword\", which is not known",
        ),
        ("missing.db", "error[source]: missing.db does not exist"),
    ] {
        let refused = target.show(&format!("adopt acme --from {from}"));
        assert!(refused.contains(says) && !refused.contains("hush") && !refused.contains("hu/sh"), "{refused}");
    }
    let own = target.show(&format!("adopt initech --placement dedicated --from {}", source.url()));
    assert!(own.contains("error[own_database]") && own.contains("tenant create initech"), "{own}");
    let tenants = target.show("tenant list");
    assert!(!tenants.contains("acme") && !tenants.contains("initech"), "{tenants}");
    target.home.step("tenant create initech --placement dedicated --suspended");
    let own = target.show(&format!("adopt initech --from {}", source.url()));
    assert!(own.contains("error[own_database]") && own.contains("pg_dump"), "{own}");
}

#[test]
fn an_instance_on_a_server_does_not_go_into_a_file() {
    let home = Home::new();
    let refused = home.show(&home.run("adopt acme --from postgres://ann:hush@db/notes"));
    assert!(
        refused.contains("error[usage]: an instance on PostgreSQL can become a tenant on PostgreSQL only"),
        "{refused}"
    );
}
