//! What it costs to reach a tenant's resource, against an `Arc` in a mutex-guarded map.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{Arc, Mutex},
};

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry::{Bounds, BoxError, PerTenant, Scope, TenantId, current, make_fn, within};
use tenantry_benches::tenancy;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Own {
    title: String,
    rows_max: u32,
}

fn resources(criterion: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let tenancy = runtime.block_on(tenancy(folder.path(), 1000)).expect("a deployment");
    let tenants = runtime.block_on(tenancy.catalog().page(None, 1000)).expect("tenants");
    let scopes: Vec<Scope> =
        tenants.iter().map(|tenant| tenancy.admission().admit_id(tenant.id).expect("admitted")).collect();
    let numbers = PerTenant::new(
        make_fn(|scope: Scope| std::future::ready(Ok::<_, BoxError>(scope.id().get()))),
        Bounds::default(),
    );
    let map: Mutex<HashMap<TenantId, Arc<i64>>> = Mutex::default();
    for scope in &scopes {
        runtime.block_on(numbers.of(scope)).expect("a number");
        map.lock().expect("no panic").insert(scope.id(), Arc::new(scope.id().get()));
    }

    let mut group = criterion.benchmark_group("resource");
    let mut next = (0..scopes.len()).cycle();
    let mut scope = || &scopes[next.next().unwrap_or_default()];
    group.bench_function("an Arc in a Mutex<HashMap>", |bencher| {
        bencher.iter(|| black_box(map.lock().expect("no panic").get(&scope().id()).cloned()));
    });
    group.bench_function("PerTenant::ready", |bencher| bencher.iter(|| black_box(numbers.ready(scope()))));
    let settings = runtime.block_on(tenancy.settings::<Own>()).expect("settings");
    for scope in &scopes {
        settings.of(scope).expect("settings");
    }
    group.bench_function("Settings::of", |bencher| {
        bencher.iter(|| black_box(settings.of(scope()).expect("settings").rows_max));
    });
    group.bench_function("within and current", |bencher| {
        bencher.iter(|| runtime.block_on(within(scope().clone(), async { black_box(current().is_ok()) })));
    });
    group.bench_function("block_on alone", |bencher| bencher.iter(|| runtime.block_on(async { black_box(true) })));
    group.finish();
}

criterion_group!(benches, resources);
criterion_main!(benches);
