//! The suite on a server, and what only servers have.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_core::{Code, Refusal};
use tenantry_resource::{
    directory::{DirectoryError, MemoryUsers, Person},
    within,
};
use tenantry_test::resources::{
    World,
    directory::{Application, directory, local},
};

use super::slapd::{Door, Slapd};

/// Two tenants whose people are on a server.
pub(super) struct Two {
    pub(super) world: World,
    pub(super) application: Application,
}

impl Two {
    pub(super) async fn on(slapd: &Slapd, servers_max: usize) -> Self {
        let world = World::new().await;
        let application = Application::new(&world, local(Arc::new(MemoryUsers::new())), servers_max);
        let two = Self { world, application };
        for company in ["acme", "globex"] {
            two.set(company, &slapd.settings(company)).await;
        }
        two
    }

    pub(super) async fn set(&self, company: &str, changes: &[(&str, Value)]) {
        self.application.set(&self.world, company, changes).await.unwrap();
    }

    pub(super) async fn sign_in(
        &self,
        company: &str,
        user: &str,
        password: &str,
    ) -> Result<Option<Person>, DirectoryError> {
        within(self.world.scope(company), self.application.directory.sign_in(user, password)).await
    }

    /// Whether the right password is accepted, and the other company's is not.
    pub(super) async fn works(&self, company: &str) {
        let other = if company == "acme" { "globex" } else { "acme" };
        let right = self.sign_in(company, "ann", &format!("ann at {company}")).await.unwrap();
        assert!(right.is_some());
        assert_eq!(self.sign_in(company, "ann", &format!("ann at {other}")).await.unwrap(), None);
    }

    pub(super) async fn fails(&self, company: &str) -> DirectoryError {
        self.sign_in(company, "ann", &format!("ann at {company}")).await.unwrap_err()
    }
}

#[tokio::test]
async fn a_server_by_starttls() {
    let two = Two::on(&Slapd::shared(), 10).await;
    directory(&two.world, &two.application.directory).await;
}

#[tokio::test]
async fn a_server_by_ldaps() {
    let slapd = Slapd::shared();
    let two = Two::on(&slapd, 10).await;
    for company in ["acme", "globex"] {
        // The authority as text this time.
        let ca = std::fs::read_to_string(&slapd.ca).unwrap();
        two.set(company, &[("url", json!(slapd.ldaps)), ("ca", json!(ca))]).await;
    }
    directory(&two.world, &two.application.directory).await;
}

#[tokio::test]
async fn a_server_that_is_dropped_for_another_and_connected_to_again() {
    let two = Two::on(&Slapd::shared(), 1).await;
    for _ in 0..3 {
        two.works("acme").await;
        two.works("globex").await;
    }
}

#[tokio::test]
async fn one_tenant_on_a_server_and_one_with_local_users() {
    let two = Two::on(&Slapd::shared(), 10).await;
    two.set("globex", &[("url", json!(""))]).await;
    two.works("acme").await;
    assert_eq!(two.sign_in("globex", "ann", "ann at globex").await.unwrap(), None, "there are no local users");
    let users = two.application.directory.local().current();
    assert!(users.is_err(), "without a scope");
    let scope = two.world.scope("globex");
    let local = two.application.directory.local().clone();
    within(scope, async { local.current().unwrap().add(Person::new("ann"), "local").await.unwrap() }).await;
    assert!(two.sign_in("globex", "ann", "local").await.unwrap().is_some());
    assert_eq!(two.sign_in("acme", "ann", "local").await.unwrap(), None);
}

#[tokio::test]
async fn a_change_of_the_settings_holds_for_the_next_call() {
    let two = Two::on(&Slapd::shared(), 10).await;
    two.works("acme").await;
    two.set("acme", &[("roles", json!({ "admins": "root" }))]).await;
    let ann = two.sign_in("acme", "ann", "ann at acme").await.unwrap().unwrap();
    assert_eq!(ann.roles, ["root"]);
    two.set("acme", &[("bind_password", json!("hush"))]).await;
    let refused = two.fails("acme").await;
    assert!(
        matches!(&refused, DirectoryError::Misconfigured { reason, .. } if reason.contains("bind_password")),
        "{refused}"
    );
    assert!(!format!("{refused} {refused:?}").contains("hush"));
    two.set("acme", &[("bind_password", json!("search at acme"))]).await;
    two.works("acme").await;
}

