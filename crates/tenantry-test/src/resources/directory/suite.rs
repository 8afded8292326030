//! Signing in, on whatever the tenants' settings name.

use tenantry_core::{Code, Refusal, Status};
use tenantry_resource::{
    directory::{Directory, DirectoryError, Person},
    spawn, within,
};

use super::people::{PEOPLE, password};
use crate::resources::World;

/// Runs all of it on a directory in which both tenants have [`PEOPLE`].
pub async fn directory(world: &World, directory: &Directory) {
    without_a_scope_nobody_is_asked(directory).await;
    each_tenant_accepts_its_own_passwords(world, directory).await;
    people_are_described_by_their_own_tenant(world, directory).await;
    what_is_typed_is_a_name_and_nothing_else(world, directory).await;
    no_password_signs_nobody_in(world, directory).await;
    a_new_task_is_of_the_same_tenant(world, directory).await;
    what_is_asked_at_once_is_not_mixed_up(world, directory).await;
    a_suspended_tenant_signs_nobody_in(world, directory).await;
}

async fn sign_in(world: &World, directory: &Directory, tenant: &str, user: &str, password: &str) -> Option<Person> {
    let outcome = within(world.scope(tenant), directory.sign_in(user, password)).await;
    outcome.unwrap_or_else(|error| panic!("{user:?} of {tenant}: {error}"))
}

async fn without_a_scope_nobody_is_asked(directory: &Directory) {
    let refused = directory.sign_in("ann", "ann at acme").await.unwrap_err();
    assert!(matches!(refused, DirectoryError::NoScope(_)), "{refused}");
    assert_eq!(Refusal::from(refused).code(), Code::NoScope);
    assert!(matches!(directory.find("ann").await, Err(DirectoryError::NoScope(_))));
}

async fn each_tenant_accepts_its_own_passwords(world: &World, directory: &Directory) {
    // More than once: nothing that is kept from one time to the next may change the answer.
    for _ in 0..2 {
        for (tenant, other) in [("acme", "globex"), ("globex", "acme")] {
            for (user, begins) in PEOPLE {
                let person = sign_in(world, directory, tenant, user, &password(begins, tenant)).await;
                assert_eq!(person.map(|person| person.name).as_deref(), Some(user), "of {tenant}");
                let wrong = [password(begins, other), password(begins, &tenant.to_uppercase()), "x".to_owned()];
                for wrong in wrong {
                    assert_eq!(sign_in(world, directory, tenant, user, &wrong).await, None, "{user} of {tenant}");
                }
            }
            let own = format!("only{tenant}");
            assert!(sign_in(world, directory, tenant, &own, &password(&own, tenant)).await.is_some());
            assert_eq!(sign_in(world, directory, other, &own, &password(&own, tenant)).await, None);
            assert_eq!(within(world.scope(other), directory.find(&own)).await.unwrap(), None);
        }
    }
}

async fn people_are_described_by_their_own_tenant(world: &World, directory: &Directory) {
    for (tenant, roles) in [("acme", ["admin", "writer"]), ("globex", ["reader", "writer"])] {
        let ann = sign_in(world, directory, tenant, "ann", &password("ann", tenant)).await.expect("she is there");
        assert_eq!(ann.display_name, format!("ann of {tenant}"));
        assert_eq!(ann.mail, Some(format!("ann@{tenant}.test")));
        assert_eq!(ann.roles, roles);
        assert_eq!(within(world.scope(tenant), directory.find("ann")).await.unwrap(), Some(ann));
    }
}

async fn what_is_typed_is_a_name_and_nothing_else(world: &World, directory: &Directory) {
    let long = "a".repeat(100_000);
    let names = [
        "",
        " ",
        "*",
        "a*",
        "ann*",
        "an\\6e",
        "ann\0",
        "\0",
        "ann)",
        ")(uid=*",
        "*)(uid=*))(|(uid=*",
        "ann)(|(uid=*",
        "ann)(!(userPassword=x)",
        "(&)",
        "&|!=~<>",
        "ann,ou=people,dc=acme,dc=test",
        "uid=ann",
        "{user}",
        "{dn}",
        "ann ",
        " ann",
        "ann\n",
        "аnn",
        "ann\u{200b}",
        "\u{202e}nna",
        "'; DROP TABLE users; --",
        "nobody",
        &long,
    ];
    for tenant in ["acme", "globex"] {
        for name in names {
            assert_eq!(sign_in(world, directory, tenant, name, &password("ann", tenant)).await, None, "{name:?}");
            assert_eq!(within(world.scope(tenant), directory.find(name)).await.unwrap(), None, "{name:?}");
        }
    }
}

async fn no_password_signs_nobody_in(world: &World, directory: &Directory) {
    let long = "a".repeat(100_000);
    for user in ["ann", "nobody", "", "*"] {
        for password in ["", "\0", " ", &long] {
            assert_eq!(sign_in(world, directory, "acme", user, password).await, None, "{user:?}");
        }
    }
}

async fn a_new_task_is_of_the_same_tenant(world: &World, directory: &Directory) {
    for (tenant, other) in [("acme", "globex"), ("globex", "acme")] {
        let clone = directory.clone();
        let (right, wrong) = (password("ann", tenant), password("ann", other));
        let asks = async move { (clone.sign_in("ann", &right).await, clone.sign_in("ann", &wrong).await) };
        let spawned = within(world.scope(tenant), async { spawn(asks).unwrap().await }).await;
        let (right, wrong) = spawned.unwrap();
        assert!(right.unwrap().is_some() && wrong.unwrap().is_none());
    }
}

async fn what_is_asked_at_once_is_not_mixed_up(world: &World, directory: &Directory) {
    let mut asked = Vec::new();
    for number in 0..32 {
        let (tenant, other) = if number % 2 == 0 { ("acme", "globex") } else { ("globex", "acme") };
        let is_right = number % 3 != 0;
        let (directory, password) = (directory.clone(), password("ann", if is_right { tenant } else { other }));
        let asks = within(world.scope(tenant), async move { directory.sign_in("ann", &password).await });
        asked.push((tenant, is_right, spawned(asks)));
    }
    for (tenant, is_right, asked) in asked {
        let person = asked.await.unwrap().unwrap();
        let mail = person.and_then(|person| person.mail);
        assert_eq!(mail, is_right.then(|| format!("ann@{tenant}.test")));
    }
}

#[expect(clippy::disallowed_methods, reason = "what is spawned has a scope of its own")]
fn spawned<T: Send + 'static>(asks: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(asks)
}

async fn a_suspended_tenant_signs_nobody_in(world: &World, directory: &Directory) {
    let before = world.scope("acme");
    world.set_status("acme", Status::Suspended).await;
    let refused = within(before.clone(), directory.sign_in("ann", "ann at acme")).await.unwrap_err();
    assert_eq!(Refusal::from(refused).code(), Code::TenantSuspended);
    assert!(within(before, directory.find("ann")).await.is_err());
    assert!(sign_in(world, directory, "globex", "ann", "ann at globex").await.is_some());
    world.set_status("acme", Status::Active).await;
    assert!(sign_in(world, directory, "acme", "ann", "ann at acme").await.is_some());
}
