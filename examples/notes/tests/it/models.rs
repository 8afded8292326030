//! The queries, on a database without the web around it.

use chrono::NaiveDateTime;
use notes::db::{self, Db};
use notes::models::attachment::{self, FileName};
use notes::models::comment::{self, Remark};
use notes::models::note::{self, Draft, Filter, Note};
use notes::models::setting::{self, Settings, Theme};
use notes::models::stats;
use notes::models::tag;
use notes::models::user::{self, Registration, User};

use crate::database::open;

#[tokio::test]
async fn searching_takes_patterns_literally() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    for title in ["100%", "1000", "a_b", "axb", r"c:\d", "c:d"] {
        write(&db, &ada, title, "", "").await;
    }
    write(&db, &ada, "tagged", "", "100%-sure").await;
    for (text, titles) in [
        ("0%", vec!["tagged", "100%"]),
        ("_", vec!["a_b"]),
        (r"\", vec![r"c:\d"]),
        ("A_B", vec!["a_b"]),
        ("%%", vec![]),
    ] {
        let filter = Filter { text: Some(text.to_owned()), tag: None };
        let found = note::list(&db, &filter, 1, 20).await.unwrap();
        let found: Vec<&str> = found.notes.iter().map(|note| note.title.as_str()).collect();
        assert_eq!(found, titles, "{text}");
    }
}

#[tokio::test]
async fn pages_stop_at_both_ends() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let empty = note::list(&db, &Filter::default(), 3, 2).await.unwrap();
    assert_eq!((empty.page, empty.pages, empty.total), (1, 1, 0));
    for number in 1..=5 {
        write(&db, &ada, &number.to_string(), "", "").await;
    }
    for (asked, given, titles) in [(-1, 1, vec!["5", "4"]), (2, 2, vec!["3", "2"]), (9, 3, vec!["1"])] {
        let listing = note::list(&db, &Filter::default(), asked, 2).await.unwrap();
        assert_eq!((listing.page, listing.pages, listing.total), (given, 3, 5));
        let found: Vec<&str> = listing.notes.iter().map(|note| note.title.as_str()).collect();
        assert_eq!(found, titles);
    }
}

#[tokio::test]
async fn the_first_user_is_administrator_and_addresses_are_unique() {
    let (db, _place) = open().await;
    assert!(sign_up(&db, "ada").await.is_admin);
    assert!(!sign_up(&db, "bob").await.is_admin);
    let again = Registration::new("ADA@example.org", "Ada", "long enough").unwrap();
    assert!(user::create(&db, &again, "hash").await.unwrap().is_none());
    let found = user::find_by_email(&db, " Ada@Example.org ").await.unwrap();
    assert_eq!(found.unwrap().password_hash, "hash");
}

#[tokio::test]
async fn tags_go_with_their_last_note() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let one = write(&db, &ada, "one", "", "b,a").await;
    let two = write(&db, &ada, "two", "", "b").await;
    assert_eq!(one.tags.0, ["a", "b"]);
    assert_eq!(tags(&db).await, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let draft = Draft::new("one", "", ["c"]).unwrap();
    note::update(&db, one.id, &draft).await.unwrap();
    assert_eq!(tags(&db).await, [("b".to_owned(), 1), ("c".to_owned(), 1)]);
    note::delete(&db, two.id).await.unwrap();
    assert_eq!(tags(&db).await, [("c".to_owned(), 1)]);
}

#[tokio::test]
async fn comments_go_with_their_note() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let note = write(&db, &ada, "one", "", "").await;
    let remark = Remark::new("Well.").unwrap();
    let comment = comment::create(&db, &ada, note.id, &remark).await.unwrap();
    let comment = comment.unwrap();
    assert_eq!((comment.author.as_str(), comment.note_id), ("ada", note.id));
    note::delete(&db, note.id).await.unwrap();
    assert!(comment::find(&db, comment.id).await.unwrap().is_none());
    let orphan = comment::create(&db, &ada, note.id, &remark).await.unwrap();
    assert!(orphan.is_none());
}

#[tokio::test]
async fn files_go_with_their_note_which_says_where_their_contents_are() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let note = write(&db, &ada, "one", "", "").await;
    let name = FileName::new("May.pdf").unwrap();
    for key in ["1/a", "1/b"] {
        assert!(attachment::create(&db, note.id, &name, 3, key).await.unwrap());
    }
    let [first, _] = &attachment::list(&db, note.id).await.unwrap()[..] else { panic!("there are two") };
    assert_eq!((first.name.as_str(), first.size, first.object_key.as_str()), ("May.pdf", 3, "1/a"));
    let mut keys = note::delete(&db, note.id).await.unwrap();
    keys.sort();
    assert_eq!(keys, ["1/a", "1/b"]);
    assert!(attachment::find(&db, first.id).await.unwrap().is_none());
    assert!(!attachment::create(&db, note.id, &name, 3, "1/c").await.unwrap());
}

