//! How much may be stored, and what is left of what was not.

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use tenantry_core::{Code, Refusal, Unscoped};
use tenantry_resource::{
    uploads::{UploadError, Uploads},
    within,
};

use super::{LARGE, body, clear, get, listed, name, noise, put, tenants, usage};

pub(super) async fn what_is_cut_off_leaves_nothing(uploads: &Uploads) {
    let [acme, globex] = tenants(Some(LARGE as u64));
    put(uploads, &acme, "it", b"as it was").await;
    for sent in [0, 1, LARGE - 100] {
        let cut = || body(&noise(sent)).chain(stream::once(async { Err(std::io::ErrorKind::ConnectionReset.into()) }));
        let failed = within(acme.clone(), async { uploads.put(&name("it"), None, cut()).await }).await.unwrap_err();
        assert_eq!(Refusal::from(failed).code(), Code::RequestMalformed);
        // The same, but the client hangs, and its request is given up.
        let (told, started) = tokio::sync::oneshot::channel();
        let hung = body(&noise(sent)).chain(stream::once(async move {
            told.send(()).unwrap();
            future::pending().await
        }));
        within(acme.clone(), async {
            tokio::select! {
                stored = uploads.put(&name("new/it"), None, hung) => panic!("{stored:?}"),
                started = started => started.unwrap(),
            }
        })
        .await;
        assert_eq!((usage(uploads, &acme).await, listed(uploads, &acme, None).await), ((1, 9), vec!["it".to_owned()]));
        assert_eq!(get(uploads, &acme, "it").await.unwrap(), b"as it was");
    }
    // All of the quota is there again.
    put(uploads, &acme, "rest", &noise(LARGE - 9)).await;
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn uploads_under_way_share_a_quota(uploads: &Uploads) {
    let [acme, globex] = tenants(Some(1_000_000));
    // Nobody sends all of this: it is refused while it comes.
    let endless = || stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[7; 10_000])));
    let refused =
        within(acme.clone(), async { uploads.put(&name("endless"), None, endless()).await }).await.unwrap_err();
    assert!(matches!(refused, UploadError::Quota { used: 1_000_000, max: 1_000_000, .. }), "{refused}");
    assert_eq!(Refusal::from(refused).code(), Code::QuotaExceeded);
    // Of ten that want 300,000 each at once, three fit, and never more; none of them counts for the neighbour.
    let one = |number: usize| {
        let path = name(&format!("at once/{number}"));
        let (uploads, scope, sent) = (uploads.clone(), acme.clone(), noise(300_000));
        async move { within(scope, async { uploads.put(&path, None, body(&sent)).await }).await.is_ok() }
    };
    let stored = future::join_all((0..10).map(one)).await.into_iter().filter(|stored| *stored).count();
    assert!(stored <= 3, "{stored} were stored");
    assert_eq!(usage(uploads, &acme).await, (stored as u64, stored as u64 * 300_000));
    assert_eq!(listed(uploads, &acme, None).await.len(), stored);
    put(uploads, &globex, "neighbour", &noise(1_000_000)).await;
    for number in stored..3 {
        put(uploads, &acme, &format!("later/{number}"), &noise(300_000)).await;
    }
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn what_replaces_counts_as_the_difference(uploads: &Uploads) {
    let [acme, globex] = tenants(Some(1000));
    put(uploads, &acme, "it", &noise(900)).await;
    put(uploads, &acme, "other", &noise(100)).await;
    for (path, len, used) in
        [("it", 900, 1000), ("it", 10, 110), ("it", 900, 1000), ("other", 0, 900), ("other", 100, 1000)]
    {
        put(uploads, &acme, path, &noise(len)).await;
        assert_eq!(usage(uploads, &acme).await, (2, used));
    }
    let refused = within(acme.clone(), async { uploads.put(&name("it"), None, body(&noise(901))).await }).await;
    assert!(matches!(refused, Err(UploadError::Quota { used: 1900 | 1000, max: 1000, .. })), "{refused:?}");
    assert_eq!(get(uploads, &acme, "it").await.unwrap().len(), 900);
    // Two that replace the same at once: whichever comes last is there, and counts.
    let replace = |len: usize| {
        let (uploads, scope) = (uploads.clone(), acme.clone());
        async move { within(scope, async { uploads.put(&name("it"), None, body(&noise(len))).await }).await }
    };
    let (one, two) = tokio::join!(replace(300), replace(400));
    let len = get(uploads, &acme, "it").await.unwrap().len();
    assert!(one.is_ok() && two.is_ok() && [300, 400].contains(&len));
    assert_eq!(usage(uploads, &acme).await, (2, 100 + len as u64));
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn all_of_a_tenant_can_be_counted_and_removed(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    for scope in [&acme, &globex] {
        put(uploads, scope, "a/b", b"123").await;
        put(uploads, scope, "c", b"4").await;
    }
    let unscoped = || Unscoped::because("the suite removes a tenant");
    let counted = uploads.usage_of(acme.id(), unscoped()).await.unwrap();
    assert_eq!((counted.objects, counted.bytes), (2, 4));
    assert_eq!(uploads.remove_all(acme.id(), unscoped()).await.unwrap(), counted);
    assert_eq!(uploads.remove_all(acme.id(), unscoped()).await.unwrap().objects, 0);
    assert_eq!((usage(uploads, &acme).await, usage(uploads, &globex).await), ((0, 0), (2, 4)));
    clear(uploads, &[acme, globex]).await;
}
