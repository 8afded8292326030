//! Jobs, over the life of a worker.

use notes_suite::checks::{digests, writing};
use notes_suite::people;

use crate::running::Running;

#[tokio::test]
async fn what_was_ordered_while_nobody_worked_is_done_later() {
    let running = Running::start().await;
    let mut admin = people::admin(&running.site).await.unwrap();
    running.worker.stop().await;
    writing::note(&mut admin, "Overnight", "", "").await.unwrap();
    digests::order(&mut admin).await.unwrap();
    let next = running.another_worker().await;
    digests::expect(&mut admin, "“Overnight” by Admin").await.unwrap();
    next.stop().await;
}
