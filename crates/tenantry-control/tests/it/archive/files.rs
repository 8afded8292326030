//! The file that an export writes: there when it is whole, and else not.

use std::{fs, io};

use super::*;

#[tokio::test]
async fn a_file_is_whole_or_not_there() {
    let world = World::new().await;
    let (rows, acme) = (world.rows(), tenant(ACME));
    let file = world.file("acme.tar.zst");
    // What a killed export has left.
    fs::write(world.file("acme.tar.zst.partial"), vec![7; 100_000]).unwrap();
    archive::export(&acme, parts(&rows), &file, Options::default()).await.unwrap();
    let archive = fs::read(&file).unwrap();
    assert_eq!(members(&archive)[0].0, "header.json");
    assert!(!world.file("acme.tar.zst.partial").exists());
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&file).unwrap()) & 0o777, 0o600);

    // One that fails leaves the one before.
    let stop = Options::default().on_progress(|_| std::ops::ControlFlow::Break(()));
    assert!(matches!(archive::export(&acme, parts(&rows), &file, stop).await, Err(ArchiveError::Stopped)));
    assert_eq!(fs::read(&file).unwrap(), archive);
    assert!(!world.file("acme.tar.zst.partial").exists());
    let nowhere = world.file("no/such/folder.tar.zst");
    assert!(
        said(&archive::export(&acme, parts(&rows), &nowhere, Options::default()).await.unwrap_err())
            .contains("cannot be written")
    );

    // Of two at once, one has it.
    let lock = fs::File::create(world.file("acme.tar.zst.partial")).unwrap();
    lock.lock().unwrap();
    let busy = archive::export(&acme, parts(&rows), &file, Options::default()).await.unwrap_err();
    assert!(said(&busy).contains("another export writes to the same file"), "{busy}");
}

#[tokio::test]
async fn a_full_disk_and_a_closed_pipe_are_said_so() {
    let world = World::new().await;
    let (rows, acme) = (world.rows(), tenant(ACME));
    // Linux has a disk that is always full.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = archive::export_to(&acme, parts(&rows), full, Options::default()).await.unwrap_err();
    assert!(said(&error).contains("make room"), "{error}");
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let error = archive::export_to(&acme, parts(&rows), writer, Options::default()).await.unwrap_err();
    assert!(said(&error).contains("whoever read it has gone"), "{error}");
}
