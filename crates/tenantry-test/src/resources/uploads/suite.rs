//! Whose is what, and whether it is whole.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tenantry_core::{Code, Refusal};
use tenantry_resource::{
    TokenError, spawn,
    uploads::{UploadError, Uploads},
    within, within_sync,
};

use super::{LARGE, all_of, body, clear, get, listed, name, noise, put, tenants, usage};

pub(super) async fn tenants_do_not_see_each_other(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    for path in ["a", "invoices/May.pdf", "1/a", "2/a"] {
        put(uploads, &acme, path, b"of acme").await;
        assert_eq!(get(uploads, &globex, path).await, None);
        put(uploads, &globex, path, b"of globex, the same name").await;
        assert_eq!(get(uploads, &acme, path).await.unwrap(), b"of acme");
        assert_eq!(get(uploads, &globex, path).await.unwrap(), b"of globex, the same name");
    }
    for scope in [&acme, &globex] {
        assert_eq!(listed(uploads, scope, None).await, ["1/a", "2/a", "a", "invoices/May.pdf"]);
    }
    assert_eq!((usage(uploads, &acme).await, usage(uploads, &globex).await), ((4, 4 * 7), (4, 4 * 24)));
    let deleted = within(acme.clone(), async { uploads.delete(&name("a")).await }).await;
    assert!(deleted.unwrap());
    assert_eq!((get(uploads, &acme, "a").await, get(uploads, &globex, "a").await.unwrap().len()), (None, 24));
    within(acme.clone(), async { uploads.clear().await }).await.unwrap();
    assert_eq!((usage(uploads, &acme).await, usage(uploads, &globex).await), ((0, 0), (4, 4 * 24)));
    assert_eq!(listed(uploads, &globex, None).await.len(), 4);
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn without_a_scope_nothing_is_done(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    put(uploads, &acme, "a", b"1").await;
    let token = within_sync(acme.clone(), || uploads.link(&name("a"), Duration::MAX)).unwrap();
    let refusals = [
        uploads.put(&name("a"), None, body(b"2")).await.map(drop),
        uploads.get(&name("a")).await.map(drop),
        uploads.get_range(&name("a"), 0..1).await.map(drop),
        uploads.head(&name("a")).await.map(drop),
        uploads.delete(&name("a")).await.map(drop),
        uploads.usage().await.map(drop),
        uploads.clear().await.map(drop),
        uploads.list(None).next().await.unwrap().map(drop),
        uploads.open_link(&token).await.map(drop),
        uploads.linked(&token).map(drop),
        uploads.link(&name("a"), Duration::MAX).map(drop).map_err(UploadError::from),
    ];
    for refusal in refusals {
        assert_eq!(Refusal::from(refusal.unwrap_err()).code(), Code::NoScope);
    }
    assert_eq!(get(uploads, &acme, "a").await.unwrap(), b"1");
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn tasks_streams_and_retries_keep_the_tenant(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    put(uploads, &globex, "a", b"of globex").await;
    // A task.
    let stored = within(acme.clone(), async {
        let uploads = uploads.clone();
        spawn(async move { uploads.put(&name("a"), None, body(b"of acme")).await }).unwrap().await.unwrap()
    });
    assert_eq!(stored.await.unwrap().bytes, 7);
    // What a call has returned is of the tenant that called, wherever it is polled.
    let (read, put_later, list) = within_sync(acme.clone(), || {
        (uploads.get(&name("a")), uploads.put(&name("later"), None, body(b"of acme")), uploads.list(None))
    });
    within(globex.clone(), async {
        assert_eq!(all_of(read.await.unwrap().unwrap()).await, b"of acme");
        put_later.await.unwrap();
        assert_eq!(list.collect::<Vec<_>>().await.len(), 2);
    })
    .await;
    assert_eq!(listed(uploads, &globex, None).await, ["a"]);
    // A body that is made within the scope is polled there, and a second try is for the same tenant.
    let retried = within(acme.clone(), async {
        let failing = stream::once(async { Err::<Bytes, _>("cut off".to_owned()) });
        let failed = uploads.put(&name("retried"), None, failing).await;
        assert!(matches!(failed, Err(UploadError::Body { .. })), "{failed:?}");
        let scoped = stream::once(async { Ok::<_, UploadError>(Bytes::from(current_slug())) });
        uploads.put(&name("retried"), None, scoped).await
    });
    assert_eq!(retried.await.unwrap().bytes, 4);
    assert_eq!(get(uploads, &acme, "retried").await.unwrap(), b"acme");
    clear(uploads, &[acme, globex]).await;
}

fn current_slug() -> String {
    tenantry_resource::current().unwrap().slug().to_string()
}

pub(super) async fn names_stay_apart(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    let names = [
        "a",
        "A",
        "a/b",
        "a/B",
        "a/b/c",
        "é",
        "É",
        "ss",
        "ß",
        "s",
        "ſ",
        "50% off #1?.txt",
        "=41-",
        "!a",
        "写真/夏.jpg",
        "%2e%2e",
    ];
    for path in names {
        put(uploads, &acme, path, path.as_bytes()).await;
    }
    for path in names {
        assert_eq!(get(uploads, &acme, path).await.as_deref(), Some(path.as_bytes()), "{path}");
    }
    let mut sorted = names.map(str::to_owned);
    sorted.sort();
    assert_eq!(listed(uploads, &acme, None).await, sorted);
    assert_eq!(listed(uploads, &acme, Some("a")).await, ["a/B", "a/b", "a/b/c"]);
    assert_eq!(listed(uploads, &acme, Some("e\u{301}")).await, Vec::<String>::new());
    assert_eq!(get(uploads, &acme, "e\u{301}").await.unwrap(), "é".as_bytes(), "one name, typed by two systems");
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn what_is_stored_is_what_was_sent(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    for len in [0, 1, 4096, LARGE] {
        let sent = noise(len);
        let (path, bytes) = (name("it"), len as u64);
        within(acme.clone(), async {
            let stored = uploads.put(&path, Some("image/png"), body(&sent)).await.unwrap();
            assert_eq!((&stored.name, stored.bytes, &*stored.content_type), (&path, bytes, "image/png"));
            let head = uploads.head(&path).await.unwrap().unwrap();
            assert_eq!((&head.name, head.bytes, &*head.content_type), (&path, bytes, "image/png"));
            let download = uploads.get(&path).await.unwrap().unwrap();
            assert_eq!((download.stored.bytes, download.range.clone()), (bytes, 0..bytes));
            assert_eq!(download.stored.headers()[0], ("content-type", "image/png".to_owned()));
            assert!(all_of(download).await == sent, "{len} bytes are not what was sent");
            for (wanted, range) in [
                (0..1, 0..bytes.min(1)),
                (1..u64::MAX, bytes.min(1)..bytes),
                (bytes..bytes + 9, bytes..bytes),
                (bytes / 2..bytes / 2 + 300_000, bytes / 2..bytes.min(bytes / 2 + 300_000)),
            ] {
                let part = uploads.get_range(&path, wanted.clone()).await.unwrap().unwrap();
                let indices = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                assert_eq!(part.stored.bytes, bytes);
                assert!(part.range == range || range.is_empty() && part.range.is_empty(), "{wanted:?} of {len}");
                assert!(all_of(part).await == sent[indices], "{wanted:?} of {len}");
            }
        })
        .await;
    }
    let nothing = within(acme.clone(), async {
        let path = name("nothing");
        (
            uploads.head(&path).await.unwrap(),
            uploads.get_range(&path, 0..1).await.unwrap().is_none(),
            uploads.delete(&path).await,
        )
    });
    assert!(matches!(nothing.await, (None, true, Ok(false))));
    let untyped = put(uploads, &acme, "untyped", b"").await;
    assert_eq!(untyped.content_type, "application/octet-stream");
    for wrong in ["", "png", "image/png\r\nx: y", "image/", &format!("a/{}", "b".repeat(200))] {
        let refused = within(acme.clone(), async { uploads.put(&name("wrong"), Some(wrong), body(b"")).await }).await;
        assert!(matches!(refused, Err(UploadError::ContentType { .. })), "{wrong}");
    }
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn links_are_of_one_tenant(uploads: &Uploads) {
    let [acme, globex] = tenants(None);
    for scope in [&acme, &globex] {
        put(uploads, scope, "a", scope.slug().as_str().as_bytes()).await;
        put(uploads, scope, "b", b"").await;
    }
    let link = |valid_for| within_sync(acme.clone(), || uploads.link(&name("a"), valid_for)).unwrap();
    let (token, late) = (link(Duration::from_secs(60)), link(Duration::ZERO));
    within(acme.clone(), async {
        let download = uploads.open_link(&token).await.unwrap().unwrap();
        assert_eq!(download.stored.name.as_str(), "a");
        assert_eq!(all_of(download).await, b"acme");
        assert!(matches!(uploads.open_link(&late).await, Err(UploadError::Link(TokenError::Expired))));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(matches!(uploads.linked(&changed), Err(UploadError::Link(TokenError::NotOurs))), "{changed}");
        }
        uploads.delete(&name("a")).await.unwrap();
        assert!(uploads.open_link(&token).await.unwrap().is_none());
    })
    .await;
    let replayed = within(globex.clone(), async { uploads.open_link(&token).await }).await.unwrap_err();
    assert_eq!(Refusal::from(replayed).code(), Code::LinkInvalid);
    clear(uploads, &[acme, globex]).await;
}

pub(super) async fn a_new_handle_finds_all(before: &Uploads, after: &Uploads) {
    let [acme, globex] = tenants(Some(100));
    put(before, &acme, "a/b", b"kept").await;
    put(before, &globex, "a/b", b"kept too").await;
    assert_eq!(
        (get(after, &acme, "a/b").await.unwrap(), get(after, &globex, "a/b").await.unwrap().len()),
        (b"kept".to_vec(), 8)
    );
    assert_eq!((usage(after, &acme).await, usage(after, &globex).await), ((1, 4), (1, 8)));
    let full = within(acme.clone(), async { after.put(&name("c"), None, body(&[0; 97])).await }).await;
    assert!(matches!(full, Err(UploadError::Quota { used: 4, max: 100, .. })), "{full:?}");
    clear(after, &[acme, globex]).await;
}
