//! Two tenants' random operations, interleaved, against a model of two separate worlds.

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tenantry_core::Scope;
use tenantry_resource::{
    uploads::{UploadError, Uploads},
    within,
};

use super::{body, clear, get, listed, name, tenants, usage};

/// Interleaves random operations of two tenants, on the same names, and compares with what two separate worlds would have.
/// `make` gives a handle on a place that is otherwise empty.
///
/// # Panics
///
/// When a tenant can tell that there is another one.
pub fn uploads_in_two_worlds(cases: u32, make: impl Fn() -> Uploads) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let operations = proptest::collection::vec((0..2_usize, operation()), 1..24);
    let uploads = make();
    let outcome = runner.run(&operations, |operations| {
        runtime.block_on(async {
            let scopes = tenants(Some(QUOTA as u64));
            clear(&uploads, &scopes).await;
            let mut worlds = [World::new(), World::new()];
            for (tenant, operation) in operations {
                run(&uploads, &scopes[tenant], &mut worlds[tenant], operation).await;
            }
            for (scope, world) in scopes.iter().zip(&worlds) {
                compare(&uploads, scope, world).await;
            }
            clear(&uploads, &scopes).await;
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// What a tenant has stored.
type World = BTreeMap<&'static str, Vec<u8>>;

#[derive(Clone, Debug)]
enum Operation {
    Put(&'static str, Vec<u8>),
    CutOff(&'static str, Vec<u8>),
    Get(&'static str),
    Delete(&'static str),
    List(Option<&'static str>),
    Usage,
    Clear,
}

fn operation() -> impl Strategy<Value = Operation> {
    let path = || prop::sample::select(vec!["a", "A", "a/b", "a/b/c", "b", "1/a", "2/a"]);
    let bytes = || prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        8 => (path(), bytes()).prop_map(|(path, bytes)| Operation::Put(path, bytes)),
        2 => (path(), bytes()).prop_map(|(path, bytes)| Operation::CutOff(path, bytes)),
        4 => path().prop_map(Operation::Get),
        3 => path().prop_map(Operation::Delete),
        2 => prop::option::of(path()).prop_map(Operation::List),
        2 => Just(Operation::Usage),
        1 => Just(Operation::Clear),
    ]
}

async fn run(uploads: &Uploads, scope: &Scope, world: &mut World, operation: Operation) {
    match operation {
        Operation::Put(path, bytes) => {
            let others: usize = world.iter().filter(|(other, _)| **other != path).map(|(_, bytes)| bytes.len()).sum();
            let put = within(scope.clone(), async { uploads.put(&name(path), None, body(&bytes)).await }).await;
            match others + bytes.len() <= QUOTA {
                true => {
                    assert_eq!(put.unwrap().bytes, bytes.len() as u64);
                    world.insert(path, bytes);
                }
                false => assert!(matches!(put, Err(UploadError::Quota { .. })), "{put:?}"),
            }
        }
        Operation::CutOff(path, bytes) => {
            let cut = futures_util::stream::once(async { Err(std::io::ErrorKind::ConnectionReset.into()) });
            let cut = futures_util::StreamExt::chain(body(&bytes), cut);
            let put = within(scope.clone(), async { uploads.put(&name(path), None, cut).await }).await;
            assert!(put.is_err());
        }
        Operation::Get(path) => assert_eq!(get(uploads, scope, path).await.as_ref(), world.get(path)),
        Operation::Delete(path) => {
            let deleted = within(scope.clone(), async { uploads.delete(&name(path)).await }).await.unwrap();
            assert_eq!(deleted, world.remove(path).is_some());
        }
        Operation::List(below) => {
            let is_below = |path: &str| {
                below.is_none_or(|below| path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/')))
            };
            let expected: Vec<_> = world.keys().filter(|path| is_below(path)).map(|path| (*path).to_owned()).collect();
            assert_eq!(listed(uploads, scope, below).await, expected);
        }
        Operation::Usage => compare_usage(uploads, scope, world).await,
        Operation::Clear => {
            let removed = within(scope.clone(), async { uploads.clear().await }).await.unwrap();
            assert_eq!(removed.objects, world.len() as u64);
            world.clear();
        }
    }
}

async fn compare(uploads: &Uploads, scope: &Scope, world: &World) {
    let names: Vec<_> = world.keys().map(|path| (*path).to_owned()).collect();
    assert_eq!(listed(uploads, scope, None).await, names);
    for (path, bytes) in world {
        assert_eq!(get(uploads, scope, path).await.as_ref(), Some(bytes));
    }
    compare_usage(uploads, scope, world).await;
}

async fn compare_usage(uploads: &Uploads, scope: &Scope, world: &World) {
    let bytes: usize = world.values().map(Vec::len).sum();
    assert_eq!(usage(uploads, scope).await, (world.len() as u64, bytes as u64));
}

const QUOTA: usize = 150;
