//! Uploads in memory and in a folder, and what can happen to a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use object_store::memory::InMemory;
use tenantry_core::{Code, Limits, Refusal, Scope};
use tenantry_resource::{
    Keys, MasterKeys,
    uploads::{ObjectName, Options, Place, UploadError, Uploads},
    within,
};
use tenantry_test::resources::{two_tenants, uploads, uploads_in_two_worlds};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

const KEY: &str = "3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=";
/// Where a process that this test starts finds the folder.
const FOLDER: &str = "TENANTRY_TEST_UPLOADS";

pub(super) fn open(place: Place, options: Options) -> Uploads {
    Uploads::new(place, options, Keys::new(MasterKeys::parse(KEY).unwrap()))
}

fn folder(path: &Path) -> Uploads {
    open(Place::Folder(path.to_owned()), Options::default())
}

fn acme() -> Scope {
    let [acme, _] = two_tenants(Limits::NONE);
    acme
}

fn name(text: &str) -> ObjectName {
    text.parse().unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory() {
    let store = Arc::new(InMemory::new());
    uploads(|| open(Place::Store(store.clone()), Options::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let below = root.path().join("made/when it is missing");
    uploads(|| folder(&below)).await;
    assert_eq!(files(&below), Vec::<PathBuf>::new(), "the suite has removed all that it stored");
}

#[test]
fn two_worlds_in_memory() {
    uploads_in_two_worlds(128, || open(Place::Store(Arc::new(InMemory::new())), Options::default()));
}

#[test]
fn two_worlds_in_a_folder() {
    let root = tempfile::tempdir().unwrap();
    uploads_in_two_worlds(48, || folder(root.path()));
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_their_owners_only_and_where_they_are_said_to_be() {
    use std::os::unix::fs::PermissionsExt;

    let root = tempfile::tempdir().unwrap();
    let (made, mode) =
        (root.path().join("uploads"), |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777);
    for len in [3, 9 << 20] {
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; len]))]);
        let path = name(&format!("invoices/May {len}.pdf"));
        within(acme(), async { folder(&made).put(&path, Some("application/pdf"), body).await }).await.unwrap();
        let file = made.join(format!("1/invoices,/!may {len}.pdf"));
        assert_eq!((mode(&made), mode(&made.join("1")), mode(&file)), (0o700, 0o700, 0o600));
        let content = fs::read(&file).unwrap();
        let trailer = content.strip_prefix(&*vec![b'x'; len]).unwrap();
        assert!(trailer.len() == 128 && trailer.starts_with(b"\ntenantry upload 1\napplication/pdf\n\n"));
    }
    // What somebody else has put there is no upload: it is not listed, and nothing is made of it.
    fs::write(made.join("1/FOREIGN"), "").unwrap();
    fs::write(made.join("1/foreign"), "short").unwrap();
    let uploads = folder(&made);
    let listed = within(acme(), async { uploads.list(None).collect::<Vec<_>>().await }).await;
    assert_eq!(listed.len(), 3);
    let read = within(acme(), async { uploads.get(&name("foreign")).await }).await.unwrap_err();
    assert_eq!(Refusal::from(read).code(), Code::UploadsUnavailable);
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_the_folder_are_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let (made, outside) = (root.path().join("uploads"), root.path().join("outside"));
    fs::create_dir_all(made.join("1")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), vec![b'x'; 500]).unwrap();
    std::os::unix::fs::symlink(&outside, made.join("1/out,")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret"), made.join("1/secret")).unwrap();
    let uploads = folder(&made);
    within(acme(), async {
        for path in ["secret", "out/secret", "out/new"] {
            let path = name(path);
            assert!(matches!(uploads.get(&path).await, Err(UploadError::Unavailable { .. })));
            assert!(matches!(uploads.delete(&path).await, Err(UploadError::Unavailable { .. })));
            let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]);
            assert!(matches!(uploads.put(&path, None, body).await, Err(UploadError::Unavailable { .. })));
        }
        assert_eq!((uploads.list(None).count().await, uploads.clear().await.unwrap().objects), (0, 0));
    })
    .await;
    assert_eq!(files(&outside), [outside.join("secret")]);
    assert_eq!(fs::read(outside.join("secret")).unwrap().len(), 500);
}

