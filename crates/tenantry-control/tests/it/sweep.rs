//! What is done from time to time, each thing once.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tenantry_control::Control;
use tenantry_core::{Audit, AuditFilter, Catalog, NewTenant, Plans, Status};
use tenantry_sqlx::{OpenOptions, SqliteCatalog};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_end_that_is_near_is_told_once_for_each_time() {
    let (catalog, control, _folder) = world().await;
    for (name, left) in
        [("soon", Some(HOUR / 2)), ("later", Some(HOUR * 10)), ("far", Some(HOUR * 1000)), ("never", None)]
    {
        let mut new = NewTenant::new(name.parse().unwrap());
        new.expires_at = left.map(|left| SystemTime::now() + left);
        catalog.create(new).await.unwrap();
    }
    let mut over = NewTenant::new("over".parse().unwrap());
    over.expires_at = Some(SystemTime::now() - HOUR);
    catalog.create(over).await.unwrap();
    let warn = [HOUR * 24, HOUR];
    let warned = async || {
        let swept = control.sweep(&warn).await.unwrap();
        swept.warned.into_iter().map(|warned| (warned.tenant.slug.to_string(), warned.before)).collect::<Vec<_>>()
    };
    assert_eq!(warned().await, [("soon".to_owned(), HOUR), ("later".to_owned(), HOUR * 24)]);
    assert_eq!(warned().await, [], "they were told");
    control.extend(&"soon".parse().unwrap(), HOUR * 5).await.unwrap();
    assert_eq!(warned().await, [("soon".to_owned(), HOUR * 24)], "it has another end now");
}

#[tokio::test]
async fn of_several_who_sweep_one_tells() {
    let (catalog, control, _folder) = world().await;
    let mut new = NewTenant::new("soon".parse().unwrap());
    new.expires_at = Some(SystemTime::now() + HOUR / 2);
    let tenant = catalog.create(new).await.unwrap();
    let swept = futures_util::future::join_all((0..8).map(|_| control.sweep(&[HOUR]))).await;
    assert_eq!(swept.into_iter().map(|swept| swept.unwrap().warned.len()).sum::<usize>(), 1);
    let entries = catalog.entries(0, AuditFilter::Of(tenant.id), 100).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.deed.verb == "warned").count(), 1);
}

#[tokio::test]
async fn what_is_due_is_erased() {
    let (catalog, control, _folder) = world().await;
    for name in ["due", "not-yet", "stays"] {
        catalog.create(NewTenant::new(name.parse().unwrap())).await.unwrap();
    }
    control.delete(&"due".parse().unwrap(), Duration::ZERO).await.unwrap();
    control.delete(&"not-yet".parse().unwrap(), HOUR).await.unwrap();
    let swept = control.sweep(&[]).await.unwrap();
    assert!(swept.not_erased.is_empty(), "{:?}", swept.not_erased);
    assert_eq!(swept.erased.iter().map(|ended| ended.operation.slug.as_str()).collect::<Vec<_>>(), ["due"]);
    let left: Vec<_> = catalog.page(None, 10).await.unwrap();
    let left: Vec<_> = left.iter().map(|tenant| (tenant.slug.as_str(), tenant.status)).collect();
    assert_eq!(left, [("not-yet", Status::Deleting), ("stays", Status::Active)]);
    assert!(control.sweep(&[]).await.unwrap().erased.is_empty());
}

async fn world() -> (Arc<SqliteCatalog>, Control, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenantry.db");
    let catalog = Arc::new(SqliteCatalog::open(path, OpenOptions::create_if_missing()).await.unwrap());
    let control = Control::new(Arc::clone(&catalog), Plans::default()).with_settle(Duration::ZERO);
    (catalog, control, folder)
}
