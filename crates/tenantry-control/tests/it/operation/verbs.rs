//! What the verbs do, and what they refuse.

use super::*;

#[tokio::test]
async fn a_tenant_is_made_from_a_template() {
    let world = World::new().await;
    let ended = world.control().create_from(&slug("seed"), new("trial")).await.unwrap();
    let tenant = ended.tenant.unwrap();
    assert_eq!((tenant.status, tenant.template), (Status::Active, Some(world.id("seed").await)));
    assert_eq!(world.of(tenant.id), world.of(world.id("seed").await));
    assert_eq!(ended.operation.progress.amounts["rows"], Amount::items(3));
    assert_eq!(ended.operation.outcome, Some(Outcome::Done));
    world.nobody_else_was_touched().await;
}

#[tokio::test]
async fn a_clone_has_settings_of_its_own() {
    let world = World::new().await;
    // Nobody here has keys, so what is sealed for the one can be sealed for nobody else.
    let sealed = serde_json::json!({ "$sealed": "key.text" });
    let set = [("a", 1.into()), ("b", sealed)];
    let set = set.map(|(path, value)| SettingChange { path: path.parse().unwrap(), value: Some(value) });
    let seed = world.id("seed").await;
    let amendment = Amendment { settings: set.to_vec(), ..Default::default() };
    world.catalog.amend(seed, &amendment, None).await.unwrap();
    let mut new = new("copy");
    new.status = Status::Suspended;
    let tenant = world.control().clone_tenant(&slug("seed"), new).await.unwrap().tenant.unwrap();
    assert_eq!((tenant.settings.to_json().as_str(), tenant.template), (r#"{"a":1}"#, None));
    assert_eq!(tenant.status, Status::Suspended, "as it was asked for");
    world.nobody_else_was_touched().await;
}

#[tokio::test]
async fn a_step_that_fails_is_undone() {
    let world = World::new().await;
    world.uploads.break_down("copy");
    let error = world.control().create_from(&slug("seed"), new("trial")).await.unwrap_err();
    let VerbError::Undone { problem, verb, .. } = &error else { panic!("{error:?}") };
    assert_eq!((verb.as_str(), problem.as_str()), ("clone", "the uploads of trial cannot be worked on: no space left"));
    assert_eq!(world.catalog.by_slug(&slug("trial")).await.unwrap(), None);
    world.only_these_have_something(&["seed", "other"]).await;
    // The name is free again.
    world.uploads.mend();
    world.control().create_from(&slug("seed"), new("trial")).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_undone_is_gone_on_with() {
    let world = World::new().await;
    let tenant = world.trained().await;
    world.uploads.break_down("copy");
    let error = world.control().reset(&slug("training")).await.unwrap_err();
    assert!(matches!(&error, VerbError::Unfinished { .. }), "{error:?}");
    let left = world.control().ledger().of(tenant).await.unwrap().unwrap();
    assert_eq!(left.progress.steps, 3, "close, settle and copy rows are done");
    assert_eq!(world.catalog.by_id(tenant).await.unwrap().unwrap().status, Status::Provisioning, "it is not served");
    let error = world.control().resume(&slug("training"), tenantry_control::Deleted::Perhaps).await.unwrap_err();
    assert!(matches!(error, VerbError::Provisioning { .. }), "{error:?}");
    world.uploads.mend();
    let recovered = world.control().recover().await.unwrap();
    assert_eq!((recovered.ended.len(), recovered.failed.len()), (1, 0));
    world.is_reset(tenant).await;
}

#[tokio::test]
async fn the_next_verb_goes_on_with_what_was_abandoned() {
    let world = World::new().await;
    let tenant = world.trained().await;
    world.uploads.break_down("copy");
    world.control().reset(&slug("training")).await.unwrap_err();
    world.uploads.mend();
    world.control().reset(&slug("training")).await.unwrap();
    world.is_reset(tenant).await;
}

#[tokio::test]
async fn a_suspended_tenant_stays_so_when_its_reset_is_given_twice() {
    let world = World::new().await;
    let tenant = world.trained().await;
    world.control().suspend(&slug("training")).await.unwrap();
    for _ in 0..2 {
        world.uploads.break_down("copy");
        world.control().reset(&slug("training")).await.unwrap_err();
        world.uploads.mend();
        let ended = world.control().reset(&slug("training")).await.unwrap();
        assert_eq!(ended.tenant.unwrap().status, Status::Suspended);
        assert_eq!(world.of(tenant), world.of(world.id("seed").await));
    }
}

#[tokio::test]
async fn who_is_deleted_in_the_middle_of_an_operation_stays_so() {
    let world = World::new().await;
    world.trained().await;
    world.uploads.break_down("copy");
    world.control().reset(&slug("training")).await.unwrap_err();
    world.control().delete(&slug("training"), Duration::from_secs(3600)).await.unwrap();
    world.uploads.mend();
    assert_eq!(world.control().recover().await.unwrap().ended.len(), 1);
    let tenant = world.catalog.by_slug(&slug("training")).await.unwrap().unwrap();
    assert_eq!(tenant.status, Status::Deleting);
}

#[tokio::test]
async fn what_is_being_erased_does_not_come_back() {
    let world = World::new().await;
    let (other, control) = (slug("other"), world.control());
    control.delete(&other, Duration::ZERO).await.unwrap();
    world.rows.break_down("erase");
    let unfinished = control.erase(&other, Erasing::Now).await.unwrap_err();
    assert!(matches!(unfinished, VerbError::Unfinished { .. }), "{unfinished:?}");
    for error in [
        control.resume(&other, tenantry_control::Deleted::NotYet).await.map(drop).unwrap_err(),
        control.dry_run().resume(&other, tenantry_control::Deleted::NotYet).await.map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, VerbError::Ledger(LedgerError::Busy { .. })), "{error:?}");
    }
    let removed = world.catalog.remove(world.id("other").await).await.unwrap_err();
    assert_eq!(removed.code(), tenantry_core::Code::OperationRunning, "{removed}");
    // Nor is what is served erased, whoever has switched it on.
    let id = world.id("other").await;
    world.catalog.set_status(id, Status::Active).await.unwrap();
    world.rows.mend();
    assert_eq!(control.recover().await.unwrap().failed.len(), 1);
    assert_eq!(world.of(id)["rows"].len(), 2);
    world.catalog.set_status(id, Status::Deleting).await.unwrap();
    assert_eq!(control.recover().await.unwrap().ended.len(), 1);
    world.only_these_have_something(&["seed"]).await;
}

#[tokio::test]
async fn what_is_served_again_before_anything_is_erased_stays() {
    let world = World::new().await;
    let (other, control) = (slug("other"), world.control());
    control.delete(&other, Duration::ZERO).await.unwrap();
    world.rows.break_down("count");
    let unfinished = control.erase(&other, Erasing::Now).await.unwrap_err();
    assert!(matches!(unfinished, VerbError::Unfinished { .. }), "{unfinished:?}");
    world.rows.mend();
    // By hand: no verb does it.
    world.catalog.set_status(world.id("other").await, Status::Active).await.unwrap();
    assert_eq!(control.recover().await.unwrap().ended.len(), 1);
    let undone = world.catalog.history(None, None, 1).await.unwrap().remove(0);
    assert_eq!(undone.outcome, Some(Outcome::Undone));
    assert!(undone.progress.problem.unwrap().contains("it is active, and what is served is not erased"));
    world.nobody_else_was_touched().await;
}

#[tokio::test]
async fn what_has_moved_while_it_was_copied_is_copied_again() {
    let world = World::new().await;
    *world.rows.moved_by.lock().unwrap() = Some(Arc::clone(&world.catalog));
    let tenant = world.control().create_from(&slug("seed"), new("trial")).await.unwrap().tenant.unwrap();
    assert_eq!(*world.rows.moved_to.lock().unwrap(), Some(Placement::Dedicated));
    assert_eq!(world.of(tenant.id), world.of(world.id("seed").await));
}

#[tokio::test]
async fn no_copy_is_made_of_what_is_half_there() {
    let world = World::new().await;
    let training = world.trained().await;
    world.uploads.break_down("copy");
    world.control().reset(&slug("training")).await.unwrap_err();
    world.uploads.mend();
    // As if it had been ready when that was decided on.
    world.catalog.set_status(training, Status::Active).await.unwrap();
    let error = world.control().create_from(&slug("training"), new("trial")).await.unwrap_err();
    assert!(error.to_string().contains("training is being made, reset or erased"), "{error}");
    assert_eq!(world.catalog.by_slug(&slug("trial")).await.unwrap(), None);
}

#[tokio::test]
async fn two_operations_on_one_tenant_exclude_each_other() {
    let world = World::new().await;
    world.trained().await;
    let (one, two) = (world.control().with_lease(Duration::from_secs(60)), world.control());
    let training = slug("training");
    let (one, two) = tokio::join!(one.reset(&training), async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        two.with_lease(Duration::from_secs(60)).reset(&training).await
    });
    let busy = |ended: &Result<Ended, VerbError>| matches!(ended, Err(VerbError::Ledger(LedgerError::Busy { .. })));
    assert!(one.is_ok() && (two.is_ok() || busy(&two)) || busy(&one) && two.is_ok(), "{one:?} {two:?}");
}

