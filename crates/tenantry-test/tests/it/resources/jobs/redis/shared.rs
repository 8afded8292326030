//! Two worker processes on one server.

use std::{collections::BTreeSet, sync::Arc};

use tenantry_resource::jobs::Broker;
use tenantry_test::resources::redis::{options, url};

use super::{super::killed, open};

#[tokio::test]
async fn two_processes_never_get_the_same_job() {
    let options = options();
    let place = options.prefix.to_string();
    let open = async |prefix: String| {
        let mut options = options.clone();
        options.prefix = prefix.parse().unwrap();
        open(&url().unwrap(), options).await as Arc<dyn Broker>
    };
    let test = "resources::jobs::redis::shared::two_processes_never_get_the_same_job";
    let Some((pushed, ran)) = killed::side_by_side(test, place, open).await else { return };
    let once: BTreeSet<_> = ran.iter().map(|ran| (&ran.tenant, ran.number)).collect();
    assert_eq!((once.len(), ran.len()), (pushed, pushed), "each ran, and once");
    assert!(ran.iter().all(|ran| ran.lost == 0));
    let processes: BTreeSet<_> = ran.iter().map(|ran| ran.process).collect();
    assert_eq!(processes.len(), 2);
}
