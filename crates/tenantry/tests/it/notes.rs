//! The notes application's own suite, for each tenant, as a browser sees it.

use notes_suite::check_all;

use crate::deployment::Deployment;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_holds_for_each_tenant_by_path() {
    let deployment = Deployment::start().await;
    let (acme, globex) = (deployment.by_path("acme"), deployment.by_path("globex"));
    let (first, second) = tokio::join!(check_all(&acme), check_all(&globex));
    first.unwrap();
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_holds_for_each_tenant_by_host() {
    let deployment = Deployment::start().await;
    let (acme, globex) = (deployment.by_host("acme"), deployment.by_host("globex"));
    let (first, second) = tokio::join!(check_all(&acme), check_all(&globex));
    first.unwrap();
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_holds_for_tenants_that_share_tables() {
    let deployment = Deployment::start_shared().await;
    let (acme, globex) = (deployment.by_path("acme"), deployment.by_host("globex"));
    let (first, second) = tokio::join!(check_all(&acme), check_all(&globex));
    first.unwrap();
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_holds_for_a_mixed_fleet() {
    let deployment = Deployment::start_mixed().await;
    let sites = ["acme", "globex", "initech", "hooli"].map(|slug| deployment.by_host(slug));
    let [acme, globex, initech, hooli] = &sites;
    let done = tokio::join!(check_all(acme), check_all(globex), check_all(initech), check_all(hooli));
    done.0.unwrap();
    done.1.unwrap();
    done.2.unwrap();
    done.3.unwrap();
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_holds_on_postgres_for_shared_tables_and_for_a_database_of_ones_own() {
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

    let mut database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let role = database.role("app").await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    // For the tenant with a database of its own.
    let grants = format!("ALTER ROLE {0}_owner CREATEDB; GRANT {1} TO {0}_owner", database.name(), role.name);
    admin.execute(AssertSqlSafe(grants)).await.unwrap();
    {
        let deployment = Deployment::start_on_postgres(&role.url, database.url()).await;
        let (acme, globex, initech) =
            (deployment.by_path("acme"), deployment.by_host("globex"), deployment.by_host("initech"));
        let done = tokio::join!(check_all(&acme), check_all(&globex), check_all(&initech));
        done.0.unwrap();
        done.1.unwrap();
        done.2.unwrap();
    }
    let text = "SELECT count(DISTINCT _tenant) FROM tenantry_shared.notes";
    let sharing: i64 = sqlx::query_scalar(text).fetch_one(&mut admin).await.unwrap();
    assert_eq!(sharing, 2, "two tenants have notes on the shared tables");
}
