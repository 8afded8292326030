//! What the converted application answers when it is refused something: what its own people understand.

use std::num::NonZeroU32;

use notes_suite::{
    Method, StatusCode,
    checks::{attachments, digests, writing},
    people,
};

use crate::{deployment::Deployment, setup::scope};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_said_to_be_full_for_now_and_is_its_own_tenants_alone() {
    let change = |config: &mut tenantry::config::Config| {
        config.plans.get_mut("default").unwrap().jobs_max = NonZeroU32::new(1);
    };
    let deployment = Deployment::start_shared_with(change).await;
    let tenancy = &deployment.tenancy;
    // One that cannot be run, and is kept as a dead letter.
    let queue = tenancy.jobs().await.unwrap().queue::<String>("digests");
    let acme = scope(tenancy, "acme");
    tenantry::within(acme, queue.enqueue(&"not a digest".to_owned())).await.unwrap();

    let mut admin = people::admin(&deployment.by_path("acme")).await.unwrap();
    admin.click("Digests").await.unwrap();
    let page = admin.submit("#digest-now", &[]).await.unwrap();
    page.expect_status(StatusCode::SERVICE_UNAVAILABLE).unwrap();
    assert!(page.source().contains("No digest can be ordered right now."), "{}", page.source());
    assert!(page.header("retry-after").is_some());
    let mut other = people::admin(&deployment.by_path("globex")).await.unwrap();
    digests::order(&mut other).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_larger_than_a_request_may_be_is_said_to_be_too_large() {
    let change = |config: &mut tenantry::config::Config| {
        config.plans.get_mut("default").unwrap().body_bytes_max = None;
    };
    let deployment = Deployment::start_shared_with(change).await;
    let (mut browser, _) = people::member(&deployment.by_path("acme"), "Archivist").await.unwrap();
    let note = writing::note(&mut browser, "With a large file", "", "").await.unwrap();
    // The form around it makes it larger than the application takes.
    attachments::attach(&mut browser, "large", &"x".repeat(10 << 20)).await.unwrap();
    browser.page().unwrap().expect_status(StatusCode::PAYLOAD_TOO_LARGE).unwrap();
    browser.get(&note).await.unwrap().expect_no(".attachments li").unwrap();
    let read = browser.api(Method::GET, &format!("api{}", note.path().trim_start_matches("/t/acme")), None).await;
    assert_eq!(read.unwrap().json().unwrap()["attachments"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_without_room_is_told_so_by_an_application_that_knows_no_limit_of_rows() {
    let change = |config: &mut tenantry::config::Config| {
        config.plans.get_mut("default").unwrap().rows_max = NonZeroU32::new(60);
    };
    let deployment = Deployment::start_shared_with(change).await;
    let (mut browser, _) = people::member(&deployment.by_path("acme"), "Writer").await.unwrap();
    let mut full = false;
    for number in 0..60 {
        let page = writing::submit_note(&mut browser, &format!("Note {number}"), "", "").await.unwrap();
        full = page.expect_status(StatusCode::INSUFFICIENT_STORAGE).is_ok();
        if full {
            assert!(page.source().contains("there is no room for more entries"), "{}", page.source());
            assert!(!page.source().contains("rows_max"), "{}", page.source());
            break;
        }
    }
    assert!(full);
    let (mut other, _) = people::member(&deployment.by_path("globex"), "Writer").await.unwrap();
    writing::note(&mut other, "There is room", "", "").await.unwrap();
}
