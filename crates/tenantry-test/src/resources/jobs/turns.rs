//! Tenants take turns.

use std::{collections::BTreeMap, time::Duration};

use tenantry_core::TenantId;
use tenantry_resource::jobs::{Broker, NewJob, Outcome};

use super::queues::{ACME, GLOBEX, LEASE, job, push, take};

pub(super) async fn check(broker: &dyn Broker) {
    a_single_job_is_next(broker).await;
    all_get_the_same(broker).await;
    who_comes_and_goes_gains_nothing(broker).await;
    who_waits_loses_nothing(broker).await;
    a_parked_tenant_keeps_its_turn(broker).await;
}

fn many(prefix: &str, count: u32) -> Vec<NewJob> {
    (0..count).map(|number| job(&format!("{prefix}{number}"))).collect()
}

/// Takes a job and is done with it.
async fn serve(broker: &dyn Broker, queue: &str) -> TenantId {
    let taken = take(broker, queue).await.expect("there is a job");
    assert!(broker.finish("w", &taken.id, &Outcome::Done).await.unwrap());
    taken.tenant
}

async fn a_single_job_is_next(broker: &dyn Broker) {
    push(broker, "next", ACME, &many("n", 300)).await;
    for _ in 0..100 {
        assert_eq!(serve(broker, "next").await, ACME);
    }
    push(broker, "next", GLOBEX, &[job("single")]).await;
    assert_eq!(serve(broker, "next").await, GLOBEX);
    forget(broker).await;
}

async fn all_get_the_same(broker: &dyn Broker) {
    let tenants: Vec<_> = (910..915).map(TenantId::new).collect();
    for (tenant, count) in tenants.iter().zip([40, 10, 25, 40, 15]) {
        push(broker, "same", *tenant, &many(&format!("s{tenant}"), count)).await;
    }
    let mut served: BTreeMap<_, u32> = tenants.iter().map(|tenant| (*tenant, 0)).collect();
    for _ in 0..50 {
        *served.get_mut(&serve(broker, "same").await).unwrap() += 1;
        let (least, most) = (served.values().min().unwrap(), served.values().max().unwrap());
        assert!(most - least <= 1, "{served:?}");
    }
    for tenant in tenants {
        broker.forget(tenant).await.unwrap();
    }
}

async fn who_comes_and_goes_gains_nothing(broker: &dyn Broker) {
    push(broker, "goes", ACME, &many("g", 100)).await;
    let mut globex = 0;
    for number in 0..60 {
        // Whenever it has no job, it has a new one.
        if broker.counts(GLOBEX).await.unwrap().iter().all(|counts| counts.waiting == 0) {
            push(broker, "goes", GLOBEX, &[job(&format!("again{number}"))]).await;
        }
        globex += u32::from(serve(broker, "goes").await == GLOBEX);
        broker.tend("goes", &[], LEASE).await.unwrap();
    }
    assert!((29..=31).contains(&globex), "{globex} of 60");
    forget(broker).await;
}

/// A tenant that has had no jobs for long is neither behind those that had nor before them.
async fn who_waits_loses_nothing(broker: &dyn Broker) {
    push(broker, "waits", GLOBEX, &many("early", 20)).await;
    for _ in 0..20 {
        serve(broker, "waits").await;
    }
    push(broker, "waits", ACME, &many("w", 100)).await;
    for _ in 0..60 {
        serve(broker, "waits").await;
    }
    // More than it is given, so that it would be seen if it came before the others for the time that it had none.
    push(broker, "waits", GLOBEX, &many("late", 20)).await;
    let mut globex = 0;
    for _ in 0..20 {
        globex += u32::from(serve(broker, "waits").await == GLOBEX);
    }
    assert!((9..=11).contains(&globex), "{globex} of 20");
    forget(broker).await;
}

async fn a_parked_tenant_keeps_its_turn(broker: &dyn Broker) {
    push(broker, "parked", ACME, &many("p", 60)).await;
    push(broker, "parked", GLOBEX, &many("q", 60)).await;
    for _ in 0..10 {
        // As a worker does that finds the tenant suspended.
        while let Some(taken) = take(broker, "parked").await {
            if taken.tenant == ACME {
                assert!(broker.finish("w", &taken.id, &Outcome::Done).await.unwrap());
                break;
            }
            broker.park("parked", GLOBEX, Duration::from_millis(1)).await.unwrap();
            assert!(broker.finish("w", &taken.id, &Outcome::Returned).await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        broker.tend("parked", &[], LEASE).await.unwrap();
    }
    // Resumed: it has not been counted what it was not given.
    let mut globex = 0;
    for _ in 0..20 {
        globex += u32::from(serve(broker, "parked").await == GLOBEX);
    }
    assert!(globex >= 10, "{globex} of 20");
    forget(broker).await;
}

async fn forget(broker: &dyn Broker) {
    for tenant in [ACME, GLOBEX] {
        broker.forget(tenant).await.unwrap();
    }
}
