//! Archives that are not what they should be are refused, and nobody's rows change.

use proptest::{prelude::*, test_runner::TestRunner};
use tenantry_control::archive::{FORMAT_VERSION, ReadLimits, inspect};

use super::*;

fn inspected(archive: &[u8]) -> Result<Summary, ArchiveError> {
    inspect(archive, &ReadLimits::default())
}

#[tokio::test]
async fn every_byte_counts() {
    let world = World::new().await;
    let archive = world.archive().await;
    let before = world.others().await;
    assert_eq!(inspected(&archive).unwrap().rows, [2, 1]);
    for at in 0..archive.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = archive.clone();
            changed[at] ^= flip;
            assert!(inspected(&changed).is_err(), "byte {at} by {flip}");
            if at % 61 == 0 && flip == 0x01 {
                assert!(world.import(changed).await.is_err(), "byte {at}");
                assert_eq!(world.others().await, before);
            }
        }
    }
    for end in 0..archive.len() {
        assert!(matches!(inspected(&archive[..end]), Err(ArchiveError::CutOff | ArchiveError::NotAnArchive)), "{end}");
        if end % 61 == 0 {
            assert!(world.import(archive[..end].to_vec()).await.is_err());
            assert_eq!(world.others().await, before);
        }
    }
    for more in [&b"\0"[..], b"more", &archive] {
        assert!(inspected(&[&archive, more].concat()).is_err());
    }
    world.import(archive).await.unwrap();
    assert_eq!(world.all().await.len(), before.len() + 5, "two notes, a tag, a tenant and how far its ids are");
}

#[tokio::test]
async fn what_was_made_up_is_looked_at() {
    let world = World::new().await;
    let good = members(&world.archive().await);
    assert_eq!(inspected(&packed(&good)).unwrap().rows, [2, 1], "this is how they are made up");
    let before = world.others().await;
    let header = String::from_utf8(good[0].1.clone()).unwrap();
    let with_header = |from: &str, to: &str| {
        assert!(header.contains(from), "{from}");
        let mut members = good.clone();
        members[0].1 = header.replace(from, to).into_bytes();
        members
    };
    let with_rows = |lines: &str| {
        let mut members = good.clone();
        members[2].1 = lines.as_bytes().to_vec();
        members
    };
    let renamed = |at: usize, name: &str| {
        let mut members = good.clone();
        members[at].0 = name.to_owned();
        members
    };
    let version = format!("\"version\": {FORMAT_VERSION}");
    let cases: Vec<(Members, &str)> = vec![
        (with_header(&version, "\"version\": 999"), "has format 999, and this version reads up to 1"),
        (with_header("tenantry archive", "other"), "this is no archive of a tenant"),
        (with_header("\"notes\"", "\"tags\""), "it has the table \"tags\" twice"),
        (with_header("\"notes\"", "\"TAGS\""), "table \"tags\" is there twice"),
        (with_header("\"notes\"", "\"_tenantry_tenants\""), "there is no table \"_tenantry_tenants\" here"),
        (with_header("\"notes\"", "\"notes\\\" (title) VALUES ('x'); --\""), "there is no table"),
        (with_header("\"title\"", "\"_tenant\""), "has no column \"_tenant\" here"),
        (with_header("\"slug\": \"acme\"", "\"slug\": \"../acme\""), "its header has values that are none"),
        (with_rows("[1,\"a\",null,7]\n"), "line 1 of notes is no row"),
        (with_rows("[1,\"a\"]\n"), "line 1 of notes is no row"),
        (with_rows("[1,\"a\",null]\n[1,\"b\",null]\n"), "line 2 of notes cannot be a row here: UNIQUE"),
        (with_rows("[1,null,null]\n"), "line 1 of notes cannot be a row here: NOT NULL"),
        (with_rows("[\"x\",\"a\",null]\n"), "line 1 of notes cannot be a row here"),
        (with_rows("[1,\"a\",9]\n"), "rows of notes refer to rows of notes that are not there"),
        (with_rows("[1,\"a\",{\"r\":\"NaN\"}]\n"), "cannot store NaN"),
        (with_rows("[1,\"a\",null]"), "rows of table 0 are none"),
        (with_rows(""), "rows of table 0 are none"),
        (with_rows(&format!("[{}1]\n", "1,".repeat(100_000))), "line 1 of notes is no row"),
        (with_rows(&format!("{}\n", "[".repeat(100_000))), "line 1 of notes is no row"),
        (renamed(2, "../../etc/passwd"), "an archive has no member \"../../etc/passwd\""),
        (renamed(2, "/rows/0000/000000.jsonl"), "an archive has no member"),
        (renamed(2, "rows/0000/000001.jsonl"), "is not where it belongs"),
        (renamed(2, "rows/0009/000000.jsonl"), "rows of table 9 are none"),
        (renamed(3, "rows/0000/000000.jsonl"), "is not where it belongs"),
        (renamed(1, "header.json"), "is not where it belongs"),
        (good[1..].to_vec(), "is not where it belongs"),
        ([good.clone(), good.clone()].concat(), "is not where it belongs"),
        (
            [&good[..2], &[("uploads/000000000.json".to_owned(), b"{}".to_vec())]].concat(),
            "the head of an upload is none",
        ),
    ];
    for (members, says) in cases {
        let error = match world.import(packed(&members)).await {
            Ok(imported) => panic!("{says}: {imported:?}"),
            Err(error) => said(&error),
        };
        assert!(error.contains(says), "{says}: {error}");
        assert_eq!(world.others().await, before, "{says}");
    }
    // Rows that are left out, by somebody who can count.
    let members: Members = good.iter().filter(|(name, _)| !name.starts_with("rows/0001")).cloned().collect();
    world.import(packed(&members)).await.unwrap();
}

