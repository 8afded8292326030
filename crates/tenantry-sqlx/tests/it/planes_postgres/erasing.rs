//! What is erased is gone, and nothing else is.

use super::*;
use crate::bad_luck::dropped_after;

#[tokio::test]
async fn counting_makes_nothing() {
    let home = Home::bare().await;
    for id in [ACME, INITECH] {
        assert!(home.rows.count(&tenant(id)).await.unwrap().is_nothing());
        assert!(home.rows.erase(&tenant(id)).await.unwrap().is_nothing());
    }
    assert!(home.databases().await.is_empty());
    let installed = "SELECT to_regnamespace('tenantry') IS NOT NULL";
    let installed: bool = sqlx::query_scalar(installed).fetch_one(&mut home.admin().await).await.unwrap();
    assert!(!installed);
    home.pool.migrate(&schema()).await.unwrap();
    assert!(home.rows.count(&tenant(ACME)).await.unwrap().is_nothing());
}

#[tokio::test]
async fn what_is_erased_is_gone_and_nothing_else_is() {
    for id in [ACME, INITECH] {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let (others, count) = (home.others(id).await, home.rows.count(&tenant(id)).await.unwrap());
        assert!(count.items > 10);
        assert_eq!(home.rows.erase(&tenant(id)).await.unwrap().items, count.items);
        assert!(home.rows.count(&tenant(id)).await.unwrap().is_nothing());
        assert_eq!(home.others(id).await, others);
        let left = "SELECT (SELECT count(*) FROM tenantry.tenants WHERE tenant = 1) \
                    + (SELECT count(*) FROM tenantry.counters WHERE _tenant = 1) \
                    + (SELECT count(*) FROM pg_class WHERE relnamespace = 'tenantry_ids'::regnamespace AND relname LIKE 't%\\_1')";
        let left: i64 = sqlx::query_scalar(left).fetch_one(&mut home.admin().await).await.unwrap();
        assert_eq!(left, if id == ACME { 0 } else { 3 });
        assert_eq!(home.databases().await.len(), if id == ACME { 2 } else { 1 });
    }
}

#[tokio::test]
async fn dropped_at_any_point_it_is_begun_again() {
    for id in [ACME, INITECH] {
        let home = Home::used(&[ACME, GLOBEX, INITECH, HOOLI]).await;
        let others = home.others(id).await;
        let erased = tenant(id);
        let mut dropped = 0;
        for polls in (1..).step_by(2) {
            if let Some(erased) = dropped_after(polls, home.rows.erase(&erased)).await {
                erased.unwrap();
                break;
            }
            dropped += 1;
        }
        assert!(dropped > 0, "{dropped}");
        assert!(home.rows.count(&erased).await.unwrap().is_nothing());
        assert_eq!(home.others(id).await, others);
    }
}
