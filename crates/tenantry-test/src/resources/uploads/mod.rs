//! What any place of uploads has to do.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a suite fails by panicking")]

mod quota;
mod suite;
mod worlds;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tenantry_core::{Limits, Scope};
use tenantry_resource::{
    uploads::{Download, ObjectName, Stored, Uploads},
    within,
};

use super::two_tenants;

pub use self::worlds::uploads_in_two_worlds;

/// Runs the suite. Each call of `make` gives a new handle on the same place, as another process would have it, which is
/// otherwise empty.
///
/// # Panics
///
/// When something is not as it has to be.
pub async fn uploads(make: impl Fn() -> Uploads) {
    suite::tenants_do_not_see_each_other(&make()).await;
    suite::without_a_scope_nothing_is_done(&make()).await;
    suite::tasks_streams_and_retries_keep_the_tenant(&make()).await;
    suite::names_stay_apart(&make()).await;
    suite::what_is_stored_is_what_was_sent(&make()).await;
    suite::links_are_of_one_tenant(&make()).await;
    suite::a_new_handle_finds_all(&make(), &make()).await;
    quota::what_is_cut_off_leaves_nothing(&make()).await;
    quota::uploads_under_way_share_a_quota(&make()).await;
    quota::what_replaces_counts_as_the_difference(&make()).await;
    quota::all_of_a_tenant_can_be_counted_and_removed(&make()).await;
}

fn name(text: &str) -> ObjectName {
    text.parse().unwrap()
}

/// Two tenants who may store so much.
fn tenants(upload_bytes_max: Option<u64>) -> [Scope; 2] {
    let mut limits = Limits::NONE;
    limits.upload_bytes_max = upload_bytes_max;
    two_tenants(limits)
}

/// A body that comes in pieces.
fn body(bytes: &[u8]) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<> {
    let pieces: Vec<_> = bytes.chunks(PIECE).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

async fn put(uploads: &Uploads, scope: &Scope, path: &str, bytes: &[u8]) -> Stored {
    within(scope.clone(), async { uploads.put(&name(path), None, body(bytes)).await }).await.unwrap()
}

async fn get(uploads: &Uploads, scope: &Scope, path: &str) -> Option<Vec<u8>> {
    let download = within(scope.clone(), async { uploads.get(&name(path)).await }).await.unwrap()?;
    Some(all_of(download).await)
}

async fn all_of(download: Download) -> Vec<u8> {
    let pieces: Vec<Bytes> = download.try_collect().await.unwrap();
    pieces.concat()
}

/// The names of all objects, in order.
async fn listed(uploads: &Uploads, scope: &Scope, below: Option<&str>) -> Vec<String> {
    let below = below.map(name);
    let listed = within(scope.clone(), async { uploads.list(below.as_ref()).collect::<Vec<_>>().await }).await;
    let mut names: Vec<_> = listed.into_iter().map(|stored| stored.unwrap().name.to_string()).collect();
    names.sort();
    names
}

async fn usage(uploads: &Uploads, scope: &Scope) -> (u64, u64) {
    let usage = within(scope.clone(), async { uploads.usage().await }).await.unwrap();
    (usage.objects, usage.bytes)
}

async fn clear(uploads: &Uploads, scopes: &[Scope]) {
    for scope in scopes {
        within(scope.clone(), async { uploads.clear().await }).await.unwrap();
        assert_eq!((usage(uploads, scope).await, listed(uploads, scope, None).await), ((0, 0), Vec::new()));
    }
}

/// Bytes of which no part is like another.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

const PIECE: usize = 100_000;
/// More than a part of any store, so that an upload of it goes in several.
const LARGE: usize = (9 << 20) + 17;
