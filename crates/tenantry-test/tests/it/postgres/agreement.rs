//! The parser that statements are read with, and the server's own: what the server does not reject for its syntax is read.
//!
//! The texts are random statements, those of the tests of `tenantry-sql`, and both with tokens left out, doubled or swapped.

use std::fs;

use pg_query::{DeparseOptions, protobuf::Token};
use proptest::{
    prelude::Rng,
    strategy::{Strategy, ValueTree},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};
use tenantry_test::postgres::{Planner, Setting, Walls, generate};

use super::differential::runner;
use crate::scoped::number;

/// The SQLSTATE of a syntax error.
const SYNTAX: &str = "42601";

/// What the parser, which is of version 18, reads and version 15 does not: a word of each.
const NEWER: &[&str] = &[
    "BY SOURCE",
    "BY TARGET",
    "RETURNING WITH",
    "JSON",
    "MERGE",
    "SYSTEM_USER",
    "ANY_VALUE",
    "NORMALIZE",
    "0x",
    "1_0",
];

/// The parser also reads statements whose constants were replaced by parameters (`date $1`).
const PARAMETER: &str = "syntax error at or near \"$";

#[tokio::test]
async fn what_the_server_reads_is_read() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    let mut connection = PgConnection::connect(setting.shared().url()).await.unwrap();
    let planner = Planner::new();
    let version = connection.server_version_num().unwrap_or_default();
    let (mut both, mut neither, mut more) = (0, 0, 0);
    for text in texts(number("TENANTRY_TEST_STATEMENTS", 1000)) {
        let ours = pg_query::parse(&text, 0).map(|parsed| parsed.protobuf.stmts.len());
        match (rejected(&mut connection, &text).await, ours) {
            (None, Ok(1)) => both += 1,
            (None, Ok(0)) if is_empty(&text) => both += 1,
            (None, ours) => panic!("the server reads {text}\nand we {ours:?}"),
            (Some(_), Err(_)) => neither += 1,
            (Some(message), Ok(_)) => {
                // What is no error of the grammar is one of the meaning, with the same SQLSTATE.
                let is_of_meaning = !message.starts_with("syntax error");
                let is_newer = version < 180_000 && NEWER.iter().any(|word| text.contains(word));
                assert!(is_of_meaning || is_newer || message.starts_with(PARAMETER), "{message}: {text}");
                // So is what would be sent for it.
                if let Ok(plan) = planner.plan(&text) {
                    assert!(rejected(&mut connection, &plan.text).await.is_some(), "{}", plan.text);
                }
                more += 1;
            }
        }
    }
    println!("{both} are read by both, {neither} by neither, {more} only by us");
    assert!(both > 500 && neither > 100);
}

#[test]
fn what_is_sent_reads_as_it_was_meant() {
    let planner = Planner::new();
    let mut sent = 0;
    for text in texts(number("TENANTRY_TEST_STATEMENTS", 1000)) {
        let Ok(plan) = planner.plan(&text) else { continue };
        sent += 1;
        let meant = printed(&plan.text);
        // Read again it is the same statement, and so it is when its words stand apart.
        assert_eq!(printed(&meant), meant, "{}", plan.text);
        assert_eq!(printed(&apart(&plan.text)), meant, "{}", plan.text);
    }
    assert!(sent > 500, "{sent}");
}

/// Whether it is nothing, or nothing but comments.
fn is_empty(text: &str) -> bool {
    let tokens = pg_query::scan(text).unwrap().tokens;
    tokens.iter().all(|token| matches!(token.token(), Token::SqlComment | Token::CComment | Token::Ascii59))
}

/// What the parser understands of a text, printed from the tree.
fn printed(text: &str) -> String {
    let parsed = pg_query::parse(text, 0).unwrap();
    assert_eq!(parsed.protobuf.stmts.len(), 1, "{text}");
    pg_query::deparse(&parsed.protobuf, DeparseOptions::default()).unwrap()
}

/// Why the server rejects a text for its syntax, if it does.
async fn rejected(connection: &mut PgConnection, text: &str) -> Option<String> {
    let error = connection.prepare(AssertSqlSafe(text).into_sql_str()).await.err()?;
    // What is no error of the server's is one of sqlx, which does not know all types of columns.
    let error = error.as_database_error()?;
    (error.code().as_deref() == Some(SYNTAX)).then(|| error.message().to_owned())
}

fn texts(count: usize) -> Vec<String> {
    let mut runner = runner(9);
    let mut texts = curated();
    for _ in 0..count.div_ceil(40) {
        let script = generate::script(20).new_tree(&mut runner).unwrap().current();
        texts.extend(script.iter().map(|statement| statement.dollar_text()));
    }
    let whole = texts.clone();
    for text in whole {
        for _ in 0..2 {
            let (at, way) = (runner.rng().next_u32(), runner.rng().next_u32());
            texts.extend(spoilt(&text, usize::try_from(at).unwrap(), way));
        }
    }
    texts
}

/// All literals of texts in the tests of statements for PostgreSQL.
fn curated() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tenantry-sql/tests/it/postgres");
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        texts.extend(source.split('"').skip(1).step_by(2).filter(|text| text.contains(' ')).map(str::to_owned));
    }
    assert!(texts.len() > 200);
    texts
}

/// The text with a token left out, doubled, or swapped with the next.
fn spoilt(text: &str, at: usize, way: u32) -> Option<String> {
    let tokens = pg_query::scan(text).ok()?.tokens;
    let place = |token: &pg_query::protobuf::ScanToken| {
        Some(usize::try_from(token.start).ok()?..usize::try_from(token.end).ok()?)
    };
    let at = at % tokens.len().max(1);
    let token = place(tokens.get(at)?)?;
    let (before, word, after) = (text.get(..token.start)?, text.get(token.clone())?, text.get(token.end..)?);
    Some(match way % 3 {
        0 => format!("{before}{after}"),
        1 => format!("{before}{word} {word}{after}"),
        _ => {
            let next = place(tokens.get(at + 1)?)?;
            let (between, other, after) =
                (text.get(token.end..next.start)?, text.get(next.clone())?, text.get(next.end..)?);
            format!("{before}{other}{between} {word}{after}")
        }
    })
}

/// The text with comments between its tokens.
fn apart(text: &str) -> String {
    let tokens = pg_query::scan(text).unwrap().tokens;
    let words =
        tokens.iter().map(|token| &text[usize::try_from(token.start).unwrap()..usize::try_from(token.end).unwrap()]);
    words.collect::<Vec<_>>().join(" /* ' */\n")
}