#[tokio::test]
async fn a_note_remembers_when_it_changed_and_its_number_is_not_used_again() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let old = write(&db, &ada, "old", "", "").await;
    age(&db, &old, "2020-01-31 12:00:00").await;
    let draft = Draft::new("new", "", []).unwrap();
    let new = note::update(&db, old.id, &draft).await.unwrap().unwrap();
    assert_eq!(new.created_at.to_rfc3339(), "2020-01-31T12:00:00+00:00");
    assert!(new.updated_at >= old.updated_at);
    note::delete(&db, old.id).await.unwrap();
    assert!(write(&db, &ada, "next", "", "").await.id > old.id);
}

#[tokio::test]
async fn settings_are_seeded_once_and_saved() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let first = setting::load(&db).await.unwrap();
    assert_eq!((first.theme, first.page_size), (Theme::Light, 20));
    let chosen = Settings::new("Ours", Theme::Dark, 7).unwrap();
    setting::save(&db, &chosen, &ada).await.unwrap();
    setting::seed(&db).await.unwrap();
    let now = setting::load(&db).await.unwrap();
    assert_eq!(now.site_title, "Ours");
    assert_eq!((now.theme, now.page_size), (Theme::Dark, 7));
}

#[tokio::test]
async fn a_database_is_migrated_once() {
    let (db, place) = open().await;
    sign_up(&db, "ada").await;
    db.close().await;
    let db = db::connect(&place.url()).await.unwrap();
    db::migrate(&db).await.unwrap();
    assert!(user::find_by_email(&db, "ada@example.org").await.unwrap().is_some());
}

#[tokio::test]
async fn figures_of_an_empty_site() {
    let (db, _place) = open().await;
    let stats = stats::collect(&db).await.unwrap();
    assert_eq!((stats.totals.users, stats.totals.notes), (0, 0));
    assert!(stats.per_user.is_empty() && stats.per_month.is_empty());
}

#[tokio::test]
async fn figures_are_right() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let bob = sign_up(&db, "bob").await;
    let cyd = sign_up(&db, "cyd").await;
    sign_up(&db, "dan").await;
    let short = write(&db, &ada, "short", "x", "t").await;
    let long = write(&db, &bob, "long", "xxx", "t,u").await;
    let none = write(&db, &cyd, "none", "", "").await;
    let more = write(&db, &cyd, "more", "xx", "t").await;
    age(&db, &short, "2024-01-31 23:59:59").await;
    age(&db, &long, "2024-02-01 00:00:00").await;
    age(&db, &none, "2024-02-29 12:00:00").await;
    age(&db, &more, "2024-03-01 12:00:00").await;
    for (note, comments) in [(&short, 1), (&long, 2)] {
        for _ in 0..comments {
            let remark = Remark::new("Well.").unwrap();
            comment::create(&db, &ada, note.id, &remark).await.unwrap();
        }
    }

    let stats = stats::collect(&db).await.unwrap();
    let totals = &stats.totals;
    assert_eq!((totals.users, totals.notes), (4, 4));
    assert_eq!((totals.tags, totals.comments), (2, 3));
    let users = stats.per_user.iter();
    let users: Vec<_> = users.map(|row| (row.place, row.name.as_str(), row.notes, row.comments)).collect();
    assert_eq!(users, [(1, "cyd", 2, 0), (2, "ada", 1, 3), (2, "bob", 1, 0), (4, "dan", 0, 0)]);
    let tags = stats.per_tag.iter();
    let tags: Vec<_> = tags.map(|row| (row.name.as_str(), row.notes, row.authors)).collect();
    assert_eq!(tags, [("t", 3, 3), ("u", 1, 1)]);
    let months = stats.per_month.iter();
    let months: Vec<_> = months.map(|row| (row.month.as_str(), row.notes, row.so_far)).collect();
    assert_eq!(months, [("2024-01", 1, 1), ("2024-02", 2, 3), ("2024-03", 1, 4)]);
    let longest: Vec<_> = stats.longest.iter().map(|row| (row.id, row.length)).collect();
    assert_eq!(longest, [(long.id, 3), (more.id, 2), (short.id, 1)]);
    let discussed: Vec<_> = stats.discussed.iter().map(|row| (row.id, row.comments)).collect();
    assert_eq!(discussed, [(long.id, 2)]);
    assert_eq!(stats.without_notes, ["dan"]);
}

pub(crate) async fn sign_up(db: &Db, name: &str) -> User {
    let email = format!("{name}@example.org");
    let registration = Registration::new(&email, name, "long enough").unwrap();
    let created = user::create(db, &registration, "hash").await.unwrap();
    created.unwrap()
}

pub(crate) async fn write(db: &Db, author: &User, title: &str, body: &str, tags: &str) -> Note {
    let draft = Draft::new(title, body, tags.split(',')).unwrap();
    note::create(db, author, &draft).await.unwrap()
}

/// Makes a note older than it is.
async fn age(db: &Db, note: &Note, created_at: &str) {
    let created_at = NaiveDateTime::parse_from_str(created_at, "%Y-%m-%d %H:%M:%S").unwrap();
    sqlx::query("UPDATE notes SET created_at = $1 WHERE id = $2")
        .bind(created_at)
        .bind(note.id)
        .execute(db)
        .await
        .unwrap();
}

async fn tags(db: &Db) -> Vec<(String, i64)> {
    let tags = tag::list(db).await.unwrap();
    tags.into_iter().map(|tag| (tag.name, tag.notes)).collect()
}
