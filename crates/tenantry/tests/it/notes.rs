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
