//! Texts that the database does not take.

use notes_suite::{Method, StatusCode, people};
use serde_json::json;

use crate::running::Running;

#[tokio::test]
async fn a_character_that_cannot_be_stored_is_the_clients_fault() {
    let running = Running::start().await;
    let (mut browser, _) = people::member(&running.site, "Vandal").await.unwrap();
    let note = json!({ "title": "nothing\0", "body": "", "tags": [] });
    let answer = browser.api(Method::POST, "api/notes", Some(&note)).await.unwrap();
    answer.expect_status(StatusCode::UNPROCESSABLE_ENTITY).unwrap();
    let search = running.site.base.join("search?q=%00").unwrap();
    let page = browser.load(&search).await.unwrap();
    page.expect_status(StatusCode::UNPROCESSABLE_ENTITY).unwrap();
}
