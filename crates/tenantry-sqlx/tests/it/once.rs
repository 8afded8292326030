//! What [`Once`] promises, asked of any store. Nothing in here knows which database it is.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use tenantry_core::{Act, Audit, AuditFilter, Deed, FORGET_AFTER, Once, Spent};

/// Runs all of it, on two who have the same store open.
async fn check(one: &(impl Once + Audit), other: &(impl Once + Audit)) {
    of_many_who_spend_it_one_is_first(one, other).await;
    what_is_over_is_forgotten_and_nothing_else(one).await;
}

#[tokio::test]
async fn the_sqlite_catalog_lets_a_thing_be_used_once() {
    let home = crate::Home::new();
    check(&home.open().await, &home.open().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn the_postgres_catalog_lets_a_thing_be_used_once() {
    let database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let open = async || {
        let options = tenantry_sqlx::OpenOptions::create_if_missing();
        tenantry_sqlx::PgCatalog::open(database.url(), options).await.unwrap()
    };
    let (one, other) = (open().await, open().await);
    check(&one, &other).await;
}

#[tokio::test]
async fn when_the_store_is_away_nobody_is_first() {
    let home = crate::Home::new();
    let store = home.open().await;
    std::fs::remove_file(home.path()).unwrap();
    spend(&store, "a", Duration::ZERO).await.unwrap_err();
}

async fn of_many_who_spend_it_one_is_first(one: &(impl Once + Audit), other: &(impl Once + Audit)) {
    for id in ["first", "second"] {
        let (ours, theirs) = (0..4).map(|_| (spend(one, id, MINUTE), spend(other, id, MINUTE))).unzip();
        let (ours, theirs): (Vec<_>, Vec<_>) = (ours, theirs);
        let (ours, theirs) = tokio::join!(join_all(ours), join_all(theirs));
        let first = ours.into_iter().chain(theirs).filter(|spent| *spent.as_ref().unwrap() == Spent::Now).count();
        assert_eq!(first, 1, "{id}");
        assert_eq!(spend(one, id, MINUTE).await.unwrap(), Spent::Before, "{id}");
    }
    let entries = one.entries(0, AuditFilter::All, 100).await.unwrap();
    let said: Vec<_> = entries.iter().map(|entry| (entry.act.who.as_str(), entry.deed.detail.as_str())).collect();
    assert_eq!(said, [("ann", "first"), ("ann", "second")], "one entry for each");
}

async fn what_is_over_is_forgotten_and_nothing_else(store: &impl Once) {
    let over = SystemTime::now() - FORGET_AFTER - MINUTE;
    let (act, deed) = said("over");
    assert_eq!(store.spend("over", over, &act, &deed).await.unwrap(), Spent::Now);
    assert_eq!(spend(store, "near", Duration::ZERO).await.unwrap(), Spent::Now);
    assert_eq!(store.spend("over", over, &act, &deed).await.unwrap(), Spent::Now, "nobody would accept it any more");
    for id in ["near", "first"] {
        assert_eq!(spend(store, id, MINUTE).await.unwrap(), Spent::Before, "{id}");
    }
}

async fn spend(store: &impl Once, id: &str, more: Duration) -> Result<Spent, tenantry_core::CatalogError> {
    let (act, deed) = said(id);
    store.spend(id, SystemTime::now() + more, &act, &deed).await
}

fn said(id: &str) -> (Act, Deed) {
    let deed = Deed { verb: "used".to_owned(), tenant: None, slug: None, detail: id.to_owned() };
    (Act::of("ann", "a test"), deed)
}

const MINUTE: Duration = Duration::from_secs(60);
