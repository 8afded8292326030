//! Visitors who have to confirm an e-mail address first.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{http::header::SET_COOKIE, response::Redirect};
use tenantry::{entrance::SignIn, trial::Confirmation};

use super::{made, with_template};
use crate::{
    deployment::{Deployment, raw},
    setup::register,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_made_before_an_address_is_confirmed() {
    let asked: Arc<Mutex<Vec<Confirmation>>> = Arc::default();
    let sent = Arc::clone(&asked);
    let sign_in = SignIn::with(|_, visitor| async move {
        ([(SET_COOKIE, format!("who={}; Path=/", visitor.who().unwrap_or("nobody")))], Redirect::to("/"))
    });
    let deployment = Deployment::start_shared_behind(with_template, async move |tenancy, front| {
        register(tenancy, &["template"]).await;
        let trials = tenancy.trials().unwrap().confirming(move |confirmation| {
            let sent = Arc::clone(&sent);
            async move {
                if confirmation.email.starts_with("lost") {
                    return Err("the server for mail is away");
                }
                sent.lock().unwrap_or_else(PoisonError::into_inner).push(confirmation);
                Ok(())
            }
        });
        front.entrance(sign_in).apex(trials.router())
    })
    .await;
    let post = async |form: &str| {
        let request = format!(
            "POST /try HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        );
        let answer = raw(deployment.address, &request).await;
        (answer[9..12].to_owned(), answer)
    };
    assert_eq!(post("").await.0, "400");
    assert_eq!(post("email=nobody").await.0, "400");
    let (status, answer) = post("email=lost%40example.com").await;
    assert!(status == "503" && !answer.contains("mail is away"), "{answer}");
    let (status, answer) = post("email=ann%40example.com").await;
    assert!(status == "202" && answer.contains("<strong>ann@example.com</strong>"), "{answer}");
    assert!(made(&deployment.tenancy, "try-").await.is_empty());

    let confirmation = asked.lock().unwrap().pop().unwrap();
    assert_eq!(confirmation.email, "ann@example.com");
    let token = confirmation.query.strip_prefix("?confirm=").unwrap();
    let page = raw(
        deployment.address,
        &format!("GET /try{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", confirmation.query),
    )
    .await;
    assert!(page.contains(&format!("value=\"{token}\"")), "{page}");
    assert!(made(&deployment.tenancy, "try-").await.is_empty(), "a program that follows links begins nothing");

    let changed = format!("{}00", &token[..token.len() - 2]);
    for wrong in [changed.as_str(), &token[..40], "", "x"] {
        assert_eq!(post(&format!("confirm={wrong}")).await.0, "403", "{wrong}");
    }
    let (status, answer) = post(&format!("confirm={token}")).await;
    assert_eq!(status, "303", "{answer}");
    let location = answer.split_once("location: ").unwrap().1.lines().next().unwrap();
    let entered =
        raw(deployment.address, &format!("GET {location} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            .await;
    assert!(entered.contains(".ann@example.com; Path=/t/try-"), "{entered}");
    assert_eq!(post(&format!("confirm={token}")).await.0, "403", "a link is good once");
    assert_eq!(made(&deployment.tenancy, "try-").await.len(), 1);
}
