//! Trials that are made ahead, so that one is ready at once.

use std::{collections::HashSet, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use futures_util::future::join_all;
use serde_json::Value;
use tenantry::{Front, NewTenant, Slug, Status, Tenancy};
use tower::ServiceExt;

use super::{made, sign_in, start, status, text, until, with_template};
use crate::deployment::{Deployment, config, converted};

/// A server of the same deployment as `deployment`, which makes trials ahead.
async fn with_warm(deployment: &Deployment, warm: u32) -> (Tenancy, Front<Router>) {
    let mut config = config(&deployment.folder);
    with_template(&mut config);
    config.trial.warm = warm;
    let tenancy = Tenancy::with(config).await.unwrap();
    let app = converted(&tenancy).await.unwrap();
    let front = tenancy.wrap(app).entrance(sign_in()).apex(tenancy.trials().unwrap().router());
    (tenancy, front)
}

async fn until_warm(tenancy: &Tenancy, count: usize) -> HashSet<i64> {
    until(async || {
        let mut warm = made(tenancy, "warm-").await;
        warm.retain(|tenant| tenant.status == Status::Suspended);
        (warm.len() == count).then(|| warm.iter().map(|tenant| tenant.id.get()).collect())
    })
    .await
}

async fn ask_front(front: &Front<Router>) -> Value {
    let request = Request::post("/try").header("accept", "application/json").body(Body::empty()).unwrap();
    let answer = front.clone().oneshot(request).await.unwrap();
    serde_json::from_str(&text(answer).await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_ahead_is_given_out_and_survives_its_server() {
    let deployment = start(|_| {}).await;
    let (tenancy, front) = with_warm(&deployment, 2).await;
    let first = until_warm(&tenancy, 2).await;
    let waiting = made(&tenancy, "warm-").await.remove(0).slug;
    deployment.tenancy.refresh().await.unwrap();
    assert_eq!(status(&deployment, &format!("/t/{waiting}/")).await, "403", "nobody gets in before it is given out");

    let given = ask_front(&front).await;
    let slug: Slug = given["slug"].as_str().unwrap().parse().unwrap();
    let trial = tenancy.catalog().by_slug(&slug).await.unwrap().unwrap();
    assert!(first.contains(&trial.id.get()) && slug.as_str().starts_with("try-"), "{trial:?}");
    assert!(trial.aliases.is_empty() && trial.expires_at.is_some() && trial.status == Status::Active, "{trial:?}");
    let answer = front.clone().oneshot(Request::get(given["url"].as_str().unwrap()).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.unwrap().status(), StatusCode::SEE_OTHER);
    let second = until_warm(&tenancy, 2).await;
    assert_eq!(second.intersection(&first).count(), 1, "another one was made");

    // The server is gone, whatever it was doing; the next one gives out what it has left.
    drop((tenancy, front));
    let (tenancy, front) = with_warm(&deployment, 2).await;
    assert_eq!(until_warm(&tenancy, 2).await, second);
    let given = ask_front(&front).await;
    let trial = tenancy.catalog().by_slug(&given["slug"].as_str().unwrap().parse().unwrap()).await.unwrap().unwrap();
    assert!(second.contains(&trial.id.get()));
    until_warm(&tenancy, 2).await;

    // And one that makes none ahead leaves none.
    drop((tenancy, front));
    let (tenancy, front) = with_warm(&deployment, 0).await;
    until_warm(&tenancy, 0).await;
    assert!(made(&tenancy, "warm-").await.iter().all(|tenant| tenant.status == Status::Deleting));
    assert!(ask_front(&front).await["slug"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_ahead_and_has_become_a_customer_is_not_given_out() {
    let deployment = start(|_| {}).await;
    let (tenancy, front) = with_warm(&deployment, 1).await;
    until_warm(&tenancy, 1).await;
    let customer = made(&tenancy, "warm-").await.remove(0);
    let control = tenancy.control().await.unwrap();
    control.promote(&customer.slug, &"default".parse().unwrap()).await.unwrap();
    tenancy.refresh().await.unwrap();
    for _ in 0..2 {
        assert!(ask_front(&front).await["slug"].is_string());
        until_warm(&tenancy, 2).await;
    }
    let kept = tenancy.catalog().by_id(customer.id).await.unwrap().unwrap();
    assert_eq!((kept.slug, kept.status), (customer.slug, Status::Suspended));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_never_give_out_the_same() {
    let deployment = start(|_| {}).await;
    let (one, front) = with_warm(&deployment, 2).await;
    let (_other, other_front) = with_warm(&deployment, 2).await;
    until(async || (made(&one, "warm-").await.len() >= 2).then_some(())).await;
    let (ours, theirs) =
        tokio::join!(join_all((0..3).map(|_| ask_front(&front))), join_all((0..3).map(|_| ask_front(&other_front))));
    let slugs: HashSet<_> =
        ours.iter().chain(&theirs).map(|given| given["slug"].as_str().unwrap().to_owned()).collect();
    assert_eq!(slugs.len(), 6);
    let ids: HashSet<_> = made(&one, "try-").await.iter().map(|tenant| tenant.id).collect();
    assert_eq!(ids.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_was_making_is_finished_or_gone() {
    let deployment = start(|_| {}).await;
    let tenancy = &deployment.tenancy;
    let control = tenancy.control().await.unwrap().with_lease(Duration::from_millis(1));
    for (letter, micros) in [('a', 1), ('b', 500), ('c', 3_000), ('d', 10_000), ('e', 30_000)] {
        let mut new = NewTenant::new(format!("warm-{}", letter.to_string().repeat(16)).parse().unwrap());
        (new.status, new.trial) = (Status::Suspended, true);
        // Whatever it has got to by then.
        drop(tokio::time::timeout(Duration::from_micros(micros), control.create_from(&template(), new)).await);
    }
    until(async || {
        control.recover().await.unwrap();
        let left = made(tenancy, "warm-").await;
        left.iter().all(|tenant| tenant.status != Status::Provisioning).then_some(())
    })
    .await;
    let (tenancy, front) = with_warm(&deployment, 1).await;
    until_warm(&tenancy, 1).await;
    let given = ask_front(&front).await;
    let entered = Request::get(given["url"].as_str().unwrap()).body(Body::empty()).unwrap();
    assert_eq!(front.oneshot(entered).await.unwrap().status(), StatusCode::SEE_OTHER, "and what is given out is whole");
}

fn template() -> Slug {
    "template".parse().unwrap()
}