#[tokio::test(start_paused = true)]
async fn uploads_of_other_processes_are_noticed_when_it_is_time() {
    let store = Arc::new(InMemory::new());
    let [one, other] = [0, 1].map(|_| open(Place::Store(store.clone()), Options::default()));
    let usage = async |uploads: &Uploads| within(acme(), async { uploads.usage().await }).await.unwrap().bytes;
    assert_eq!((usage(&one).await, usage(&other).await), (0, 0));
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"12345"))]);
    within(acme(), async { one.put(&name("a"), None, body).await }).await.unwrap();
    assert_eq!((usage(&one).await, usage(&other).await), (5, 0));
    tokio::time::advance(Options::default().usage_max_age).await;
    assert_eq!((usage(&one).await, usage(&other).await), (5, 5));
}

#[tokio::test]
async fn an_upload_can_be_too_large() {
    let mut options = Options::default();
    options.object_bytes_max = Some(5);
    let uploads = open(Place::Store(Arc::new(InMemory::new())), options);
    within(acme(), async {
        for (sent, fits) in [(&b"12345"[..], true), (b"123456", false)] {
            let body = stream::iter(sent.chunks(2).map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece))));
            let stored = uploads.put(&name("a"), None, body).await;
            assert_eq!(stored.is_ok(), fits);
            assert!(fits || matches!(stored, Err(UploadError::TooLarge { max: 5, .. })));
        }
    })
    .await;
}

/// A process is killed while it stores something; what it leaves does not count, and is swept in time.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_leaves_is_swept() {
    if let Some(path) = std::env::var_os(FOLDER) {
        upload_for_ever(Path::new(&path)).await;
    }
    let root = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "resources::uploads::what_a_killed_process_leaves_is_swept", "--nocapture"])
        .env(FOLDER, root.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while lines.next_line().await.unwrap().expect("it says so before it ends") != "under way" {}
    child.kill().await.unwrap();
    let left = files(root.path());
    assert!(left.len() == 1 && left[0].to_string_lossy().ends_with("it#1"), "{left:?}");
    within(acme(), async {
        let uploads = folder(root.path());
        assert_eq!((uploads.usage().await.unwrap().bytes, uploads.head(&name("it")).await.unwrap()), (0, None));
        assert_eq!(files(root.path()), left, "it may be of a process that lives");
        let mut options = Options::default();
        options.parts_max_age = Duration::ZERO;
        let later = open(Place::Folder(root.path().to_owned()), options);
        assert_eq!(later.usage().await.unwrap().bytes, 0);
        assert_eq!(files(root.path()), Vec::<PathBuf>::new());
    })
    .await;
}

#[expect(clippy::print_stdout, reason = "the test that has started this process waits for it")]
async fn upload_for_ever(path: &Path) {
    let uploads = folder(path);
    let pieces = stream::iter(0..).map(|number| {
        if number == 150 {
            println!("under way");
        }
        Bytes::from(vec![b'x'; 100_000])
    });
    let body = pieces.take(151).map(Ok::<_, std::io::Error>).chain(stream::pending());
    within(acme(), async { uploads.put(&name("it"), None, body).await }).await.unwrap();
}

/// A disk that takes no more, as a limit on the size of files has it: the error is the same but for its number.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_leaves_nothing() {
    if let Some(path) = std::env::var_os(FOLDER) {
        return fill_the_disk(Path::new(&path)).await;
    }
    let root = tempfile::tempdir().unwrap();
    let status = Command::new("sh")
        // Without the trap, the limit would end the process.
        .args(["-c", "trap '' XFSZ; ulimit -f 12000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "resources::uploads::a_full_disk_is_said_and_leaves_nothing"])
        .env(FOLDER, root.path())
        .status();
    assert!(status.await.unwrap().success());
    let left = files(root.path());
    assert!(left.len() == 1 && left[0].ends_with("1/small"), "{left:?}");
}

async fn fill_the_disk(path: &Path) {
    let uploads = folder(path);
    let put = async |path: &str, len: usize| {
        let pieces = vec![b'x'; len]
            .chunks(50_000)
            .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
            .collect::<Vec<_>>();
        within(acme(), async { uploads.put(&name(path), None, stream::iter(pieces)).await }).await
    };
    put("small", 1_000_000).await.unwrap();
    for attempt in ["large", "large", "small"] {
        let full = put(attempt, 20_000_000).await.unwrap_err();
        assert!(matches!(full, UploadError::DiskFull { .. }), "{full:?}");
        assert_eq!(Refusal::from(full).code(), Code::UploadsUnavailable);
    }
    let usage = within(acme(), async { uploads.usage().await }).await.unwrap();
    assert_eq!((usage.objects, usage.bytes), (1, 1_000_000));
}
