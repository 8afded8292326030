//! The same on a server.

use std::{str::FromStr, sync::Arc};

use sea_orm::{Database, DbBackend};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tenantry_core::{Admission, Plans};
use tenantry_seaorm::ScopedDatabase;
use tenantry_sqlx::{Ids, PostgresOptions, ScopedPool};
use tenantry_test::server::TestDatabase;

use super::{ACME, GLOBEX, INITECH, PgWorld, TABLES, tenants};

/// Databases on the server.
pub(crate) struct Databases {
    shared: TestDatabase,
    _plain: TestDatabase,
}

impl PgWorld {
    /// Everybody has the same rows under the same ids.
    pub(crate) async fn new() -> Self {
        Self::unmigrated().await.migrated().await.seeded([ACME, GLOBEX, INITECH]).await
    }

    /// There are no tables.
    pub(crate) async fn unmigrated() -> Self {
        let mut shared = TestDatabase::new().await.unwrap();
        let role = shared.role("app").await.unwrap();
        // For the tenant with a database of its own.
        let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", shared.name(), role.name);
        admin(&shared).await.execute(AssertSqlSafe(grants)).await.unwrap();
        let mirror = tenants();
        let admission = Arc::new(Admission::new(Arc::clone(&mirror), Plans::default()));
        let [application, owner] = [&role.url, shared.url()].map(|url| PgConnectOptions::from_str(url).unwrap());
        let mut options = PostgresOptions::new(application, owner);
        options.numbering.insert("*".to_owned(), Ids::PerTenant);
        let pool = ScopedPool::postgres(options, Some(Arc::clone(&admission)));
        let private = TestDatabase::new().await.unwrap();
        let plain = Database::connect(private.url()).await.unwrap();
        assert_eq!(plain.get_database_backend(), DbBackend::Postgres);
        let place = Databases { shared, _plain: private };
        Self { db: ScopedDatabase::from(pool), plain, mirror, admission, place }
    }

    /// The role that owns the schema.
    pub(crate) fn owner(&self) -> PgConnectOptions {
        PgConnectOptions::from_str(self.place.shared.url()).unwrap()
    }

    /// All rows of the shared tables that are not `tenant`'s, as the server writes them.
    pub(crate) async fn others(&self, tenant: i64) -> Vec<String> {
        let mut admin = admin(&self.place.shared).await;
        let mut rows = Vec::new();
        for table in TABLES {
            let text = format!("SELECT t::text FROM tenantry_shared.\"{table}\" t WHERE _tenant <> $1 ORDER BY 1");
            let found = sqlx::query_scalar::<_, String>(AssertSqlSafe(text)).bind(tenant).fetch_all(&mut admin).await;
            rows.extend(found.unwrap());
        }
        assert!(!rows.is_empty(), "somebody else has rows");
        rows
    }
}

async fn admin(database: &TestDatabase) -> PgConnection {
    PgConnection::connect(&database.admin_url()).await.unwrap()
}
