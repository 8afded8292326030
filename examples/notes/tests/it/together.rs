//! What holds when several people write at the same time.

use notes::db::Db;
use notes::models::note::{self, Draft, Note};
use notes::models::stats;
use notes::models::user::{self, Registration};
use tokio::join;

use crate::database::open;
use crate::models::{sign_up, write};

/// How often two writers meet.
const ROUNDS: usize = 40;

#[tokio::test]
async fn a_tag_given_while_its_last_note_loses_it_is_kept() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let mut with = write(&db, &ada, "one", "", "t").await;
    let mut without = write(&db, &ada, "two", "", "").await;
    for round in 0..ROUNDS {
        let (lost, got) = join!(tag(&db, &with, &[]), tag(&db, &without, &["t"]));
        assert_eq!((lost.tags.0, got.tags.0), (vec![], vec!["t".to_owned()]));
        let got = note::find(&db, without.id).await.unwrap().unwrap();
        assert_eq!(got.tags.0, ["t"], "round {round}");
        (with, without) = (without, with);
    }
}

#[tokio::test]
async fn of_several_first_users_one_becomes_administrator() {
    for _ in 0..ROUNDS / 8 {
        let (db, _place) = open().await;
        // Whoever has to connect first would come too late.
        drop((db.acquire().await.unwrap(), db.acquire().await.unwrap(), db.acquire().await.unwrap()));
        let (ada, bob, cyd) = join!(sign_up(&db, "ada"), sign_up(&db, "bob"), sign_up(&db, "cyd"));
        let administrators = [ada, bob, cyd].iter().filter(|user| user.is_admin).count();
        assert_eq!(administrators, 1);
    }
}

#[tokio::test]
async fn an_address_is_given_once() {
    let (db, _place) = open().await;
    let registration = Registration::new("ada@example.org", "Ada", "long enough").unwrap();
    let again = Registration::new("ADA@example.org", "Ada", "long enough").unwrap();
    let (one, other) = join!(user::create(&db, &registration, "one"), user::create(&db, &again, "other"));
    assert_eq!(one.unwrap().iter().chain(&other.unwrap()).count(), 1);
}

#[tokio::test]
async fn figures_are_of_one_moment() {
    let (db, _place) = open().await;
    let ada = sign_up(&db, "ada").await;
    let writing = async {
        for number in 0..ROUNDS {
            write(&db, &ada, &number.to_string(), "", "").await;
        }
    };
    let looking = async {
        loop {
            let stats = stats::collect(&db).await.unwrap();
            let per_user: i64 = stats.per_user.iter().map(|row| row.notes).sum();
            let per_month: i64 = stats.per_month.iter().map(|row| row.notes).sum();
            assert_eq!((per_user, per_month), (stats.totals.notes, stats.totals.notes));
            if per_user == i64::try_from(ROUNDS).unwrap() {
                break;
            }
        }
    };
    join!(writing, looking);
}

async fn tag(db: &Db, note: &Note, tags: &[&str]) -> Note {
    let draft = Draft::new(&note.title, "", tags.iter().copied()).unwrap();
    note::update(db, note.id, &draft).await.unwrap().unwrap()
}
