//! What uploads cost through the handle, against the bare store, in turn: `cargo run --release -p tenantry-benches --bin
//! uploads [ROUNDS]`.
//!
//! Bare is what an application writes itself: `put` for what fits into a part, `WriteMultipart` for what does not, durable as
//! through the handle; `get` and its stream. The plan has a quota that is counted and never reached.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{io, sync::Arc, time::Instant};

use anyhow::Context;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use object_store::{
    ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart, local::LocalFileSystem, memory::InMemory,
    path::Path as Key,
};
use tenantry::{
    Keys, MasterKeys, Scope,
    uploads::{ObjectName, Options, Place, Uploads},
    within,
};
use tenantry_benches::tenancy;

/// Bytes of an object, and how often it is sent in one measurement.
const SIZES: [(usize, u32); 3] = [(16 << 10, 64), (1 << 20, 16), (32 << 20, 1)];
/// As a server reads a body.
const PIECE: usize = 64 << 10;
const PART: usize = 5 << 20;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(31), |rounds| rounds.parse())?;
    let folder = tempfile::tempdir()?;
    let tenancy = tenancy(folder.path(), 1).await?;
    let tenants = tenancy.catalog().page(None, 1).await?;
    let tenant = tenants.first().context("it was created")?;
    let scope = tenancy.admission().admit_id(tenant.id).map_err(anyhow::Error::msg)?;
    let keys = || anyhow::Ok(Keys::new(MasterKeys::generate()?));
    let (bare, handle) = (folder.path().join("bare"), folder.path().join("handle"));
    std::fs::create_dir(&bare)?;
    let store = LocalFileSystem::new_with_prefix(&bare)?.with_fsync(true);
    let place = Place::Folder(handle);
    compare("folder", rounds, &store, &Uploads::new(place, Options::default(), keys()?), &scope).await?;
    let place = Place::Store(Arc::new(InMemory::new()));
    compare("memory", rounds, &InMemory::new(), &Uploads::new(place, Options::default(), keys()?), &scope).await
}

async fn compare(
    place: &str,
    rounds: usize,
    store: &dyn ObjectStore,
    uploads: &Uploads,
    scope: &Scope,
) -> anyhow::Result<()> {
    let (key, name): (Key, ObjectName) = (Key::from("it"), "it".parse()?);
    for (bytes, times) in SIZES {
        let content = Bytes::from(vec![b'x'; bytes]);
        let (mut up, mut down) = (Measured::default(), Measured::default());
        for _ in 0..rounds {
            let begun = Instant::now();
            for _ in 0..times {
                put_bare(store, &key, body(&content)).await?;
            }
            let bare = begun.elapsed();
            let begun = Instant::now();
            for _ in 0..times {
                within(scope.clone(), uploads_put(uploads, &name, body(&content))).await?;
            }
            up.add(bare.as_secs_f64(), begun.elapsed().as_secs_f64());
            let begun = Instant::now();
            for _ in 0..times {
                drain(store.get(&key).await?.into_stream()).await?;
            }
            let bare = begun.elapsed();
            let begun = Instant::now();
            for _ in 0..times {
                let download =
                    within(scope.clone(), async { uploads.get(&name).await }).await?.context("it is there")?;
                drain(download).await?;
            }
            down.add(bare.as_secs_f64(), begun.elapsed().as_secs_f64());
        }
        up.print(&format!("{place}, {} KiB up", bytes >> 10), times);
        down.print(&format!("{place}, {} KiB down", bytes >> 10), times);
    }
    Ok(())
}

async fn uploads_put(
    uploads: &Uploads,
    name: &ObjectName,
    body: impl Stream<Item = io::Result<Bytes>> + Send,
) -> anyhow::Result<()> {
    uploads.put(name, None, body).await?;
    Ok(())
}

async fn put_bare(
    store: &dyn ObjectStore,
    key: &Key,
    mut body: impl Stream<Item = io::Result<Bytes>> + Unpin,
) -> anyhow::Result<()> {
    let (mut first, mut len) = (Vec::new(), 0);
    while let Some(bytes) = body.try_next().await? {
        len += bytes.len();
        first.push(bytes);
        if len >= PART {
            let upload = store.put_multipart(key).await?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
            first.into_iter().for_each(|bytes| parts.put(bytes));
            while let Some(bytes) = body.try_next().await? {
                parts.wait_for_capacity(2).await?;
                parts.put(bytes);
            }
            parts.finish().await?;
            return Ok(());
        }
    }
    store.put(key, PutPayload::from_iter(first)).await?;
    Ok(())
}

fn body(content: &Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
    let content = content.clone();
    let pieces = (0..content.len()).step_by(PIECE);
    stream::iter(pieces.map(move |at| Ok(content.slice(at..content.len().min(at + PIECE)))))
}

async fn drain<E>(stream: impl Stream<Item = Result<Bytes, E>>) -> Result<usize, E> {
    stream.map_ok(|bytes| bytes.len()).try_fold(0, |sum, len| std::future::ready(Ok(sum + len))).await
}

/// Times of rounds, bare and through the handle.
#[derive(Default)]
struct Measured {
    bare: Vec<f64>,
    handle: Vec<f64>,
    ratios: Vec<f64>,
}

impl Measured {
    fn add(&mut self, bare: f64, handle: f64) {
        self.bare.push(bare);
        self.handle.push(handle);
        self.ratios.push(handle / bare);
    }

    fn print(mut self, what: &str, times: u32) {
        let each = |times_of_rounds: &mut Vec<f64>| median(times_of_rounds) * 1e6 / f64::from(times);
        let (bare, handle) = (each(&mut self.bare), each(&mut self.handle));
        println!("{what:<24} bare {bare:>9.1} µs, handle {handle:>9.1} µs, ratio {:.3}", median(&mut self.ratios));
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
