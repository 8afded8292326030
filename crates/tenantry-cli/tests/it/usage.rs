//! `tenantry usage`

use std::time::{Duration, SystemTime};

use tenantry::{Amounts, Batch, Count, Hour, Used, config::Config};

use crate::Home;

/// What servers have written: of acme yesterday and long ago, of globex yesterday.
async fn used(home: &Home, ids: [i64; 2]) {
    let config = Config::load(home.path("tenantry.toml")).unwrap();
    let store = config.usage_store().await.unwrap();
    let used = |tenant, days: u64, requests| {
        let mut amounts = Amounts::default();
        amounts.set(Count::Requests, requests);
        amounts.set(Count::Statements, requests * 10);
        amounts.set(Count::StatementNanos, requests * 1_000_000);
        amounts.set(Count::BytesSent, requests * 1024);
        let hour = Hour::of(SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60));
        Used { tenant: tenantry::TenantId::new(tenant), hour, amounts }
    };
    let used = vec![used(ids[0], 1, 1200), used(ids[0], 40, 5), used(ids[1], 1, 7)];
    store.add(&Batch { process: 1, number: 1, used }).await.unwrap();
}

fn ids(home: &Home) -> [i64; 2] {
    ["acme", "globex"].map(|slug| home.document(&format!("tenant show {slug}"), 0)["tenant"]["id"].as_i64().unwrap())
}

#[tokio::test]
async fn tenants_are_listed_with_what_they_have_used() {
    let home = Home::new();
    home.write("tenantry.toml", "[plans.default]\nrows_max = 500\n");
    home.step("tenant create acme");
    home.step("tenant create globex");
    home.check(
        "usage",
        "exit 0
--- stdout
TENANT  REQUESTS  STATEMENTS  DB-TIME  HANDLING  READ  CHANGED  IN  OUT  JOBS  REFUSED",
    );
    used(&home, ids(&home)).await;
    home.check(
        "usage",
        "exit 0
--- stdout
TENANT   REQUESTS  STATEMENTS  DB-TIME  HANDLING  READ  CHANGED  IN     OUT  JOBS  REFUSED
acme         1.2k       12.0k     1.2s      0.0s     0        0  0B  1.1MiB     0        0
globex          7          70     0.0s      0.0s     0        0  0B  7.0KiB     0        0
(total)      1.2k       12.0k     1.2s      0.0s     0        0  0B  1.1MiB     0        0",
    );
    let of_acme = home.document("usage acme --since 50d --by month", 0);
    let lines = of_acme["usage"].as_array().unwrap();
    let requests: u64 = lines.iter().map(|line| line["requests"].as_u64().unwrap()).sum();
    assert_eq!((requests, of_acme["total"]["requests"].as_u64().unwrap()), (1205, 1205));
    assert!(lines.len() == 2 && lines.iter().all(|line| line["from"].as_str().unwrap().len() == "2026-01".len()));
    let rows = &of_acme["allowed"][0];
    assert_eq!((&rows["limit"], &rows["now"], &rows["allowed"]), (&"rows_max".into(), &0.into(), &500.into()));
    let text = String::from_utf8(home.run("usage acme --by day").stdout).unwrap();
    for said in ["TENANT        FROM", "LIMIT                NOW  ALLOWED", "rows_max               0      500"] {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    assert!(!text.contains("globex"), "{text}");
}

#[test]
fn a_tenant_that_there_is_not_has_used_nothing() {
    let home = Home::new();
    home.step("tenant create acme");
    let nobody = home.run("usage nobody");
    assert_eq!(nobody.status.code(), Some(39));
    let senseless = home.run("usage acme --since tomorrow");
    assert_eq!(senseless.status.code(), Some(2));
}