#[tokio::test]
async fn the_other_companys_account_sees_nobody_here() {
    let two = Two::on(&Slapd::shared(), 10).await;
    let account = [("bind_dn", json!("cn=search,dc=globex,dc=test")), ("bind_password", json!("search at globex"))];
    two.set("acme", &account).await;
    let refused = two.fails("acme").await;
    assert_eq!(Refusal::from(refused).code(), Code::DirectoryMisconfigured);
    two.works("globex").await;
}

#[tokio::test]
async fn a_login_name_that_means_two_people_signs_neither_in() {
    let two = Two::on(&Slapd::shared(), 10).await;
    let refused = two.sign_in("acme", "twin", "twin at acme").await.unwrap_err();
    assert!(refused.to_string().contains("several entries"), "{refused}");
    // Others go on at once.
    two.works("acme").await;
}

#[tokio::test]
async fn too_many_groups_are_an_error_and_not_fewer_roles() {
    let two = Two::on(&Slapd::shared(), 10).await;
    two.set("acme", &[("groups_max", json!(1))]).await;
    let refused = two.fails("acme").await.to_string();
    assert!(refused.contains("groups_max allows, 1"), "{refused}");
    assert!(two.sign_in("acme", "bob", "bob at acme").await.unwrap().is_some(), "he is in one group");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_believed() {
    let (slapd, other) = (Slapd::shared(), Slapd::own());
    let two = Two::on(&slapd, 10).await;
    for url in [&slapd.url, &slapd.ldaps] {
        two.set("acme", &[("url", json!(url)), ("ca", json!(other.ca))]).await;
        let refused = two.fails("acme").await;
        assert!(matches!(refused, DirectoryError::Unavailable { .. }), "{refused}");
        // A name that the certificate does not have.
        let elsewhere = url.replace("localhost", "127.0.0.2");
        two.set("acme", &[("url", json!(elsewhere)), ("ca", json!(slapd.ca))]).await;
        assert!(matches!(two.fails("acme").await, DirectoryError::Unavailable { .. }));
    }
    two.works("globex").await;
}

#[tokio::test]
async fn connections_are_bounded_kept_and_closed_when_nobody_uses_them() {
    let slapd = Slapd::shared();
    let door = Door::to(&slapd.url).await;
    let two = Two::on(&slapd, 10).await;
    two.set("acme", &[("url", json!(door.url)), ("connections_max", json!(2)), ("idle_ms", json!(2000))]).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let directory = two.application.directory.clone();
        let scope = two.world.scope("acme");
        asked.spawn(within(scope, async move { directory.sign_in("ann", "ann at acme").await }));
    }
    while let Some(person) = asked.join_next().await {
        assert!(person.unwrap().unwrap().is_some());
    }
    assert!(door.most() <= 2, "{}", door.most());
    assert!(door.all() <= 2, "they are used again: {}", door.all());
    two.set("acme", &[("idle_ms", json!(20))]).await;
    two.works("acme").await;
    // Those of before are gone with the settings, and this one after a while.
    while door.open() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    two.works("acme").await;
}

#[tokio::test]
async fn what_is_given_up_is_closed_and_connected_to_again() {
    let slapd = Slapd::shared();
    let door = Door::to(&slapd.url).await;
    let two = Two::on(&slapd, 10).await;
    two.set("acme", &[("url", json!(door.url)), ("idle_ms", json!(3_600_000))]).await;
    two.works("acme").await;
    let before = door.open();
    assert!(before > 0, "it is kept");
    two.application.directory.evict(two.world.scope("globex").id());
    two.works("acme").await;
    assert_eq!(door.open(), before, "it is another's");
    two.application.directory.evict(two.world.scope("acme").id());
    while door.open() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    two.works("acme").await;
}

#[tokio::test]
async fn whoever_does_not_fit_is_told_which_limit_it_is() {
    let slapd = Slapd::own();
    let two = Two::on(&slapd, 10).await;
    let limits = [("connections_max", json!(1)), ("waiters_max", json!(0)), ("operation_timeout_ms", json!(60_000))];
    two.set("acme", &limits).await;
    two.works("acme").await;
    slapd.signal("-STOP");
    let directory = two.application.directory.clone();
    let scope = two.world.scope("acme");
    let mut waits = Box::pin(within(scope, async move { directory.sign_in("ann", "ann at acme").await }));
    assert!(polled(&mut waits).await.is_none(), "the server says nothing");
    let refused = two.fails("acme").await;
    assert!(refused.to_string().contains("waiters_max allows 0"), "{refused}");
    assert_eq!(Refusal::from(refused).code(), Code::DirectoryBusy);
    slapd.signal("-CONT");
    assert!(waits.await.unwrap().is_some());
}

/// Polls once.
async fn polled<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|cx| match std::pin::Pin::new(&mut *future).poll(cx) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}