#[tokio::test]
async fn a_manifest_is_for_what_is_there() {
    let world = World::new().await;
    let good = members(&world.archive().await);
    let before = world.others().await;
    for at in 0..good.len() {
        // Without a member; and with another one in its place, under a seal that fits.
        let without: Members =
            good.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, member)| member.clone()).collect();
        let mut with_another = good.clone();
        with_another[at].1.push(b' ');
        for members in [without, with_another] {
            let archive = sealed(&tar_of(&members, |_| {}));
            assert!(inspected(&archive).is_err(), "{}", good[at].0);
            assert!(world.import(archive).await.is_err());
            assert_eq!(world.others().await, before);
        }
    }
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Directory,
        tar::EntryType::GNULongName,
        tar::EntryType::XHeader,
    ] {
        let archive = sealed(&tar_of(&good, |header| header.set_entry_type(kind)));
        assert!(said(&inspected(&archive).unwrap_err()).contains("an archive has no member"), "{kind:?}");
    }
    let no_end = tar_of(&good, |_| {});
    assert!(inspected(&sealed(&no_end[..no_end.len() - 1024])).is_err());
    assert!(inspected(&sealed(&[no_end, vec![0; 4096]].concat())).is_err());
}

#[tokio::test]
async fn checks_are_of_something_and_as_few_as_can_be() {
    let world = World::new().await;
    let good = members(&world.archive().await);
    let [own @ .., (_, checks), (_, manifest)] = &good[..] else { panic!("{good:?}") };
    let (checks, manifest) = (String::from_utf8_lossy(checks), String::from_utf8_lossy(manifest));
    let lines: Vec<_> = checks.split_inclusive('\n').collect();
    let rest = &manifest[manifest.find("],\"tables\"").unwrap()..];
    // With checks after so many members, and a manifest that fits.
    let with_checks = |after: &[usize]| {
        let (mut all, mut checks, mut from) = (Members::new(), Vec::new(), 0);
        for end in 0..=own.len() {
            for _ in after.iter().filter(|after| **after == end) {
                let (name, text) = (format!("checks/{:06}.jsonl", checks.len()), lines[from..end].concat());
                let (bytes, sha256) = (text.len(), sha256(text.as_bytes()));
                checks.push(format!(r#"{{"member":{name:?},"bytes":{bytes},"sha256":"{sha256}"}}"#));
                all.push((name, text.into_bytes()));
                from = end;
            }
            all.extend(own.get(end).cloned());
        }
        all.push(("manifest.json".to_owned(), format!("{{\"checks\":[{}{rest}", checks.join(",")).into_bytes()));
        sealed(&tar_of(&all, |_| {}))
    };
    let end = own.len();
    assert_eq!(inspected(&with_checks(&[end])).unwrap().rows, [2, 1], "this is how they are made up");
    for after in [&[0, end][..], &[2, end], &[2, 2, end], &[end, end], &[end, end, end]] {
        let said = said(&inspected(&with_checks(after)).unwrap_err());
        assert!(said.contains("is not where it belongs"), "{after:?}: {said}");
    }
}

#[tokio::test]
async fn what_says_who_has_made_it_is_shown() {
    let world = World::new().await;
    let mut members = members(&world.archive().await);
    let header = String::from_utf8(members[0].1.clone()).unwrap();
    let product = format!("\"product\": {:?}", env!("CARGO_PKG_VERSION"));
    assert!(header.contains(&product), "{header}");
    let escapes = format!("\"product\": \"\\u001b]0;owned\\u0007\\u009b2J{}\"", "9".repeat(100));
    members[0].1 = header.replace(&product, &escapes).into_bytes();
    let summary = inspected(&packed(&members)).unwrap();
    assert_eq!(summary.header.product, format!("]0;owned2J{}", "9".repeat(30)));
}

#[tokio::test]
async fn nothing_is_taken_for_as_large_as_it_says() {
    let world = World::new().await;
    let good = members(&world.archive().await);
    for (size, says) in [(u64::MAX / 2, "unpacked_bytes_max"), (1 << 39, "header_bytes_max"), (1 << 20, "cut off")] {
        let archive = sealed(&tar_of(&good[..1], |header| header.set_size(size)));
        let error = said(&inspected(&archive).unwrap_err());
        assert!(error.contains(says), "{size}: {error}");
    }
    // A gigabyte of zeros in some kilobytes: more than a part may have, and more than all may have.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let begun = tar_of(&good[..2], |_| {});
    encoder.write_all(&begun[..begun.len() - 1024]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("rows/0000/000000.jsonl").unwrap();
    header.set_size(1 << 30);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    assert!(said(&inspected(&bomb).unwrap_err()).contains("rows_bytes_max = 268435456 is the most"));
    let mut limits = ReadLimits::default();
    (limits.rows_bytes_max, limits.unpacked_bytes_max) = (u64::MAX, 1 << 20);
    assert!(said(&inspect(&*bomb, &limits).unwrap_err()).contains("unpacked_bytes_max = 1048576 is the most"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_is_refused_or_whole() {
    let world = World::new().await;
    let good = members(&world.archive().await);
    let before = world.others().await;
    let mut runner = TestRunner::new(ProptestConfig::with_cases(60));
    let changes = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            prop::collection::vec(any::<u8>(), 0..4),
            0..6usize,
        ),
        1..4,
    );
    runner
        .run(&changes, |changes| {
            let mut members = good.clone();
            for (member, at, bytes, cut) in changes {
                let content = &mut members[member.index(good.len())].1;
                let at = at.index(content.len().max(1)).min(content.len());
                content.splice(at..(at + cut).min(content.len()), bytes);
            }
            let archive = packed(&members);
            let looked = inspected(&archive).is_ok();
            let (imported, now) = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current()
                    .block_on(async { (world.import(archive).await.is_ok(), world.others().await) })
            });
            prop_assert!(looked || !imported);
            if imported {
                // It was another one that is whole; its rows are globex's.
                prop_assert!(
                    now.iter().filter(|row| !row.contains('2')).eq(before.iter().filter(|row| !row.contains('2')))
                );
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(forget(&world)));
            } else {
                prop_assert_eq!(&now, &before);
            }
            Ok(())
        })
        .unwrap();
}

/// Globex has never been.
async fn forget(world: &World) {
    let text = "DELETE FROM notes WHERE _tenant = 2; DELETE FROM tags WHERE _tenant = 2; DELETE FROM _tenantry_tenants WHERE id = 2; \
                DELETE FROM _tenantry_sequence WHERE _tenant = 2";
    sqlx::raw_sql(text).execute(&mut world.raw().await).await.unwrap();
}
