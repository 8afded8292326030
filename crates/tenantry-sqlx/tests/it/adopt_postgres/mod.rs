//! Existing instances become tenants of shared tables on a PostgreSQL server.

mod failures;
mod instances;
mod refusals;
mod sqlite;
mod surveys;

use std::{str::FromStr, sync::Arc};

use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, postgres::PgConnectOptions};
use tenantry_core::{Admission, Mirror, Plans, Status, Tenant, TenantId};
use tenantry_resource::within;
use tenantry_sql::Name;
use tenantry_sqlx::{
    PostgresOptions, ScopedPool,
    adopt::{
        AdoptError, AdoptOptions, Adoption,
        postgres::{Instance, adopt},
    },
};
use tenantry_test::server::TestDatabase;

use crate::scoped::migrator;

pub(crate) const ACME: i64 = 41;
pub(crate) const GLOBEX: i64 = 42;

/// Three tables that refer to each other and to themselves, with columns of all kinds; one that all tenants read; and what
/// a new tenant begins with.
pub(crate) const LIBRARY: &str = r#"
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TYPE edition AS (number int, year int);
    CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
    CREATE TABLE countries (code char(2) PRIMARY KEY, name text NOT NULL);
    CREATE TABLE authors (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mentor bigint REFERENCES authors,
        country char(2) REFERENCES countries, moods mood[], born date, favourite int
    );
    CREATE UNIQUE INDEX authors_by_name ON authors (lower(name));
    CREATE TABLE "Books" (
        id serial PRIMARY KEY, author bigint NOT NULL REFERENCES authors ON DELETE CASCADE, "The title" varchar(80) NOT NULL,
        tags text[] NOT NULL DEFAULT '{}', meta jsonb, raw json, cover bytea, price numeric(12,4), score float8, light float4,
        made timestamptz, local timestamp, took interval, mood mood, sold percent, editions edition[], span int4range,
        ident uuid, bits bit varying(9), kind regclass, about tsvector, at inet, spot point, cost money, doc xml,
        words int GENERATED ALWAYS AS (cardinality(tags)) STORED, CHECK (price >= 0)
    );
    ALTER TABLE authors ADD FOREIGN KEY (favourite) REFERENCES "Books" DEFERRABLE;
    CREATE TABLE loans (book int NOT NULL REFERENCES "Books" ON DELETE CASCADE, day date, note char(5), PRIMARY KEY (book, day));
    CREATE TABLE settings (id int PRIMARY KEY CHECK (id = 1), title text NOT NULL);
    INSERT INTO settings VALUES (1, 'new');
    CREATE VIEW titles AS SELECT b.id, b."The title" AS title, a.name FROM "Books" b JOIN authors a ON a.id = b.author;
"#;

