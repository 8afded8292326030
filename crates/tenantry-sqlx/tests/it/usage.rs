//! Stores of what tenants have used.

use std::time::Duration;

use tenantry_core::{Amounts, Batch, Count, Hour, Step, TenantId, UsageStore, Used};
use tenantry_sqlx::usage::SqliteUsage;

const ACME: TenantId = TenantId::new(1);
const GLOBEX: TenantId = TenantId::new(2);
const BUSY: Duration = Duration::from_secs(5);

fn used(tenant: TenantId, hour: i64, requests: u64) -> Used {
    let mut amounts = Amounts::default();
    for (count, place) in Count::ALL.into_iter().zip(0..) {
        amounts.set(count, requests * 100 + place);
    }
    Used { tenant, hour: Hour::new(hour), amounts }
}

fn batch(process: i64, number: i64, used: Vec<Used>) -> Batch {
    Batch { process, number, used }
}

/// Tenant, hour and requests, in hundreds as they were given.
async fn read(store: &dyn UsageStore, tenant: Option<TenantId>, since: i64, step: Step) -> Vec<(i64, i64, u64)> {
    let read = store.read(tenant, Hour::new(since), step).await.unwrap();
    let requests = |used: &Used| used.amounts.get(Count::Requests) / 100;
    read.iter().map(|used| (used.tenant.get(), used.hour.get(), requests(used))).collect()
}

/// What both stores do, with two processes that have one open.
async fn keeps(one: &dyn UsageStore, other: &dyn UsageStore) {
    let first = batch(1, 1, vec![used(ACME, 47, 1), used(ACME, 48, 2), used(GLOBEX, 48, 5)]);
    one.add(&first).await.unwrap();
    // Whoever is not told that it is written gives it again.
    one.add(&first).await.unwrap();
    other.add(&batch(2, 1, vec![used(ACME, 48, 3), used(ACME, 50, 4)])).await.unwrap();
    one.add(&batch(1, 2, vec![used(ACME, 48, 10)])).await.unwrap();

    let all = [(1, 47, 1), (1, 48, 15), (1, 50, 4), (2, 48, 5)];
    assert_eq!(read(other, None, 0, Step::Hour).await, all);
    assert_eq!(read(other, Some(ACME), 48, Step::Hour).await, all[1..3]);
    // A day that begins before what is asked for begins with that.
    assert_eq!(read(one, None, 30, Step::Day).await, [(1, 30, 1), (1, 48, 19), (2, 48, 5)]);
    assert_eq!(read(one, None, 48, Step::Whole).await, [(1, 48, 19), (2, 48, 5)]);
    let every = other.read(Some(ACME), Hour::new(47), Step::Hour).await.unwrap();
    assert_eq!(every[0].amounts, used(ACME, 47, 1).amounts, "every count has a column");
    assert_eq!(every[1].amounts.get(Count::BytesSent), 1503);

    let many = (0..1200).map(|hour| used(GLOBEX, 1000 + hour, 1)).collect();
    one.add(&batch(1, 3, many)).await.unwrap();
    assert_eq!((other.hours(GLOBEX).await.unwrap(), other.hours(ACME).await.unwrap()), (1201, 3));
    assert_eq!(other.forget(GLOBEX).await.unwrap(), 1201);
    assert_eq!((one.hours(GLOBEX).await.unwrap(), one.hours(ACME).await.unwrap()), (0, 3));
    assert_eq!(one.expire(Hour::new(48)).await.unwrap(), 1);
    assert_eq!(read(other, None, 0, Step::Hour).await, all[1..3]);
}

#[tokio::test]
async fn sqlite_keeps_what_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let open = async || SqliteUsage::open(&file, BUSY).await.unwrap();
    let (one, other) = (open().await, open().await);
    keeps(&one, &other).await;
    one.close().await;
    other.close().await;
    assert_eq!(read(&open().await, None, 0, Step::Hour).await, [(1, 48, 15), (1, 50, 4)], "it is there again");
}

#[tokio::test]
async fn a_file_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
    sqlx::raw_sql("CREATE TABLE mine (x)").execute(&pool).await.unwrap();
    let error = SqliteUsage::open(&file, BUSY).await.unwrap_err();
    assert!(error.source.to_string().contains("something else"), "{}", error.source);
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_keeps_what_was_used() {
    use std::str::FromStr;

    use sqlx::postgres::PgConnectOptions;
    use tenantry_sqlx::usage::PgUsage;
    use tenantry_test::server::TestDatabase;

    let database = TestDatabase::new().await.unwrap();
    let options = PgConnectOptions::from_str(database.url()).unwrap();
    let open = async || PgUsage::open(options.clone(), BUSY).await.unwrap();
    let (one, other) = (open().await, open().await);
    keeps(&one, &other).await;
    assert_eq!(read(&open().await, None, 0, Step::Hour).await, [(1, 48, 15), (1, 50, 4)]);
}
