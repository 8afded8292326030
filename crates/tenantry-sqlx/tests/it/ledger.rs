//! What [`Ledger`] promises, asked of any ledger. Nothing in here knows which database it is.

use std::time::Duration;

use tenantry_core::{
    Amount, Audit, AuditFilter, Catalog, CatalogError, Direction, Ledger, LedgerError, NewOperation, Operation,
    OperationId, Outcome, Progress, Status, Subject, Tenant, Worker,
};

use crate::new;

/// Runs all of it.
pub(crate) async fn check(store: &(impl Catalog + Ledger + Audit)) {
    an_operation_begins_with_its_tenant(store).await;
    a_tenant_has_one_operation_at_a_time(store).await;
    who_has_lost_it_can_change_nothing(store).await;
    what_was_written_is_read(store).await;
    many_that_begin_at_once_exclude_each_other(store).await;
    it_begins_with_the_record_that_was_looked_at(store).await;
    only_its_worker_removes_the_record(store).await;
}

#[tokio::test]
async fn the_sqlite_catalog_keeps_the_promises_of_a_ledger() {
    let home = crate::Home::new();
    check(&home.open().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn the_postgres_catalog_keeps_the_promises_of_a_ledger() {
    let database = tenantry_test::server::TestDatabase::new().await.unwrap();
    let options = tenantry_sqlx::OpenOptions::create_if_missing();
    check(&tenantry_sqlx::PgCatalog::open(database.url(), options).await.unwrap()).await;
}

async fn an_operation_begins_with_its_tenant(store: &(impl Catalog + Ledger + Audit)) {
    let (operation, tenant) = begin_new(store, "with-tenant", &lasting("a")).await.unwrap();
    assert_eq!(store.by_id(tenant.id).await.unwrap().as_ref(), Some(&tenant));
    assert_eq!((operation.tenant, &operation.slug), (tenant.id, &tenant.slug));
    assert_eq!((operation.verb.as_str(), operation.input.as_str()), ("test", "{}"));
    assert_eq!((operation.outcome, operation.ended_at, &operation.progress), (None, None, &Progress::default()));
    assert_eq!(store.of(tenant.id).await.unwrap(), Some(operation.clone()));
    let taken = begin_new(store, "with-tenant", &lasting("a")).await.unwrap_err();
    assert!(matches!(taken, LedgerError::Catalog(CatalogError::NameTaken { .. })), "{taken:?}");
    let verbs: Vec<String> = store
        .entries(0, AuditFilter::Of(tenant.id), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.deed.verb)
        .collect();
    assert_eq!(verbs, ["created", "test begun"]);
}

async fn a_tenant_has_one_operation_at_a_time(store: &(impl Catalog + Ledger)) {
    let tenant = store.create(new("busy", &[])).await.unwrap();
    let worker = lasting("a");
    let first = begin(store, &tenant, &worker).await.unwrap();
    for who in ["a", "b"] {
        match begin(store, &tenant, &lasting(who)).await {
            Err(LedgerError::Busy { tenant, verb, id }) => {
                assert_eq!((tenant.as_str(), verb.as_str(), id), ("busy", "test", first.id));
            }
            other => panic!("{other:?}"),
        }
    }
    store.end(first.id, &worker, Outcome::Done, &Progress::default()).await.unwrap();
    assert_eq!(store.of(tenant.id).await.unwrap(), None);
    let second = begin(store, &tenant, &worker).await.unwrap();
    assert!(second.id > first.id);
    let page = store.history(Some(tenant.id), None, 10).await.unwrap();
    let ids: Vec<_> = page.iter().map(|operation| (operation.id, operation.outcome)).collect();
    assert_eq!(ids, [(second.id, None), (first.id, Some(Outcome::Done))]);
    assert_eq!(store.history(Some(tenant.id), Some(second.id), 10).await.unwrap().len(), 1);
    assert_eq!(store.history(None, None, 1).await.unwrap().first().map(|last| last.id), Some(second.id));
}

async fn who_has_lost_it_can_change_nothing(store: &(impl Catalog + Ledger)) {
    let tenant = store.create(new("lost-worker", &[])).await.unwrap();
    let (short, other) = (Worker { name: "short".to_owned(), lease: Duration::ZERO }, lasting("other"));
    let operation = begin(store, &tenant, &short).await.unwrap();
    let id = operation.id;
    let abandoned = async |after| store.abandoned(after, 100).await.unwrap();
    assert!(abandoned(None).await.iter().any(|abandoned| abandoned.id == id));
    assert!(abandoned(Some(OperationId::new(id.get() - 1))).await.iter().any(|abandoned| abandoned.id == id));
    assert!(!abandoned(Some(id)).await.iter().any(|abandoned| abandoned.id == id), "it is not younger than itself");
    store.keep(id, &lasting("short")).await.unwrap();
    assert!(!abandoned(None).await.iter().any(|abandoned| abandoned.id == id));
    assert!(matches!(store.take(id, &other).await, Err(LedgerError::Lost { .. })), "its worker lives");
    store.keep(id, &short).await.unwrap();
    assert_eq!(store.take(id, &other).await.unwrap().worker, "other");
    let progress = Progress::default();
    for lost in [
        store.keep(id, &short).await,
        store.write(id, &short, &progress).await,
        store.end(id, &short, Outcome::Done, &progress).await,
        store.take(id, &short).await.map(drop),
    ] {
        assert!(matches!(lost, Err(LedgerError::Lost { id: lost }) if lost == id), "{lost:?}");
    }
    store.end(id, &other, Outcome::Undone, &progress).await.unwrap();
    for lost in [store.keep(id, &other).await, store.end(id, &other, Outcome::Done, &progress).await] {
        assert!(matches!(lost, Err(LedgerError::Lost { .. })), "it has ended: {lost:?}");
    }
}

async fn what_was_written_is_read(store: &(impl Catalog + Ledger)) {
    let tenant = store.create(new("written", &[])).await.unwrap();
    let worker = lasting("a");
    let id = begin(store, &tenant, &worker).await.unwrap().id;
    let mut progress = Progress { steps: 3, direction: Direction::Back, ..Progress::default() };
    progress.amounts.insert("rows".to_owned(), Amount { items: 7, bytes: u64::MAX });
    progress.problem = Some("it's \"quoted\"".to_owned());
    store.write(id, &worker, &progress).await.unwrap();
    assert_eq!(store.of(tenant.id).await.unwrap().unwrap().progress, progress);
    progress.steps = 4;
    store.end(id, &worker, Outcome::Undone, &progress).await.unwrap();
    let ended = store.history(Some(tenant.id), None, 1).await.unwrap().remove(0);
    assert_eq!((ended.progress, ended.outcome), (progress, Some(Outcome::Undone)));
    assert!(ended.ended_at.unwrap() >= ended.began_at);
}

async fn many_that_begin_at_once_exclude_each_other(store: &(impl Catalog + Ledger)) {
    let tenant = store.create(new("contended", &[])).await.unwrap();
    let workers: Vec<_> = (0..8).map(|number| lasting(&format!("worker-{number}"))).collect();
    let begun = futures_util::future::join_all(workers.iter().map(|worker| begin(store, &tenant, worker))).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 1);
    assert!(begun.iter().all(|begun| matches!(begun, Ok(_) | Err(LedgerError::Busy { .. }))), "{begun:?}");
}

async fn it_begins_with_the_record_that_was_looked_at(store: &(impl Catalog + Ledger)) {
    let tenant = store.create(new("decided", &[])).await.unwrap();
    let worker = lasting("a");
    let suspended = store.set_status(tenant.id, Status::Suspended).await.unwrap();
    let late = store.begin(test(Subject::Existing(tenant.id, tenant.revision)), &worker).await;
    assert!(matches!(late, Err(LedgerError::Catalog(CatalogError::Changed { id })) if id == tenant.id), "{late:?}");
    assert_eq!(store.of(tenant.id).await.unwrap(), None);
    let begun = store.begin(test(Subject::Existing(tenant.id, suspended.revision)), &worker).await.unwrap();
    // Whoever has decided before that looks again.
    let late = store.amend(tenant.id, &Status::Active.into(), Some(suspended.revision)).await;
    assert!(matches!(late, Err(CatalogError::Changed { .. })), "{late:?}");
    let mut now = store.by_id(tenant.id).await.unwrap().unwrap();
    assert!(now.revision > suspended.revision);
    now.revision = suspended.revision;
    assert_eq!(now, suspended);
    store.end(begun.id, &worker, Outcome::Done, &Progress::default()).await.unwrap();
}

async fn only_its_worker_removes_the_record(store: &(impl Catalog + Ledger)) {
    let tenant = store.create(new("forgotten", &[])).await.unwrap();
    let (worker, other) = (lasting("a"), lasting("b"));
    let id = begin(store, &tenant, &worker).await.unwrap().id;
    match store.remove(tenant.id).await {
        Err(CatalogError::Busy { id: busy, verb, operation }) => {
            assert_eq!((busy, verb.as_str(), operation), (tenant.id, "test", id));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(store.forget(id, &other).await, Err(LedgerError::Lost { .. })));
    assert!(store.by_id(tenant.id).await.unwrap().is_some());
    let before = store.version().await.unwrap();
    store.forget(id, &worker).await.unwrap();
    assert_eq!(store.by_id(tenant.id).await.unwrap(), None);
    let changes = store.changes(before, 10).await.unwrap();
    assert!(matches!(changes[..], [tenantry_core::Change::Removed { id, .. }] if id == tenant.id), "{changes:?}");
    let again = store.forget(id, &worker).await;
    assert!(matches!(again, Err(LedgerError::Catalog(CatalogError::NotFound { .. }))), "{again:?}");
    store.end(id, &worker, Outcome::Done, &Progress::default()).await.unwrap();
    assert!(matches!(store.forget(id, &worker).await, Err(LedgerError::Lost { .. })), "it has ended");
}

async fn begin(store: &(impl Catalog + Ledger), tenant: &Tenant, worker: &Worker) -> Result<Operation, LedgerError> {
    let revision = store.by_id(tenant.id).await.unwrap().unwrap().revision;
    store.begin(test(Subject::Existing(tenant.id, revision)), worker).await
}

async fn begin_new(
    store: &(impl Catalog + Ledger),
    slug: &str,
    worker: &Worker,
) -> Result<(Operation, Tenant), LedgerError> {
    let mut tenant = new(slug, &[]);
    tenant.status = Status::Provisioning;
    let operation = store.begin(test(Subject::New(Box::new(tenant))), worker).await?;
    let tenant = store.by_id(operation.tenant).await?.unwrap();
    Ok((operation, tenant))
}

fn test(subject: Subject) -> NewOperation {
    NewOperation { subject, verb: "test".to_owned(), input: "{}".to_owned() }
}

fn lasting(name: &str) -> Worker {
    Worker { name: name.to_owned(), lease: Duration::from_secs(60) }
}