/// Rows of an instance in use, with those from migrations changed.
const IN_USE: &str = r#"
    INSERT INTO countries VALUES ('at', 'Austria'), ('ch', 'Schweiz');
    INSERT INTO authors (name, mentor, country, moods, born) VALUES
        ('Zoë "☕" O''Neil\', 2, 'at', '{glad,sad,NULL}', '4713-01-01 BC'), ('安部 公房', 1, NULL, '{}', 'infinity'),
        (E'tab\tnew\nline\\.', NULL, 'ch', NULL, '2024-02-29'), ('gone', 3, NULL, NULL, NULL);
    DELETE FROM authors WHERE name = 'gone';
    INSERT INTO "Books" (author, "The title", tags, meta, raw, cover, price, score, light, made, local, took, mood, sold, editions,
                         span, ident, bits, kind, about, at, spot, cost, doc) VALUES
        (1, 'One', '{"a,b","\"q\"",NULL,"",NULL}', '{"x": [1, null, 1e400], "é": "\u00e9"}', '{"a" : 1,  "a": 2}', '\x00ff5c0a',
         1.5000, 0.1, 1e-20, '2020-02-29 23:59:59.999999+05:30', 'infinity', '1 year -2 mons +3 days -04:05:06.789', 'glad', 100,
         ARRAY[ROW(1, NULL)::edition, ROW(2, 1999)::edition], '[1,10)', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', B'10101',
         'authors', 'a:1A fat:2B,4C', '192.168.0.1/24', '(0.1,-2)', '-12.34', '<a>1</a>'),
        (2, '', '{}', 'null', NULL, '', 0, 'NaN', '-Infinity', '-infinity', '0001-01-01 00:00:00 BC', '00:00:00', NULL, 0,
         '{}', 'empty', NULL, B'', '"Books"', '', '::1', NULL, NULL, 'text &amp; <b/>no document'),
        (1, E'\\N', DEFAULT, NULL, NULL, NULL, NULL, 5e-324, 3.4028235e38, NULL, NULL, NULL, 'sad', NULL,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    UPDATE authors SET favourite = 2 WHERE id = 1;
    UPDATE authors SET mentor = id WHERE id = 3;
    INSERT INTO loans VALUES (1, '2024-01-01', 'ab'), (1, '2024-01-02', NULL), (3, '2024-01-01', '');
    INSERT INTO settings VALUES (1, 'old') ON CONFLICT (id) DO UPDATE SET title = 'old';
    SELECT nextval('"Books_id_seq"'), nextval('"Books_id_seq"');
"#;

/// What there is to compare, row by row.
pub(crate) const TABLES: &[&str] = &[
    "SELECT to_jsonb(a)::text FROM authors a ORDER BY id",
    "SELECT to_jsonb(b)::text FROM \"Books\" b ORDER BY id",
    "SELECT concat_ws('|', id, raw, score, light, cost, doc, spot, editions, kind) FROM \"Books\" ORDER BY id",
    "SELECT to_jsonb(l)::text FROM loans l ORDER BY book, day",
    "SELECT to_jsonb(s)::text FROM settings s",
    "SELECT to_jsonb(c)::text FROM countries c ORDER BY code",
    "SELECT to_jsonb(t)::text FROM titles t ORDER BY id",
];

/// Tenants on shared tables: acme and globex, and with a database of its own initech.
pub(crate) struct Target {
    pub(crate) pool: ScopedPool<Postgres>,
    pub(crate) options: PostgresOptions,
    admission: Arc<Admission>,
    // Dropped after the pool.
    pub(crate) database: TestDatabase,
}

impl Target {
    pub(crate) async fn new(schema: &str) -> Self {
        let target = Self::without_schema().await;
        target.pool.migrate(&migrator(&[schema])).await.unwrap();
        target
    }

    /// With the schema of the example application.
    async fn of_notes() -> Self {
        let target = Self::without_schema().await;
        target.pool.migrate(&sqlx::migrate!("../../examples/notes/migrations/postgres")).await.unwrap();
        target
    }

    async fn without_schema() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut PostgresOptions)) -> Self {
        let mut database = TestDatabase::new().await.unwrap();
        let role = database.role("app").await.unwrap();
        let [application, owner] = [&role.url, database.url()].map(|url| PgConnectOptions::from_str(url).unwrap());
        let mut options = PostgresOptions::new(application, owner);
        options.global = vec![Name::exact("countries")];
        change(&mut options);
        let tenants = [(ACME, "acme"), (GLOBEX, "globex")];
        let tenants = tenants.map(|(id, slug)| Tenant::new(TenantId::new(id), slug.parse().unwrap()));
        let admission = Arc::new(Admission::new(Arc::new(tenants.into_iter().collect::<Mirror>()), Plans::default()));
        let pool = ScopedPool::postgres(options.clone(), Some(Arc::clone(&admission)));
        Self { pool, options, admission, database }
    }

    pub(crate) async fn adopt(&self, id: i64, from: &Source) -> Result<Adoption, AdoptError> {
        adopt(&self.options, &tenant(id), &from.instance(), AdoptOptions::default()).await
    }

    /// The error by which an adoption is refused.
    async fn refused(&self, id: i64, from: &Source) -> AdoptError {
        self.adopt(id, from).await.unwrap_err()
    }

    /// Does something as a tenant.
    pub(crate) async fn as_tenant<T>(&self, id: i64, work: impl Future<Output = T>) -> T {
        within(self.admission.admit_id(TenantId::new(id)).unwrap(), work).await
    }

    /// A column of the rows that a tenant sees.
    pub(crate) async fn column(&self, id: i64, query: &str) -> Vec<String> {
        self.as_tenant(id, sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&self.pool)).await.unwrap()
    }

    pub(crate) async fn execute(&self, id: i64, statement: &str) {
        self.as_tenant(id, sqlx::query(AssertSqlSafe(statement)).execute(&self.pool)).await.unwrap();
    }

    /// All that a tenant sees.
    pub(crate) async fn all(&self, id: i64, tables: &[&str]) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for query in tables {
            all.push(self.column(id, query).await);
        }
        all
    }

    /// The server's administrator, for whom there are no walls.
    pub(crate) async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url()).await.unwrap()
    }

    /// What there is of a tenant in the database: rows, and what Tenantry remembers.
    pub(crate) async fn left(&self, id: i64) -> Vec<String> {
        let mut admin = self.admin().await;
        let text = "SELECT format('SELECT %L || count(*) FROM %s WHERE %I = %s', c.relname || ' ', c.oid::regclass, a.attname, $1) \
                    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('_tenant', 'tenant') \
                    WHERE c.relkind = 'r' AND c.relnamespace IN ('tenantry'::regnamespace, 'tenantry_shared'::regnamespace) \
                    ORDER BY c.relname";
        let counts: Vec<String> = sqlx::query_scalar(text).bind(id).fetch_all(&mut admin).await.unwrap();
        let mut left = Vec::new();
        for count in counts {
            let count: String = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut admin).await.unwrap();
            left.extend((!count.ends_with(" 0")).then_some(count));
        }
        left
    }
}

/// The database of an instance.
pub(crate) struct Source(TestDatabase);

impl Source {
    async fn new(script: &str) -> Self {
        let source = Self(TestDatabase::new().await.unwrap());
        source.run(script).await;
        source
    }

    /// A library in use.
    pub(crate) async fn library() -> Self {
        let source = Self::new(LIBRARY).await;
        source.run(IN_USE).await;
        source
    }

    pub(crate) async fn run(&self, script: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(self.0.url()).await.unwrap()
    }

    pub(crate) async fn all(&self, tables: &[&str]) -> Vec<Vec<String>> {
        let (mut connection, mut all) = (self.connect().await, Vec::new());
        for query in tables {
            all.push(sqlx::query_scalar(AssertSqlSafe(*query)).fetch_all(&mut connection).await.unwrap());
        }
        all
    }

    fn instance(&self) -> Instance {
        self.0.url().parse().unwrap()
    }
}

/// A tenant that is not served yet.
fn tenant(id: i64) -> Tenant {
    let slug = if id == ACME { "acme" } else { "globex" };
    let mut tenant = Tenant::new(TenantId::new(id), slug.parse().unwrap());
    tenant.status = Status::Provisioning;
    tenant
}