#[tokio::test]
async fn whoever_listens_hears_of_each_step_and_how_much_it_is() {
    let world = World::new().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let listener = tenantry_core::Listener::new(move |news| hears.lock().unwrap().push(format!("{news:?}")));
    world.control().with_listener(listener).create_from(&slug("seed"), new("trial")).await.unwrap();
    let step = |name: &str, number: u32| format!("Step {{ name: {name:?}, number: {number}, of: 3 }}");
    let expected = [
        step("copy rows", 1),
        "Expected(3)".to_owned(),
        step("copy uploads", 2),
        "Expected(3)".to_owned(),
        step("open", 3),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_dry_run_refuses_what_is_busy_and_says_what_was_abandoned() {
    let world = World::new().await;
    let tenant = world.trained().await;
    let foreseen = world.control().dry_run().reset(&slug("training")).await.unwrap();
    assert_eq!((foreseen.copied["rows"], foreseen.removed["rows"]), (Amount::items(3), Amount::items(1)));
    assert_eq!(foreseen.steps, ["close", "settle", "copy rows", "copy uploads", "renew", "open"]);
    let (before, after) = (foreseen.before.unwrap(), foreseen.after.unwrap());
    assert_eq!((before.settings.iter().count(), after.settings.iter().count()), (1, 0));
    assert_eq!(after.epoch, before.epoch + 1);
    assert_eq!(world.of(tenant)["rows"], ["mine"]);
    world.uploads.break_down("copy");
    let lasting = world.control().with_lease(Duration::from_secs(60));
    lasting.reset(&slug("training")).await.unwrap_err();
    let id = world.control().ledger().of(tenant).await.unwrap().unwrap().id;
    let foreseen = world.control().dry_run().reset(&slug("training")).await.unwrap();
    assert_eq!(foreseen.unfinished.map(|operation| operation.id), Some(id));
    let abandoned = world.control().dry_run().recover().await.unwrap();
    assert_eq!(abandoned.iter().map(|operation| operation.id).collect::<Vec<_>>(), [id]);
    let worker = tenantry_core::Worker { name: "somebody".to_owned(), lease: Duration::from_secs(60) };
    world.control().ledger().take(id, &worker).await.unwrap();
    let error = world.control().dry_run().reset(&slug("training")).await.unwrap_err();
    assert!(matches!(error, VerbError::Ledger(LedgerError::Busy { .. })), "{error:?}");
}

#[tokio::test]
async fn only_what_is_due_is_erased() {
    let world = World::new().await;
    let other = slug("other");
    let control = world.control();
    let error = control.erase(&other, Erasing::Now).await.unwrap_err();
    assert!(matches!(error, VerbError::NotDeleting { .. }), "{error:?}");
    assert!(control.delete(&other, Duration::from_secs(3600)).await.unwrap().changed);
    assert!(!control.delete(&other, Duration::ZERO).await.unwrap().changed, "the first mark counts");
    let endless = control.delete(&slug("seed"), 9000 * YEAR).await.unwrap_err();
    assert!(matches!(endless, VerbError::TooLong { .. }), "{endless:?}");
    let error = control.erase(&other, Erasing::WhenDue).await.unwrap_err();
    assert!(matches!(error, VerbError::EraseLater { .. }), "{error:?}");
    let id = world.id("other").await;
    let ended = control.erase(&other, Erasing::Now).await.unwrap();
    assert_eq!(ended.tenant, None);
    assert_eq!(ended.operation.progress.amounts["rows"], Amount::items(2));
    assert!(world.of(id).values().all(Vec::is_empty));
    world.only_these_have_something(&["seed"]).await;
}

#[tokio::test]
async fn a_time_after_the_year_9999_is_said_as_well() {
    let world = World::new().await;
    let erase_at = Some(Some(SystemTime::now() + 9000 * YEAR));
    let endless = Amendment { erase_at, ..Status::Deleting.into() };
    world.catalog.amend(world.id("other").await, &endless, None).await.unwrap();
    let error = world.control().erase(&slug("other"), Erasing::WhenDue).await.unwrap_err();
    assert_eq!(error.to_string(), "other may be erased from a time after the year 9999 on");
}

#[tokio::test]
async fn an_undeleted_tenant_is_not_due() {
    let world = World::new().await;
    let (other, control) = (slug("other"), world.control());
    control.delete(&other, Duration::ZERO).await.unwrap();
    let tenant = control.resume(&other, tenantry_control::Deleted::NotYet).await.unwrap().tenant;
    assert_eq!((tenant.status, tenant.erase_at), (Status::Active, None));
}

#[tokio::test]
async fn a_straggler_is_found_when_it_is_counted() {
    let world = World::new().await;
    let control = world.control();
    control.delete(&slug("other"), Duration::ZERO).await.unwrap();
    *world.rows.straggler.lock().unwrap() = true;
    let ended = control.erase(&slug("other"), Erasing::WhenDue).await.unwrap();
    assert_eq!(ended.operation.progress.amounts["rows"], Amount::items(3), "one was written after all were erased");
    world.only_these_have_something(&["seed"]).await;
}
